package dev.eden.api.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.activities.store.MigrationEndedException;
import dev.eden.api.route.PostgresRouteRows;
import dev.eden.workflows.Strategy;
import java.util.List;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.Test;

/** Who comes late stores nothing for a migration that was cleaned up; another one of its id does. */
class EndedRecordsIT {
    private static final Strategy STRATEGY = new Strategy(
            "canary", 0.5, "session", 5, List.of(), new Strategy.WriteMode("dual_write", null, "source", null));

    @Test
    void whatHasEndedTakesNothingUntilAnotherOfItsIdIsStarted() {
        try (TestDatabase database = TestDatabase.start()) {
            Jdbi jdbi = database.jdbi();
            AuditLog audit = new AuditLog(jdbi);
            EncryptedServerRecords records = new EncryptedServerRecords(jdbi, new SecretCipher(List.of(new byte[32])));
            String password = records.login("m", "from", "login:control", "eden")
                    .password()
                    .reveal();
            records.put("m", "from", "saved", "1");
            records.requireOngoing("m");

            records.end("m");
            records.end("m");
            refuses(records);
            assertThat(records.get("m", "from", "saved")).hasValue("1");
            assertThat(records.storedLogin("m", "from", "login:control")
                            .orElseThrow()
                            .password()
                            .reveal())
                    .isEqualTo(password);
            records.putAtEnd("m", "from", "clean", "true");
            records.put("other", "from", "saved", "2");
            records.removeAll("m");
            refuses(records);
            assertThat(records.get("m", "from", "saved")).isEmpty();
            assertThat(records.get("m", "from", "clean")).isEmpty();

            MigrationStore migrations = new MigrationStore(jdbi, audit, (_, _) -> () -> {});
            TestDatabase.create(migrations, "m", STRATEGY);
            jdbi.useHandle(h -> h.execute("UPDATE migration SET ended_at = now()"));
            new ForgottenMigrations(jdbi, audit).forget("m", "ada");
            refuses(records);

            jdbi.useHandle(h -> h.execute("INSERT INTO endpoint (id, engine, host, port, tls) VALUES"
                    + " ('from', 'redis', 'h', 1, false), ('to', 'redis', 'h', 2, false)"));
            new InterlayStore(jdbi, audit, new PostgresRouteRows(jdbi))
                    .create("front", "from", null, false, null, null, "ada");
            TestDatabase.create(migrations, "m", STRATEGY);
            migrations.addInterlay("m", "front", "to", "ada");
            refuses(records);
            assertThatThrownBy(() -> jdbi.useHandle(h -> EncryptedServerRecords.requireOngoing(h, "m")))
                    .isInstanceOf(MigrationEndedException.class);
            assertThat(new MigrationStarts(jdbi, audit).claim(migrations.get("m"), List.of(), "ada", ""))
                    .isPresent();
            records.requireOngoing("m");
            records.login("m", "from", "login:control", "eden");
            records.put("m", "from", "saved", "1");
            assertThat(records.putIfAbsent("m", "from", "saved", "2")).isEqualTo("1");
        }
    }

    private static void refuses(EncryptedServerRecords records) {
        assertThatThrownBy(() -> records.requireOngoing("m")).isInstanceOf(MigrationEndedException.class);
        assertThatThrownBy(() -> records.login("m", "from", "login:control", "eden"))
                .isInstanceOf(MigrationEndedException.class);
        assertThatThrownBy(() -> records.put("m", "from", "saved", "3")).isInstanceOf(MigrationEndedException.class);
        assertThatThrownBy(() -> records.putIfAbsent("m", "from", "more", "3"))
                .isInstanceOf(MigrationEndedException.class);
        assertThat(records.get("m", "from", "more")).isEmpty();
    }
}

package dev.eden.activities.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.postgres.validation.PostgresValidation;
import dev.eden.activities.store.ValidationLedger.Difference;
import dev.eden.activities.store.ValidationLedger.Report;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Under live writes, on hot rows too: nothing false, nothing missed, and a repair that holds. */
class PostgresValidationIT {

    @Test
    void findsEveryDamageUnderWritesAndMendsIt() {
        try (var servers = PostgresServers.start(16, 17)) {
            PostgresMigrationIT.schema(servers);
            servers.prepare();
            try (var writers = new Writers(servers, 2);
                    var running = servers.replicate()) {
                PostgresMigrationIT.awaitStreaming(servers);
                assertThat(validate(servers, false).differencesFound()).isZero();

                damage(servers);
                Report found = validate(servers, false);
                assertThat(found.sample())
                        .extracting(Difference::key, Difference::kind, Difference::repaired)
                        .containsExactlyInAnyOrder(
                                org.assertj.core.groups.Tuple.tuple("shop.accounts (11)", "value", false),
                                org.assertj.core.groups.Tuple.tuple("shop.events (-7)", "extra", false),
                                org.assertj.core.groups.Tuple.tuple("shop.events (5)", "value", false),
                                org.assertj.core.groups.Tuple.tuple("shop.events (6)", "missing", false),
                                org.assertj.core.groups.Tuple.tuple("shop.keyless", "missing", false),
                                org.assertj.core.groups.Tuple.tuple("shop.measures_1 (2026-02-01)", "value", false),
                                org.assertj.core.groups.Tuple.tuple("index shop.events_event", "missing", false));
                assertThat(found.remaining()).isEqualTo(7);

                try (PostgresSession target = servers.control("target")) {
                    target.execute("CREATE INDEX events_event ON shop.events (event)");
                }
                Report mended = validate(servers, true);
                assertThat(mended.differencesFound()).isEqualTo(6);
                assertThat(mended.repaired()).isEqualTo(6);
                assertThat(mended.remaining()).isZero();
                assertThat(validate(servers, false).differencesFound()).isZero();
                assertThat(writers.acknowledged).isNotEmpty();
                assertThat(running.failure.get()).isNull();
            }
        }
    }

    @Test
    void goesOnWhereItWasCutOff() {
        try (var servers = PostgresServers.start(18, 18)) {
            PostgresMigrationIT.schema(servers);
            servers.prepare();
            try (var running = servers.replicate()) {
                PostgresMigrationIT.awaitStreaming(servers);
                List<PostgresValidation.Cursor> cursors = new ArrayList<>();
                Report whole = validation(servers).validate(PostgresServers.spec(), false, null, cursors::add);
                PostgresValidation.Cursor half = cursors.stream()
                        .filter(cursor -> cursor.done().size() == 3)
                        .findFirst()
                        .orElseThrow();
                List<PostgresValidation.Cursor> rest = new ArrayList<>();
                Report resumed = validation(servers).validate(PostgresServers.spec(), false, half, rest::add);
                assertThat(resumed.id()).isEqualTo(whole.id());
                assertThat(resumed.keysCompared()).isEqualTo(whole.keysCompared());
                assertThat(rest.size()).isLessThan(cursors.size());
                assertThat(running.failure.get()).isNull();
            }
        }
    }

    private static void damage(PostgresServers servers) {
        try (PostgresSession target = servers.control("target")) {
            target.execute("SET session_replication_role = replica");
            target.execute("UPDATE shop.events SET note = 'broken' WHERE id = 5");
            target.execute("DELETE FROM shop.events WHERE id = 6");
            target.execute("INSERT INTO shop.events (id, event) VALUES (-7, 'old-extra')");
            target.execute("UPDATE shop.accounts SET mood = 'so so' WHERE id = 11");
            target.execute("DELETE FROM shop.keyless WHERE a = 17");
            target.execute("UPDATE shop.measures SET v = 0.5 WHERE day = '2026-02-01'");
            target.execute("DROP INDEX shop.events_event");
        }
    }

    private static PostgresValidation validation(PostgresServers servers) {
        return new PostgresValidation(servers, servers.records, servers.store, servers.store, Clock.systemUTC());
    }

    private static Report validate(PostgresServers servers, boolean repair) {
        return validation(servers).validate(PostgresServers.spec(), repair, null, cursor -> {});
    }
}

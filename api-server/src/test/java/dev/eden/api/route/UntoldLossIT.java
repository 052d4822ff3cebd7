package dev.eden.api.route;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.api.store.AuditLog;
import dev.eden.api.store.Database;
import dev.eden.api.store.TuningStore;
import dev.eden.embedded.EmbeddedPostgres;
import dev.eden.proxy.Secret;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.Test;

class UntoldLossIT {
    @Test
    void onlyALoadThatHadEndedIsLostAndIsKnownUntilItWasTold() {
        try (EmbeddedPostgres postgres = EmbeddedPostgres.start();
                Database database = Database.open(
                        Database.Settings.of(postgres.jdbcUrl(), postgres.user(), new Secret(postgres.password())))) {
            Jdbi jdbi = database.jdbi();
            var ledger = new PostgresReplicationLedger(jdbi, new TuningStore(jdbi, new AuditLog(jdbi)));
            assertThat(ledger.lossUntold("m")).as("not begun").isFalse();
            jdbi.useHandle(h -> h.execute("INSERT INTO replication (migration) VALUES ('m'), ('other')"));
            ledger.restartLoad("m", 1, 0);
            assertThat(ledger.lossUntold("m")).as("the first load").isFalse();

            ledger.loaded("m", 1, 0, "r", 1);
            ledger.restartLoad("m", 1, 7);
            assertThat(ledger.lossUntold("m")).as("of another generation").isFalse();
            ledger.restartLoad("m", 1, 0);
            ledger.restartLoad("m", 1, 0);
            assertThat(ledger.lossUntold("m")).isTrue();
            assertThat(ledger.lossUntold("other")).isFalse();

            ledger.lossTold("m");
            assertThat(ledger.lossUntold("m")).isFalse();
            ledger.loaded("m", 1, 0, "r", 2);
            ledger.restartLoad("m", 1, 0);
            assertThat(ledger.lossUntold("m")).as("the next one").isTrue();
            ledger.loaded("m", 1, 0, "r", 3);
            assertThat(ledger.lossUntold("m")).as("all is there again").isFalse();
        }
    }
}

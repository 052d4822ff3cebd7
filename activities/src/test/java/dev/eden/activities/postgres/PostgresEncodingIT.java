package dev.eden.activities.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.postgres.validation.PostgresValidation;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.ValidationLedger.Report;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The same texts in other bytes are the same texts. */
class PostgresEncodingIT {

    @Test
    void aDatabaseOfAnotherEncodingIsComparedAndMoves() throws SQLException {
        try (var servers = PostgresServers.start(15, 18)) {
            latin(servers);
            PostgresMigrationIT.schema(servers);
            try (PostgresSession source = servers.own("source")) {
                source.execute("""
                        CREATE TABLE shop.cities (city text PRIMARY KEY, mayor text);
                        INSERT INTO shop.cities VALUES ('Zürich', 'Müller'), ('Orléans', 'José'), ('Bern', 'Ann');
                        INSERT INTO shop.keyless VALUES (-1, 'Größe');
                        GRANT ALL ON shop.cities TO app;
                        """);
            }
            servers.prepare();
            try (var running = servers.replicate()) {
                PostgresMigrationIT.awaitStreaming(servers);
                try (var application = servers.application("source");
                        var statement = application.createStatement()) {
                    statement.execute("UPDATE shop.cities SET mayor = 'Grün' WHERE city = 'Zürich'");
                    statement.execute("UPDATE shop.accounts SET balance = balance + 1");
                }
                assertThat(validate(servers, false).sample()).isEmpty();
                try (PostgresSession target = servers.control("target")) {
                    target.execute("SET session_replication_role = replica");
                    target.execute("UPDATE shop.cities SET mayor = 'Jose' WHERE city = 'Orléans'");
                }
                Report mended = validate(servers, true);
                assertThat(mended.differencesFound()).isEqualTo(1);
                assertThat(mended.remaining()).isZero();
                PostgresMigrationIT.flip(servers, true, 1);
                PostgresMigrationIT.awaitStreaming(servers);
                assertThat(validate(servers, false).sample()).isEmpty();
                assertThat(running.failure.get()).isNull();
            }
        }
    }

    private static void latin(PostgresServers servers) {
        Endpoint own = servers.endpoint("source");
        Endpoint other = new Endpoint(own.id(), own.engine(), own.host(), own.port(), false, own.login(), "postgres");
        try (PostgresSession session = PostgresSession.connect(other, "test", Duration.ofMinutes(1))) {
            session.execute("DROP DATABASE eden");
            session.execute("CREATE DATABASE eden ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
        }
    }

    private static Report validate(PostgresServers servers, boolean repair) {
        return new PostgresValidation(servers, servers.records, servers.store, servers.store, Clock.systemUTC())
                .validate(PostgresServers.spec(), repair, null, cursor -> {});
    }
}

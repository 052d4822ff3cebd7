package dev.eden.activities.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.postgres.validation.PostgresValidation;
import java.time.Clock;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Sequences that were told where to begin, and have not begun. */
class PostgresSequencesIT {

    @Test
    void whereASequenceWillBeginMovesWithIt() {
        try (var servers = PostgresServers.start(14, 18)) {
            PostgresMigrationIT.schema(servers);
            try (PostgresSession source = servers.own("source")) {
                source.execute("""
                        CREATE SEQUENCE shop.fresh;
                        CREATE SEQUENCE shop."Odd 'name'" INCREMENT -1;
                        CREATE SEQUENCE shop.restarted;
                        ALTER SEQUENCE shop.restarted RESTART WITH 700;
                        CREATE SEQUENCE shop.positioned;
                        """);
            }
            servers.prepare();
            try (var running = servers.replicate()) {
                PostgresMigrationIT.awaitStreaming(servers);
                try (PostgresSession source = servers.control("source")) {
                    source.execute("SELECT setval('shop.positioned', 500, false)");
                    source.execute("SELECT setval('shop.\"Odd ''name''\"', -50, false)");
                }
                assertThat(differences(servers)).isEmpty();
                PostgresMigrationIT.flip(servers, true, 1);
                try (PostgresSession target = servers.control("target")) {
                    assertThat(next(target, "shop.fresh")).isEqualTo(1);
                    assertThat(next(target, "shop.restarted")).isEqualTo(700);
                    PostgresMigrationIT.awaitStreaming(servers);
                    assertThat(differences(servers)).isEmpty();

                    target.execute("SELECT setval('shop.positioned', 499, false)");
                    assertThat(differences(servers)).containsExactly("sequence shop.positioned value");
                    target.execute("SELECT setval('shop.positioned', 499)");
                    assertThat(differences(servers)).isEmpty();
                    target.execute("SELECT setval('shop.positioned', 900, false)");
                    assertThat(differences(servers)).isEmpty();
                }
                PostgresMigrationIT.flip(servers, false, 2);
                try (PostgresSession source = servers.control("source")) {
                    assertThat(next(source, "shop.positioned")).isEqualTo(900);
                    assertThat(next(source, "shop.\"Odd ''name''\"")).isEqualTo(-50);
                }
                assertThat(running.failure.get()).isNull();
            }
        }
    }

    private static long next(PostgresSession session, String sequence) {
        return session.number("SELECT nextval('" + sequence + "')");
    }

    private static List<String> differences(PostgresServers servers) {
        return new PostgresValidation(servers, servers.records, servers.store, servers.store, Clock.systemUTC())
                .validate(PostgresServers.spec(), false, null, cursor -> {}).sample().stream()
                        .map(difference -> difference.key() + " " + difference.kind())
                        .toList();
    }
}

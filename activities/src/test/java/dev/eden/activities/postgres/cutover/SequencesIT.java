package dev.eden.activities.postgres.cutover;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.postgres.PostgresServers;
import dev.eden.activities.postgres.PostgresSession;
import org.junit.jupiter.api.Test;

/** However many sequences have not begun, nothing about them is asked for the first time under the pause. */
class SequencesIT {
    /** From then on the driver keeps a statement at the server, planned. */
    private static final int KNOWN_AFTER = 5;

    private static final String QUESTIONS =
            "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%last_value AS value%'";

    @Test
    void everyQuestionIsRehearsed() {
        try (var servers = PostgresServers.start(16, 16);
                PostgresSession source = servers.own("source");
                PostgresSession target = servers.own("target")) {
            for (PostgresSession side : new PostgresSession[] {source, target}) {
                side.executeAll(
                        side.texts(
                                "SELECT format('CREATE SEQUENCE public.s%s START %s', i, i) FROM generate_series(1, 1200) AS i"));
            }
            source.execute("SELECT nextval('public.s7')");
            Sequences sequences = Sequences.prepare(source, target);
            for (int i = 0; i < KNOWN_AFTER; i++) {
                sequences.rehearse(source, target);
            }
            long rehearsed = source.number(QUESTIONS);
            source.execute("SELECT setval('public.s' || i, i + 5, false) FROM generate_series(1, 1200, 100) AS i");
            sequences.copy(source, target, 1, true);
            assertThat(rehearsed).as("of 1,199 in three parts").isEqualTo(3);
            assertThat(
                            target.texts(
                                    "SELECT format('%s %s', i, nextval('public.s' || i)) FROM generate_series(1, 1200, 100) AS i"))
                    .containsExactlyElementsOf(
                            source.texts("SELECT format('%s %s', i, i + 5) FROM generate_series(1, 1200, 100) AS i"));
            assertThat(target.number("SELECT nextval('public.s7')")).isGreaterThan(7);
            assertThat(target.number("SELECT nextval('public.s8')")).isEqualTo(8);
        }
    }
}

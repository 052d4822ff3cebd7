package dev.eden.activities.postgres.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.PostgresServers;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.Sql;
import dev.eden.activities.postgres.UserTables;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** After a load was cut off the servers copy by themselves. */
class LoadProgressIT {

    @Test
    void aTableThatTheServersCopyHasARate() {
        try (var servers = PostgresServers.start(14, 18)) {
            try (PostgresSession source = servers.own("source")) {
                source.execute("""
                        CREATE TABLE public.slow (id int PRIMARY KEY);
                        INSERT INTO public.slow SELECT generate_series(1, 5000);
                        ANALYZE;
                        """);
            }
            servers.prepare();
            EdenObjects names = servers.pair().names();
            try (PostgresSession source = servers.control("source");
                    PostgresSession target = servers.control("target");
                    PostgresSession holder = servers.control("target")) {
                target.execute("""
                        CREATE FUNCTION public.held() RETURNS trigger LANGUAGE plpgsql AS
                            'BEGIN IF NEW.id = 3000 THEN PERFORM pg_advisory_xact_lock(77); END IF; RETURN NEW; END';
                        CREATE TRIGGER held BEFORE INSERT ON public.slow FOR EACH ROW EXECUTE FUNCTION public.held();
                        ALTER TABLE public.slow ENABLE ALWAYS TRIGGER held;
                        """);
                holder.execute("SELECT pg_advisory_lock(77)");
                Link forward = new Link(servers.pair(), Role.SOURCE);
                forward.publication(source, List.of());
                source.query("SELECT pg_create_logical_replication_slot(?, 'pgoutput')", row -> true, names.main());
                forward.subscribe(target, source.major());
                target.execute("ALTER SUBSCRIPTION " + Sql.name(names.main()) + " ENABLE");
                forward.republish(source, UserTables.published(source));
                forward.loadTheRest(target);
                Map<String, Long> seen = new HashMap<>();
                await().atMost(Duration.ofSeconds(90))
                        .untilAsserted(() -> assertThat(LoadProgress.read(source, target, names, seen)
                                        .tables())
                                .singleElement()
                                .satisfies(table -> {
                                    assertThat(table.state()).isEqualTo("copying");
                                    assertThat(table.rows()).isEqualTo(2999);
                                    assertThat(table.rate()).isPositive();
                                    assertThat(table.etaSeconds()).isNotNegative();
                                }));
            }
        }
    }
}

package dev.eden.activities.postgres.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.activities.postgres.EdenRoles;
import dev.eden.activities.postgres.EdenSchema;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresServers;
import dev.eden.activities.postgres.PostgresSession;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class SchemaCopierIT {
    /** Whoever aborts does not wait for thousands of tables. */
    @Test
    void isGivenUpBetweenObjectsAndCompletedByTheNext() {
        try (var servers = PostgresServers.start(15, 15);
                PostgresSession source = servers.own("source");
                PostgresSession target = servers.own("target")) {
            Pair pair = new Pair(PostgresServers.MIGRATION, "source", "target", servers::endpoint, servers.records);
            for (String id : List.of("source", "target")) {
                try (PostgresSession session = servers.own(id)) {
                    EdenRoles.create(session, PostgresServers.MIGRATION, servers.endpoint(id), servers.records);
                    EdenSchema.create(session, pair.names());
                }
            }
            target.execute("CREATE TABLE public.there (id int PRIMARY KEY)");
            source.execute("CREATE TABLE public.one (id int PRIMARY KEY)");
            source.execute("CREATE TABLE public.two (id int PRIMARY KEY)");
            SchemaCopier copier = new SchemaCopier(pair);
            AtomicInteger looks = new AtomicInteger();
            assertThatThrownBy(() -> copier.beforeLoad(() -> {
                        if (looks.incrementAndGet() == 2) {
                            throw new CancellationException("given up");
                        }
                    }))
                    .hasMessage("given up");
            assertThat(looks).hasValue(2);
            copier.beforeLoad(() -> {});
            assertThat(target.is(
                            "SELECT to_regclass('public.one') IS NOT NULL AND to_regclass('public.two') IS NOT NULL"))
                    .isTrue();
        }
    }
}

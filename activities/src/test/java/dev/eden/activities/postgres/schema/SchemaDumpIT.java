package dev.eden.activities.postgres.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.eden.activities.postgres.EdenRoles;
import dev.eden.activities.postgres.EdenSchema;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresServers;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.TestAuthority;
import dev.eden.activities.store.Endpoint;
import dev.eden.proxy.Authorities;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;

@ResourceLock("authorities")
class SchemaDumpIT {
    /** Servers whose certificate Eden's own connections accept are dumped too, without files in anybody's home. */
    @Test
    void trustsWhomThisProcessTrusts(@TempDir Path directory) throws Exception {
        assumeTrue(ClientTools.find(15, 15).isPresent(), "no pg_dump on this host");
        TestAuthority authority = TestAuthority.make(directory);
        Authorities.trust(authority.file());
        try (var servers = PostgresServers.start(15, 15);
                PostgresSession source = servers.own("source");
                PostgresSession target = servers.own("target")) {
            Pair pair = new Pair(
                    PostgresServers.MIGRATION,
                    "source",
                    "target",
                    id -> overTls(servers.endpoint(id)),
                    servers.records);
            for (String id : List.of("source", "target")) {
                authority.encrypt(servers.server(id));
                try (PostgresSession session = servers.own(id)) {
                    EdenRoles.create(session, PostgresServers.MIGRATION, servers.endpoint(id), servers.records);
                    EdenSchema.create(session, pair.names());
                }
            }
            source.execute("CREATE AGGREGATE public.total (int) (SFUNC = int4pl, STYPE = int)");
            new SchemaDump(pair).copy(source, target, () -> {});
            assertThat(SchemaDump.done(target, pair.names())).isTrue();
            assertThat(target.is("SELECT to_regprocedure('public.total(integer)') IS NOT NULL"))
                    .isTrue();
        }
    }

    /** Plan said that all of it is copied. */
    @Test
    void failsWhereTheCataloguesWouldLeaveSomethingOut() {
        assumeTrue(ClientTools.find(15, 15).isPresent(), "no pg_dump on this host");
        try (var servers = PostgresServers.start(15, 15);
                PostgresSession source = servers.own("source");
                PostgresSession target = servers.own("target")) {
            Pair pair = servers.pair();
            for (String id : List.of("source", "target")) {
                try (PostgresSession session = servers.own(id)) {
                    EdenRoles.create(session, PostgresServers.MIGRATION, servers.endpoint(id), servers.records);
                    EdenSchema.create(session, pair.names());
                }
            }
            source.execute("CREATE ROLE nobody_there; CREATE SCHEMA shop AUTHORIZATION nobody_there");
            SchemaDump dump = new SchemaDump(pair);
            dump.copy(source, target, () -> {});
            assertThat(SchemaDump.done(target, pair.names())).isFalse();
            source.execute("CREATE AGGREGATE shop.total (int) (SFUNC = int4pl, STYPE = int)");
            assertThatThrownBy(() -> dump.copy(source, target, () -> {}))
                    .hasMessageContaining("aggregates (1)")
                    .hasMessageContaining("nobody_there");
            // Made beforehand: a dump would meet it, and is not tried.
            target.execute("CREATE SCHEMA shop");
            dump.copy(source, target, () -> {});
            assertThat(SchemaDump.done(target, pair.names())).isFalse();
        }
    }

    private static Endpoint overTls(Endpoint plain) {
        return new Endpoint(
                plain.id(), plain.engine(), "localhost", plain.port(), true, plain.login(), plain.database());
    }
}

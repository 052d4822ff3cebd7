package dev.eden.activities.postgres.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresServers;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.TestAuthority;
import dev.eden.activities.postgres.preflight.PostgresPreflight;
import dev.eden.activities.postgres.preparation.PostgresPreparation;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.activities.store.LinkTls;
import dev.eden.activities.store.UserDirectory;
import dev.eden.proxy.Authorities;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;

/** Servers whose certificates a private authority has signed verify each other, or it is said that they cannot. */
@ResourceLock("authorities")
public class LinkTlsIT {
    private static final LinkTls SYSTEM = new LinkTls.OfSystem();

    @Test
    void eachServerVerifiesTheOtherAsTheOptionsHaveIt(@TempDir Path directory) throws Exception {
        TestAuthority authority = TestAuthority.make(directory);
        Authorities.trust(authority.file());
        try (var servers = PostgresServers.start(15, 18)) {
            LinkTls ofTarget =
                    new LinkTls.OfFile(authority.encrypt(servers.source).toString());
            LinkTls ofSource =
                    new LinkTls.OfFile(authority.encrypt(servers.target).toString());
            LinkTls ofNoFile = new LinkTls.OfFile("/nowhere/authority.crt");

            assertThat(findings(servers, over(servers, ofSource, ofTarget))).isEmpty();
            assertThat(findings(servers, over(servers, new LinkTls.Unverified(), SYSTEM)))
                    .satisfiesExactly(
                            one -> assertThat(one).startsWith("postgres.tls.unverified warning The target replicates"),
                            one -> assertThat(one).startsWith("postgres.tls.unverified warning The source replicates"));
            assertThat(findings(servers, over(servers, SYSTEM, ofTarget)))
                    .singleElement(STRING)
                    .startsWith("postgres.link.tls failure The target cannot")
                    .contains("certificate verify failed");
            assertThat(findings(servers, over(servers, ofSource, ofNoFile)))
                    .singleElement(STRING)
                    .startsWith("postgres.link.tls failure The source cannot")
                    .contains("\"/nowhere/authority.crt\" does not exist");

            try (PostgresSession source = servers.own("source")) {
                source.execute("CREATE TABLE public.t (id int PRIMARY KEY)");
                source.execute("INSERT INTO public.t VALUES (1)");
            }
            new PostgresPreparation(over(servers, ofSource, ofTarget), servers.records, servers.store::read)
                    .prepare(PostgresServers.spec(), () -> {});
            servers.store.attach(PostgresServers.MIGRATION, "source", "target", List.of("front"));

            stops(servers, over(servers, SYSTEM, ofTarget), "endpoint source ", "certificate verify failed");
            stops(servers, over(servers, ofSource, ofNoFile), "endpoint target ", "/nowhere/authority.crt");
            replicates(servers, over(servers, ofSource, ofTarget));
        }
    }

    private static void stops(PostgresServers servers, EndpointDirectory endpoints, String... words) {
        try (PostgresReplicator replicator = replicator(servers, endpoints)) {
            assertThatThrownBy(() -> replicator.run(_ -> {}))
                    .isInstanceOf(ReplicationStopped.class)
                    .hasMessageContainingAll(words)
                    .hasMessageContaining("options.link_ca_file")
                    .hasMessageNotContaining("localhost");
        }
    }

    private static void replicates(PostgresServers servers, EndpointDirectory endpoints) {
        PostgresReplicator replicator = replicator(servers, endpoints);
        replicator.run(progress -> {
            if (progress.state().equals("streaming") && progress.reverseProven()) {
                replicator.close();
            }
        });
        try (PostgresSession source = servers.control("source");
                PostgresSession target = servers.control("target")) {
            assertThat(target.number("SELECT count(*) FROM public.t")).isOne();
            for (PostgresSession publisher : List.of(source, target)) {
                assertThat(
                                publisher.texts(
                                        "SELECT DISTINCT s.ssl::text FROM pg_stat_replication r JOIN pg_stat_ssl s USING (pid)"))
                        .containsExactly("true");
            }
            assertThat(source.texts("SELECT subconninfo FROM pg_subscription"))
                    .isNotEmpty()
                    .allSatisfy(
                            told -> assertThat(told).contains("sslmode=verify-full sslrootcert='", "sslcert=/nowhere"));
            assertThat(target.texts("SELECT subconninfo FROM pg_subscription"))
                    .isNotEmpty()
                    .allSatisfy(told ->
                            assertThat(told).contains("sslmode=verify-full sslrootcert='", "sslcertmode=disable"));
        }
    }

    private static PostgresReplicator replicator(PostgresServers servers, EndpointDirectory endpoints) {
        Pair pair = new Pair(PostgresServers.MIGRATION, "source", "target", endpoints, servers.records);
        return new PostgresReplicator(pair, servers.store, Clock.systemUTC());
    }

    /** Of the ways between the servers: id, severity and the message. */
    private static List<String> findings(PostgresServers servers, EndpointDirectory endpoints) {
        return new PostgresPreflight(endpoints, servers.records, UserDirectory.NONE)
                .preflight(PostgresServers.spec()).findings().stream()
                        .filter(finding -> finding.id().startsWith("postgres.link.")
                                || finding.id().startsWith("postgres.endpoint.")
                                || finding.id().equals("postgres.tls.unverified"))
                        .map(finding -> finding.id() + " " + finding.severity() + " " + finding.message())
                        .toList();
    }

    /** The certificates are for a name. */
    private static EndpointDirectory over(PostgresServers servers, LinkTls ofSource, LinkTls ofTarget) {
        return id -> {
            Endpoint plain = servers.endpoint(id);
            return new Endpoint(
                    id,
                    plain.engine(),
                    "localhost",
                    plain.port(),
                    true,
                    plain.login(),
                    plain.database(),
                    false,
                    id.equals("source") ? ofSource : ofTarget);
        };
    }
}

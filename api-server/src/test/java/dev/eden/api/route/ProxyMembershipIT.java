package dev.eden.api.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.cutover.AttemptReport;
import dev.eden.activities.cutover.CutoverEngine;
import dev.eden.activities.migration.ProxyConnections;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.store.RouteLedger;
import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.Problem;
import dev.eden.api.rest.ProxyRemoval;
import dev.eden.api.store.AuditLog;
import dev.eden.api.store.ProxyStore;
import dev.eden.proxy.InterlayUsers;
import dev.eden.proxy.ProxyIdentity;
import dev.eden.proxy.RouteStore;
import dev.eden.proxy.TrafficReport;
import dev.eden.proxy.WireRefusedException;
import dev.eden.proxy.WireVersion;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;

/** Which proxies an attempt waits for: versions of the wire, removal, and coming back. */
class ProxyMembershipIT extends ProtocolStage {
    /** It has joined while the servers were newer, say, and serves; no client waits for an attempt that could not be led. */
    @Test
    void aProxyOfAVersionThatTheServerDoesNotSpeakIsNamedBeforeAnybodyWaits() throws Exception {
        running.add(new StandInProxy("p1"));
        running.add(new StandInApplier("source", "target"));
        awaitReady(true);
        takes(1, 9);
        join("newer", "0.9.0+wire.9");
        takes(WireVersion.OLDEST, WireVersion.NEWEST);

        AttemptReport refused = coordinator(routes, engine).attempt(spec, true, 1);

        assertThat(refused.outcome()).isEqualTo("refused");
        assertThat(refused.blockers())
                .singleElement()
                .asString()
                .contains("front:newer", "wire version 9", "this server 1 to 2", "upgrade the server");
        database.jdbi().useHandle(h -> h.execute("DELETE FROM proxy WHERE name = 'newer'"));
        assertThat(coordinator(routes, engine).attempt(spec, true, 2).outcome()).isEqualTo("committed");
    }

    /** Proxies and servers may be upgraded in either order for as long as they have a version in common; else the proxy does not start. */
    @Test
    void aProxySpeaksTheNewestVersionThatTheServersDoTooOrDoesNotJoin() {
        ProxyIdentity identity = new ProxyIdentity("p1", "1", "h:1", "0.2.0");
        TrafficReport.Side none = new TrafficReport.Side(0, 0, 0, 0, 0);
        TrafficReport report = new TrafficReport(0, 0, 0, none, none, 0, 0, 0, 0, 0, Map.of());
        ProxyStore proxies = new ProxyStore(database.jdbi(), new AuditLog(database.jdbi()));
        try {
            takes(1, 1);
            RouteStore early = routeStore(WireVersion.NEWEST);
            early.join(identity, "front");
            early.report(identity, "front", report, true);
            assertThat(proxies.list("", 10)).singleElement().satisfies(proxy -> {
                assertThat(proxy.wire()).isEqualTo(1);
                assertThat(proxy.serving()).isNull();
            });

            takes(1, 7);
            RouteStore now = routeStore(WireVersion.NEWEST);
            now.join(identity, "front");
            now.report(identity, "front", report, false);
            assertThat(routes.traffic(MIGRATION)).containsExactly(new RouteLedger.Reported("front", "p1", "1", report));
            assertThat(proxies.list("", 10)).singleElement().satisfies(proxy -> {
                assertThat(proxy.wire()).isEqualTo(2);
                assertThat(proxy.version()).isEqualTo("0.2.0");
                assertThat(proxy.serving()).isFalse();
            });
            // One from before joins under the same name: what the other said does not count for it.
            join("p1", "0.1.0");
            assertThat(proxies.list("", 10)).singleElement().satisfies(proxy -> {
                assertThat(proxy.wire()).isEqualTo(1);
                assertThat(proxy.serving()).isNull();
            });

            takes(3, 7);
            assertThatThrownBy(() -> routeStore(WireVersion.NEWEST).join(identity, "front"))
                    .isInstanceOfSatisfying(
                            WireRefusedException.class,
                            refused -> assertThat(refused.proxyIsOlder()).isTrue())
                    .hasMessageContaining("1 to 2, the servers 3 to 7");
            assertThatThrownBy(() -> join("old", "0.1.0"))
                    .as("one that does not know of versions")
                    .hasMessageContaining("proxy old speaks wire version 1, the servers 3 to 7");
        } finally {
            takes(WireVersion.OLDEST, WireVersion.NEWEST);
        }
    }

    /**
     * A real proxy in a process of its own is stopped: cutovers wait for it until it is removed, which is refused for as long as the source shows its
     * connections. When it goes on, its old route leads to a server that would take the write: it must not get it.
     */
    @Test
    void aProxyThatWasRemovedAndComesBackServesTheRouteOfNow() throws Exception {
        running.add(new StandInProxy("p1"));
        running.add(new StandInApplier("source", "target"));
        database.jdbi().useHandle(h -> {
            h.execute("UPDATE endpoint SET host = '127.0.0.1', port = ? WHERE id = 'source'", source.port());
            h.execute("UPDATE endpoint SET host = '127.0.0.1', port = ? WHERE id = 'target'", target.port());
        });
        try (SidecarProcess sidecar = new SidecarProcess(postgres, key, folder);
                Socket client = new Socket("127.0.0.1", sidecar.port())) {
            client.setSoTimeout(30_000);
            assertThat(set(client, "before").get(30, TimeUnit.SECONDS)).isEqualTo("+OK");
            awaitReady(true);
            sidecar.suspend();
            long suspended = System.nanoTime();
            AttemptReport blocked = coordinator(routes, engine).attempt(spec, true, 1);
            assertThat(blocked.outcome()).isEqualTo("aborted");
            assertThat(blocked.blockers()).anyMatch(b -> b.contains("(ARMED) from side-car/front"));

            ProxyRemoval removal = new ProxyRemoval(
                    new ProxyStore(database.jdbi(), new AuditLog(database.jdbi())),
                    new ProxyConnections(endpoints, records)::count);
            refused(removal, ErrorCode.PROXY_ALIVE, false);
            database.jdbi()
                    .useHandle(h -> h.execute(
                            "UPDATE proxy SET seen_at = now() - interval '1 minute' WHERE name = 'side-car'"));
            refused(removal, ErrorCode.PROXY_CONNECTED, true);
            try (RespConnection control = control("source")) {
                // As a server does when its peer's machine is gone for long enough.
                for (String line : control.call("CLIENT", "LIST").text().split("\n")) {
                    if (line.contains("name=eden:side-car ")) {
                        control.call("CLIENT", "KILL", "ID", line.substring(3, line.indexOf(' ')));
                    }
                }
            }
            removal.remove("front:side-car", "its node was lost", false, "kim");

            awaitReady(true);
            AttemptReport flipped = coordinator(routes, engine).attempt(spec, true, 2);
            assertThat(flipped.outcome()).as("%s", flipped).isEqualTo("committed");
            try (CutoverEngine.Session open = engine.open(MIGRATION, "target", "source", CutoverEngine.Others.LEAVE)) {
                open.unfence(CutoverEngine.Side.TO);
                open.relax();
            }
            CompletableFuture<String> answer = set(client, "after"); // there before the process goes on
            // Nobody is silent for the 10 s that a removal asks for without having slept for more than 5 s.
            await().until(() ->
                    System.nanoTime() - suspended > Duration.ofSeconds(6).toNanos());
            sidecar.resume();
            assertThat(answer.get(30, TimeUnit.SECONDS)).as(sidecar::log).isEqualTo("+OK");
            try (Jedis old = new Jedis(source.host(), source.port());
                    Jedis now = new Jedis(target.host(), target.port())) {
                assertThat(old.get("eden:{client")).as("the old route").isEqualTo("before");
                assertThat(now.get("eden:{client")).isEqualTo("after");
            }
            List<String> joined = database.jdbi()
                    .withHandle(h -> h.createQuery("SELECT name FROM proxy ORDER BY name")
                            .mapTo(String.class)
                            .list());
            assertThat(joined).as("it has joined again").containsExactly("p1", "side-car");
        }
    }

    /** Proxies may be upgraded before the servers, which bring the tables. */
    @Test
    void aStoreFromBeforeThereWereUsersHasNone() {
        RouteStore store = routeStore(WireVersion.NEWEST);
        database.jdbi().useHandle(h -> h.execute("ALTER TABLE interlay_login RENAME TO not_there_yet"));
        try {
            assertThat(store.users("front")).isEqualTo(InterlayUsers.NONE);
        } finally {
            database.jdbi().useHandle(h -> h.execute("ALTER TABLE not_there_yet RENAME TO interlay_login"));
        }
        InterlayUsers first = store.users("front");
        assertThat(first.seed()).isNotNull();
        assertThat(store.users("front")).as("nothing is opened again").isSameAs(first);
        assertThat(routeStore(WireVersion.NEWEST).users("front").seed()).isEqualTo(first.seed());
    }

    private RouteStore routeStore(int newest) {
        return new PostgresRouteStore(database.jdbi(), changes, endpoints, records, users, newest);
    }

    private void takes(int oldest, int newest) {
        database.jdbi().useHandle(h -> h.execute("UPDATE wire SET oldest = ?, newest = ?", oldest, newest));
    }

    /** As proxies of any version have always done it. */
    private void join(String name, String version) {
        database.jdbi().useHandle(h -> h.execute("""
                        INSERT INTO proxy (name, interlay, incarnation, listen, version) VALUES (?, 'front', '1', 'h:1', ?)
                        ON CONFLICT (interlay, name) DO UPDATE SET version = EXCLUDED.version""", name, version));
    }

    /** Sends a SET of the client's key, and answers what will come back. */
    private static CompletableFuture<String> set(Socket client, String value) throws IOException {
        String request = "*3\r\n$3\r\nSET\r\n$12\r\neden:{client\r\n$" + value.length() + "\r\n" + value + "\r\n";
        client.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        return CompletableFuture.supplyAsync(() -> {
            try {
                return new String(client.getInputStream().readNBytes(5), StandardCharsets.US_ASCII).strip();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    private static void refused(ProxyRemoval removal, ErrorCode code, boolean force) {
        assertThatThrownBy(() -> removal.remove("front:side-car", "too early", force, "kim"))
                .isInstanceOfSatisfying(
                        Problem.class, problem -> assertThat(problem.code()).isEqualTo(code));
    }
}

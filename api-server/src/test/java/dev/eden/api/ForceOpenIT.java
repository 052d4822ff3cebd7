package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.api.cli.ExitCode;
import dev.eden.api.cli.FakeTerminal;
import dev.eden.embedded.EmbeddedPostgres;
import dev.eden.embedded.EmbeddedRedis;
import dev.eden.proxy.Secret;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.Jedis;

/** The store goes away for good in the middle of an attempt; a proxy of its own process, opened by hand. */
class ForceOpenIT {
    private static final String KEY = Base64.getEncoder().encodeToString(new byte[32]);

    @TempDir
    private Path home;

    @Test
    void whoHoldsTheKeyOpensAProxyThatWaitsForALostStore() throws Exception {
        try (EmbeddedPostgres postgres = EmbeddedPostgres.start();
                EmbeddedRedis source = EmbeddedRedis.start();
                EmbeddedRedis target = EmbeddedRedis.start();
                EdenStore store = EdenStore.open(settings(postgres), true)) {
            Jdbi jdbi = store.database().jdbi();
            jdbi.useHandle(h -> {
                h.execute(
                        "INSERT INTO endpoint (id, engine, host, port, tls) VALUES ('old', 'redis', '127.0.0.1', ?, false), ('new', 'redis', '127.0.0.1', ?, false)",
                        source.port(),
                        target.port());
                h.execute("INSERT INTO interlay (id, engine, endpoint) VALUES ('front', 'redis', 'old')");
                h.execute("INSERT INTO route (interlay, active) VALUES ('front', 'old')");
            });
            try (EdenProxy proxy = EdenProxy.start(new EdenProxy.Options(
                            "p1",
                            "front",
                            new InetSocketAddress("127.0.0.1", 0),
                            0,
                            "127.0.0.1",
                            0,
                            Duration.ZERO,
                            settings(postgres)));
                    Jedis client = new Jedis("127.0.0.1", proxy.port(), 60_000)) {
                client.set("owner", "old");
                await().until(() -> listens(jdbi).equals("127.0.0.1:" + proxy.port()));
                String admin = "http://127.0.0.1:" + proxy.metricsPort();
                FakeTerminal shell = new FakeTerminal(home).with("EDEN_ENCRYPTION_KEY", KEY);
                assertThat(open(shell, admin, "old").out()).contains("store_answers");

                jdbi.useHandle(h -> {
                    h.execute(
                            "INSERT INTO attempt (migration, epoch, direction, coordinator) VALUES ('m1', 1, 'forward', 'gone')");
                    h.execute(
                            "UPDATE route SET standby = 'new', migration = 'm1', state = 'ARMED', attempt = (SELECT max(id) FROM attempt)");
                    h.execute("UPDATE route SET state = 'PREPARED', deadline_ms = 600000");
                });
                await().until(() -> health(admin).contains("\"serving\":false"));
                CompletableFuture<String> held = CompletableFuture.supplyAsync(() -> client.set("owner", "still old"));
                postgres.stop();
                await().until(() -> health(admin).contains("\"store\":\"down\""));

                FakeTerminal stranger = new FakeTerminal(home)
                        .with("EDEN_ENCRYPTION_KEY", Base64.getEncoder().encodeToString(new byte[] {
                            1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7,
                            8
                        }));
                assertThat(open(stranger, admin, "old").out())
                        .contains("not sealed with this process's encryption key");
                assertThat(shell.run(arguments(admin, "old", false)).code())
                        .as("a script has to say that it means it")
                        .isEqualTo(ExitCode.NOT_CONFIRMED.code());
                assertThat(open(shell, admin, "nowhere").out()).contains("unknown_owner");
                assertThat(held).isNotDone();

                FakeTerminal.Result opened = open(shell, admin, "old");
                assertThat(opened.code()).as(opened.out() + opened.err()).isZero();
                assertThat(held.get(10, java.util.concurrent.TimeUnit.SECONDS)).isEqualTo("OK");
                assertThat(health(admin)).contains("opened by hand on old by operator ada");
                assertThat(open(shell, admin, "old").out()).contains("already_serving");

                postgres.restart();
                await().atMost(Duration.ofSeconds(30))
                        .ignoreExceptions()
                        .until(() ->
                                state(jdbi).equals("ABORTING") || state(jdbi).equals("STABLE"));
                jdbi.useHandle(h -> h.execute("UPDATE route SET state = 'STABLE', attempt = 0, deadline_ms = 0"));
                await().until(() -> !health(admin).contains("by hand"));
                List<String> recorded = jdbi.withHandle(h -> h.createQuery(
                                "SELECT actor || '|' || reason || '|' || (after->>'outcome') FROM audit_log WHERE event = 'interlay.force_opened'")
                        .mapTo(String.class)
                        .list());
                assertThat(recorded).containsExactly("operator ada|the store is lost|the store agrees");
                assertThat(client.get("owner")).isEqualTo("still old");
            }
        }
    }

    /** With the port that it got, where 0 was asked for. */
    private static String listens(Jdbi jdbi) {
        return jdbi.withHandle(h ->
                h.createQuery("SELECT listen FROM proxy").mapTo(String.class).one());
    }

    private static FakeTerminal.Result open(FakeTerminal shell, String admin, String owner) {
        return shell.with("USER", "ada").run(arguments(admin, owner, true));
    }

    private static String[] arguments(String admin, String owner, boolean yes) {
        List<String> words = new java.util.ArrayList<>(List.of(
                "interlay",
                "force-open",
                "front",
                "--owner",
                owner,
                "--reason",
                "the store is lost",
                "--proxy",
                admin));
        if (yes) {
            words.add("--yes");
        }
        return words.toArray(String[]::new);
    }

    private static String state(Jdbi jdbi) {
        return jdbi.withHandle(h ->
                h.createQuery("SELECT state FROM route").mapTo(String.class).one());
    }

    private static String health(String admin) throws Exception {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create(admin + "/health")).build(),
                        HttpResponse.BodyHandlers.ofString())
                .body();
    }

    private EdenStore.Settings settings(EmbeddedPostgres postgres) {
        return new EdenStore.Settings(
                postgres.jdbcUrl(),
                postgres.user(),
                new Secret(postgres.password()),
                new Secret(KEY),
                home,
                6,
                Duration.ofSeconds(1));
    }
}

package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.api.config.Receiver;
import dev.eden.api.notify.ReceivingServer;
import dev.eden.embedded.EmbeddedRedis;
import dev.eden.proxy.Secret;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import redis.clients.jedis.Jedis;

/**
 * Secrets are planted wherever Eden is given one, and in the data that it moves; a migration of a Redis goes there, back and there; then everything
 * that Eden says or keeps is searched for them, in every form that an encoder would give them.
 */
@Isolated("reads all that is logged in this JVM")
class SecretsIT {
    private static final String ID = "secretive";
    private static final String SOURCE = "canary-of-the-source-77130";
    private static final String TARGET = "canary-of-the-target-58211";
    private static final String APPLICATION = "canary-of-the-application-90415";
    private static final String MISTAKEN = "canary-of-a-typing-error-33602";
    private static final String ADDRESS = "canary-of-an-address-44871";
    private static final String SIGNING = "canary-that-signs-20655";
    private static final String HOST = "canary-of-a-host-55417";
    private static final String VALUE = "canary-in-a-value-61288";

    @Test
    void noSecretIsWhereItDoesNotBelong() throws Exception {
        try (ReceivingServer hook = ReceivingServer.start("/" + ADDRESS);
                ListenedEden eden = ListenedEden.start(
                        ServerOptions.Front.redis(new InetSocketAddress("127.0.0.1", 0)),
                        List.of(
                                hook.as("oncall", SIGNING),
                                new Receiver("away", new Secret("http://" + HOST + ".invalid/" + ADDRESS), null)));
                EmbeddedRedis source = redis(SOURCE);
                EmbeddedRedis target = redis(TARGET)) {
            try (Jedis admin = new Jedis("127.0.0.1", source.port())) {
                admin.auth(SOURCE);
                admin.aclSetUser("app", "on", ">" + APPLICATION, "~*", "&*", "+@all");
                for (int i = 0; i < 500; i++) {
                    admin.set("key:" + i, VALUE + i);
                }
            }
            migrate(eden, source, target);
            // A secret in what a request carries further would be looked for in vain if nothing were carried.
            assertThat(eden.logs().lines().filter(line -> line.startsWith("cutover attempt ended")))
                    .hasSizeGreaterThanOrEqualTo(3)
                    .allSatisfy(line -> assertThat(line)
                            .as("an attempt is logged under the id of the request that asked for it")
                            .contains(
                                    line.contains("direction=\"forward\"")
                                            ? "asked-for-cutover"
                                            : "asked-for-rollback"));
            await("whoever is to be told of the end")
                    .untilAsserted(() -> assertThat(hook.kinds())
                            .containsSubsequence(
                                    "cutover_committed",
                                    "rolling_back",
                                    "rollback_committed",
                                    "cutover_committed",
                                    "completed"));
            assertThat(hook.taken())
                    .allSatisfy(one -> assertThat(one.signature()).startsWith("t="))
                    .allSatisfy(one -> assertThat(one.kind().equals("test")
                                    || one.json().path("migration").asText().equals(ID))
                            .isTrue());
            assertThat(eden.logs()).as("one is away, which is said").contains("a receiver was not told of an event");
            List<String> secrets = new ArrayList<>(eden.ownSecrets());
            secrets.addAll(List.of(ADDRESS, SIGNING, HOST));
            secrets.addAll(List.of(SOURCE, TARGET, APPLICATION, MISTAKEN, VALUE));
            assertThat(eden.places(ID)
                            .in("a notification", String.valueOf(hook.taken()).replace("path=/" + ADDRESS, ""))
                            .leaks(secrets))
                    .isEmpty();
        }
    }

    private void migrate(ListenedEden eden, EmbeddedRedis source, EmbeddedRedis target) throws Exception {
        eden.post("/endpoints", endpoint("old", SOURCE, source.port()), 201);
        eden.post("/endpoints", endpoint("new", TARGET, target.port()), 201);
        eden.post("/endpoints", endpoint("wrong", MISTAKEN, source.port()), 201);
        eden.post("/endpoints/wrong/check", null, 0);
        eden.post("/endpoints", "{\"id\":\"typo\",\"uri\":\"redis://u:" + MISTAKEN + "@127.0.0.1:port\"}", 422);
        eden.post("/endpoints", "{\"id\":\"typo\",\"password\":\"" + MISTAKEN + "\"", 0);
        eden.post(
                "/migrations",
                "{\"id\":\"" + ID + "\",\"strategy\":{\"type\":\"canary\",\"read_percentage\":0.2},"
                        + "\"failure_handling\":\"needs_operator\",\"cutover\":{\"deadline_ms\":3000},"
                        + "\"gates\":{\"max_lag_ms\":2000},\"notify\":{\"receivers\":[\"oncall\",\"away\"]}}",
                201);
        eden.follow(ID);
        eden.post("/migrations/" + ID + "/interlay/redis_interlay", "{\"endpoint\":\"new\"}", 200);
        eden.send("GET", "/migrations/" + ID + "/plan", null, 200);
        try (Jedis application = new Jedis("127.0.0.1", eden.ports().getFirst());
                Jedis beside = new Jedis("127.0.0.1", eden.ports().getLast())) {
            application.auth("app", APPLICATION);
            beside.auth("app", APPLICATION);
            eden.post("/migrations/" + ID + "/migrate", null, 202);
            eden.awaitPhase(ID, "canary");
            application.set("key:0", VALUE);
            for (String[] step :
                    new String[][] {{"cutover", "baking"}, {"rollback", "canary"}, {"cutover", "baking"}}) {
                eden.post("/migrations/" + ID + "/" + step[0], "{\"reason\":\"test\"}", 202);
                eden.awaitPhase(ID, step[1]);
                assertThat(application.get("key:0")).isEqualTo(VALUE);
                assertThat(beside.get("key:0")).isEqualTo(VALUE);
            }
            eden.post("/migrations/" + ID + "/finalize", null, 202);
            eden.awaitPhase(ID, "completed");
            assertThat(application.get("key:0")).isEqualTo(VALUE);
        }
        eden.post("/receivers/oncall/test", null, 200);
        eden.post("/receivers/away/test", null, 200);
        eden.post("/receivers/" + ID + "/test", null, 404);
        eden.readEverything(ID, "old", "new");
    }

    private static String endpoint(String id, String password, int port) {
        return "{\"id\":\"" + id + "\",\"uri\":\"redis://:" + password + "@127.0.0.1:" + port + "\"}";
    }

    private static EmbeddedRedis redis(String password) {
        return EmbeddedRedis.start(EmbeddedRedis.Options.defaults().withConfig("requirepass " + password));
    }
}

package dev.eden.api.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.activities.store.LinkTls;
import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.Problem;
import dev.eden.api.route.PostgresRouteRows;
import dev.eden.proxy.InterlayUsers;
import dev.eden.proxy.Secret;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class InterlayUserStoreIT {
    private static final byte[] FORMER = new byte[32];
    private static final byte[] FRESH = "another key of thirty-two bytes.".getBytes(StandardCharsets.UTF_8);

    private static TestDatabase database;
    private static Jdbi jdbi;
    private static AuditLog audit;
    private static InterlayUserStore users;

    @BeforeAll
    static void start() {
        database = TestDatabase.start();
        jdbi = database.jdbi();
        audit = new AuditLog(jdbi);
        users = with(FORMER);
        PostgresRouteRows routes = new PostgresRouteRows(jdbi);
        EndpointStore endpoints = new EndpointStore(jdbi, new SecretCipher(List.of(FORMER)), audit, routes);
        InterlayStore interlays = new InterlayStore(jdbi, audit, routes);
        for (String engine : List.of("postgres", "redis")) {
            endpoints.create(
                    new EndpointStore.NewEndpoint(
                            engine,
                            engine,
                            "127.0.0.1",
                            1,
                            false,
                            null,
                            new EndpointStore.Credentials.None(),
                            false,
                            new LinkTls.OfSystem(),
                            Map.of()),
                    "ada");
        }
        for (String id : List.of("orders", "again", "full", "sealed")) {
            interlays.create(id, "postgres", null, false, null, null, "ada");
        }
        interlays.create("cache", "redis", null, false, null, null, "ada");
    }

    @AfterAll
    static void stop() {
        database.close();
    }

    private static InterlayUserStore with(byte[]... keys) {
        return new InterlayUserStore(jdbi, new SecretCipher(List.of(keys)), audit);
    }

    private static InterlayUsers read(InterlayUserStore store, String interlay) {
        return jdbi.withHandle(handle -> {
            store.version(handle, interlay);
            return store.users(handle, interlay);
        });
    }

    private static long version(String interlay) {
        return jdbi.withHandle(handle -> users.version(handle, interlay));
    }

    private static void set(String interlay, String name, String password) {
        users.set(interlay, name, new Secret(password), "ada");
    }

    @Test
    void proxiesGetWhatWasSetLastAndTheVersionSaysThatItChanged() {
        long before = version("orders");
        Secret seed = Objects.requireNonNull(read(users, "orders").seed());
        set("orders", "shop", "quince");
        InterlayUsers.User first =
                Objects.requireNonNull(read(users, "orders").byName().get("shop"));
        assertThat(first.password()).isEqualTo(new Secret("quince"));
        assertThat(first.verifier().reveal()).startsWith("SCRAM-SHA-256$4096:");
        long between = version("orders");
        assertThat(between).isNotEqualTo(before);
        set("orders", "shop", "medlar");
        set("orders", "Ü b;er", "sloe");
        InterlayUsers now = read(users, "orders");
        assertThat(now.byName()).containsOnlyKeys("shop", "Ü b;er");
        assertThat(Objects.requireNonNull(now.byName().get("shop")).password()).isEqualTo(new Secret("medlar"));
        assertThat(now.seed())
                .as("the same for as long as there is the interlay")
                .isEqualTo(seed);
        assertThat(users.list("orders", "", 10))
                .extracting(InterlayUserStore.UserView::name)
                .containsExactlyInAnyOrder("shop", "Ü b;er");
        users.remove("orders", "shop", "ada");
        assertThat(read(users, "orders").byName()).containsOnlyKeys("Ü b;er");
        assertThat(version("orders")).isNotIn(before, between);
        assertThatThrownBy(() -> users.remove("orders", "shop", "ada"))
                .isInstanceOfSatisfying(Problem.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.USER_NOT_FOUND));
        String log = jdbi.withHandle(handle -> handle.createQuery(
                        "SELECT string_agg(a::text, ' ') FROM audit_log a WHERE subject = 'interlay/orders'")
                .mapTo(String.class)
                .one());
        assertThat(log)
                .contains("interlay.user_set", "interlay.user_removed", "shop")
                .doesNotContain("quince", "medlar", "SCRAM");
    }

    @Test
    void onlyThoseThatEveryInterlayHasCount() {
        set("again", "everywhere", "a");
        set("full", "everywhere", "b");
        set("full", "here", "c");
        assertThat(users.configured(List.of("again", "full"))).containsExactly("everywhere");
        assertThat(users.configured(List.of("full", "full"))).containsExactlyInAnyOrder("everywhere", "here");
        assertThat(users.configured(List.of())).isEmpty();
        jdbi.useHandle(handle -> {
            handle.execute("INSERT INTO interlay_user (interlay, name, secret)"
                    + " SELECT 'full', 'user ' || i, '' FROM generate_series(1, " + (InterlayUserStore.MOST - 2)
                    + ") i");
        });
        set("full", "here", "another password of one that it has");
        assertThatThrownBy(() -> set("full", "one more", "d"))
                .isInstanceOfSatisfying(Problem.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.TOO_MANY_USERS));
        jdbi.useHandle(handle -> handle.execute("DELETE FROM interlay_user WHERE name LIKE 'user %'"));
    }

    @Test
    void aRedisHasNone() {
        assertThatThrownBy(() -> set("cache", "app", "e"))
                .isInstanceOfSatisfying(Problem.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_FIELDS));
        assertThatThrownBy(() -> set("nowhere", "app", "e"))
                .isInstanceOfSatisfying(
                        Problem.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INTERLAY_NOT_FOUND));
    }

    @Test
    void theyAreSealedAndSealedAnewWithTheRest() {
        set("sealed", "shop", "damson");
        InterlayUsers before = read(users, "sealed");
        List<String> rows = jdbi.withHandle(handle -> handle.createQuery("""
                        SELECT secret || seed AS value FROM interlay_user JOIN interlay_login USING (interlay)
                        WHERE interlay = 'sealed'""")
                .map((row, _) -> new String(row.getBytes("value"), StandardCharsets.ISO_8859_1))
                .list());
        assertThat(rows)
                .singleElement()
                .asString()
                .doesNotContain(
                        "damson", "SCRAM", Objects.requireNonNull(before.seed()).reveal());

        SecretCipher both = new SecretCipher(List.of(FRESH, FORMER));
        assertThat(new KeyRotation(jdbi, both, audit).rotate("ada"))
                .containsKeys("passwords of interlays' users", "seeds of interlays' salts");
        assertThat(read(with(FRESH), "sealed")).isEqualTo(before);
        assertThat(read(users, "sealed"))
                .as("the former key alone: named, and not the end of the rest")
                .isEqualTo(new InterlayUsers(Map.of(), Set.of("shop"), null));
        new KeyRotation(jdbi, new SecretCipher(List.of(FORMER, FRESH)), audit).rotate("ada");
    }
}

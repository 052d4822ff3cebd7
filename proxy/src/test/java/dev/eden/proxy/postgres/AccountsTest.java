package dev.eden.proxy.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.proxy.ClientTls;
import dev.eden.proxy.InterlayUsers;
import dev.eden.proxy.MemoryRouteStore;
import dev.eden.proxy.PostgresProxyConfig;
import dev.eden.proxy.ProxyIdentity;
import dev.eden.proxy.RouteStoreException;
import dev.eden.proxy.Secret;
import dev.eden.proxy.Wakefulness;
import io.netty.channel.embedded.EmbeddedChannel;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class AccountsTest {
    private static final Account NOBODY = new Account.Unknown(4096);

    @Test
    void proxiesOfAnInterlayShowTheSameSaltForANameThatNobodyHas() {
        assertThat(salt("nobody", new Secret("common")))
                .isEqualTo(salt("nobody", new Secret("common")))
                .isNotEqualTo(salt("somebody", new Secret("common")))
                .isNotEqualTo(salt("nobody", new Secret("another")))
                .hasSize(16);
    }

    @Test
    void withoutACommonSeedEachHasItsOwn() {
        Accounts accounts = new Accounts(Set.of(), () -> InterlayUsers.NONE);
        assertThat(accounts.verifier("nobody", NOBODY).salt())
                .as("again and again")
                .isEqualTo(accounts.verifier("nobody", NOBODY).salt())
                .isNotEqualTo(salt("nobody", null));
    }

    private static byte[] salt(String user, @Nullable Secret seed) {
        return new Accounts(Set.of(), () -> new InterlayUsers(Map.of(), seed))
                .verifier(user, NOBODY)
                .salt();
    }

    /** Nobody would know which of the trusted users have a password. */
    @Test
    void aProxyThatCannotReadTheInterlaysUsersDoesNotStart() {
        MemoryRouteStore store = new MemoryRouteStore(MemoryRouteStore.route(null, null));
        store.users = new InterlayUsers(Map.of("given", InterlayUsers.User.of(new Secret("pencil"))), null);
        store.away(true);
        assertThatThrownBy(() -> ConfiguredUsers.follow(store, "test")).isInstanceOf(RouteStoreException.class);
        store.away(false);
        try (ConfiguredUsers users = ConfiguredUsers.follow(store, "test")) {
            assertThat(found(users, "open")).isEqualTo(new Account.Trusted());
            assertThat(found(users, "given")).isNotEqualTo(new Account.Trusted());
            store.away(true);
            assertThat(found(users, "given")).as("what is known stays").isNotEqualTo(new Account.Trusted());
        }
    }

    @Test
    void aTrustedUserWhosePasswordNoKeyOpensIsNotTrusted() {
        InterlayUsers users = new InterlayUsers(Map.of(), Set.of("given"), null);
        assertThat(found(() -> users, "given")).isInstanceOf(Account.Unreadable.class);
        assertThat(found(() -> users, "open")).isEqualTo(new Account.Trusted());
    }

    /** Where {@code open} and {@code given} are trusted, and there is no server yet. */
    private static Account found(Supplier<InterlayUsers> users, String user) {
        PostgresProxyConfig config = PostgresProxyConfig.of(
                new ProxyIdentity("p1", "1", "127.0.0.1", "test"), "test", new InetSocketAddress("127.0.0.1", 0));
        Accounts accounts = new Accounts(Set.of("open", "given"), users);
        EmbeddedChannel channel = new EmbeddedChannel();
        Cancels cancels = new Cancels("p1");
        List<Account> found = new ArrayList<>();
        try (PeerCancels peers =
                new PeerCancels(new MemoryRouteStore(MemoryRouteStore.route(null, null)), "test", cancels)) {
            PostgresLoop loop = new PostgresLoop(
                    config,
                    new PostgresLoop.Shared(
                            accounts, cancels, peers, new ClientTls(null), new AtomicInteger(), new Wakefulness()),
                    channel.eventLoop(),
                    EmbeddedChannel.class,
                    null,
                    1);
            accounts.find(loop, user, found::add);
        } finally {
            channel.finishAndReleaseAll();
        }
        return found.getFirst();
    }

    /** Also for sessions that came before the interlay had the password: their new connections log in with it. */
    @Test
    void serversAreShownThePasswordThatTheInterlayHasNow() {
        InterlayUsers.User[] given = {InterlayUsers.User.of(new Secret("first"))};
        Accounts accounts = new Accounts(Set.of(), () -> new InterlayUsers(Map.of("app", given[0]), null));
        accounts.proven("app", new Credential.None());
        assertThat(accounts.credential("app")).isEqualTo(new Credential.Password(new Secret("first")));
        given[0] = InterlayUsers.User.of(new Secret("second"));
        assertThat(accounts.credential("app")).isEqualTo(new Credential.Password(new Secret("second")));
        assertThat(accounts.credential("other")).isEqualTo(new Credential.None());
    }

    @Test
    void whatIsStoredOfAPasswordIsReadAsAServersIs() {
        Secret stored = StoredVerifier.of(new Secret("pencil"));
        Scram.Verifier verifier = java.util.Objects.requireNonNull(Scram.Verifier.parse(stored.reveal()));
        Scram.Verifier again = Scram.Verifier.of("pencil", verifier.salt(), verifier.iterations());
        assertThat(again.storedKey()).isEqualTo(verifier.storedKey());
        assertThat(again.serverKey()).isEqualTo(verifier.serverKey());
        assertThat(StoredVerifier.of(new Secret("pencil"))).as("another salt").isNotEqualTo(stored);
        assertThat(InterlayUsers.User.of(new Secret("pencil")).toString())
                .doesNotContain("pencil")
                .doesNotContain("SCRAM");
    }
}

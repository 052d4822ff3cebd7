package dev.eden.proxy.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.proxy.InterlayUsers;
import dev.eden.proxy.Secret;
import java.util.Map;
import java.util.Set;
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

    private static byte[] salt(String user, @org.jspecify.annotations.Nullable Secret seed) {
        return new Accounts(Set.of(), () -> new InterlayUsers(Map.of(), seed))
                .verifier(user, NOBODY)
                .salt();
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

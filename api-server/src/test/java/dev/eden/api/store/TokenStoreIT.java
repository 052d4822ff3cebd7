package dev.eden.api.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.api.problem.StartupException;
import dev.eden.api.store.TokenStore.Identity;
import dev.eden.api.store.TokenStore.Role;
import java.util.List;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The admin token that is given to a server from outside. */
class TokenStoreIT {
    private TestDatabase database;
    private Jdbi jdbi;
    private TokenStore tokens;

    @BeforeEach
    void start() {
        database = TestDatabase.start();
        jdbi = database.jdbi();
        tokens = new TokenStore(jdbi, new AuditLog(jdbi));
    }

    @AfterEach
    void stop() {
        database.close();
    }

    @Test
    void everyChangeOfItIsInTheAuditLog() {
        tokens.adminFromEnvironment("first");
        Identity first = admin("first");
        tokens.adminFromEnvironment("first");
        assertThat(events()).as("a restart changes nothing").containsExactly("token.created " + first.id());
        tokens.adminFromEnvironment("second");
        Identity second = admin("second");
        assertThat(tokens.authenticate("first")).isEmpty();
        tokens.adminFromEnvironment("first");
        assertThat(admin("first")).isEqualTo(first);
        assertThat(tokens.authenticate("second")).isEmpty();
        assertThat(events())
                .containsExactly(
                        "token.created " + first.id(),
                        "token.revoked " + first.id(),
                        "token.created " + second.id(),
                        "token.revoked " + second.id(),
                        "token.reinstated " + first.id());
    }

    @Test
    void theFirstOneIsThereUnderItsId() {
        String secret = tokens.firstAdmin().orElseThrow();
        assertThat(events()).containsExactly("token.created " + admin(secret).id());
    }

    @Test
    void whatAnAdminHasRevokedIsNotRevivedByARestart() {
        tokens.adminFromEnvironment("leaked");
        Identity leaked = admin("leaked");
        Identity other = admin(tokens.create(Role.ADMIN, "other", null, "kim").secret());
        assertThat(tokens.good(leaked.id())).isTrue();
        tokens.revoke(leaked.id(), "kim");
        assertThat(tokens.good(leaked.id())).isFalse();
        assertThatThrownBy(() -> tokens.adminFromEnvironment("leaked"))
                .isInstanceOf(StartupException.class)
                .hasMessageContaining("token/" + leaked.id());
        assertThat(tokens.authenticate("leaked")).isEmpty();
        tokens.adminFromEnvironment("fresh");
        assertThat(admin("fresh").role()).isEqualTo(Role.ADMIN);
        assertThatThrownBy(() -> tokens.adminFromEnvironment("leaked")).isInstanceOf(StartupException.class);
        assertThat(tokens.authenticate("fresh"))
                .as("a start that was refused changes nothing")
                .isPresent();
        assertThat(tokens.good(other.id())).isTrue();
    }

    private Identity admin(String token) {
        return tokens.authenticate(token).orElseThrow();
    }

    private List<String> events() {
        return jdbi.withHandle(handle -> handle.createQuery(
                        "SELECT event || ' ' || replace(subject, 'token/', '') FROM audit_log ORDER BY id")
                .mapTo(String.class)
                .list());
    }
}

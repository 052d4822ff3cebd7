package dev.eden.api.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.api.problem.Problem;
import dev.eden.api.store.IdempotencyStore.Answer;
import java.util.Optional;
import java.util.UUID;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is known of a request that had no answer. */
class IdempotencyStoreIT {
    private static final byte[] HASH = {1, 2, 3};

    private final RequestClaim claim = new RequestClaim(UUID.randomUUID(), "key");
    private TestDatabase database;
    private Jdbi jdbi;
    private IdempotencyStore store;

    @BeforeEach
    void start() {
        database = TestDatabase.start();
        jdbi = database.jdbi();
        store = new IdempotencyStore(jdbi);
        RequestClaim.hold(claim);
    }

    @AfterEach
    void stop() {
        RequestClaim.hold(null);
        database.close();
    }

    @Test
    void whatWasDoneIsKnownToTheNextOneAtOnce() {
        assertThat(claimed("POST /x")).isEmpty();
        assertThatThrownBy(() -> claimed("POST /x")).as("it is under way").isInstanceOf(Problem.class);
        store.forget(claim.token(), claim.key());
        assertThat(claimed("POST /x")).isEmpty();
        assertThat(jdbi.withHandle(RequestClaim::wasDone))
                .as("nothing was, before it failed")
                .isFalse();
        jdbi.useHandle(RequestClaim::done);
        store.forget(claim.token(), claim.key());
        assertThat(claimed("POST /x")).isEmpty();
        assertThat(jdbi.withHandle(RequestClaim::wasDone)).isTrue();
    }

    @Test
    void aTransactionThatIsTakenBackHasDoneNothing() {
        claimed("POST /x");
        jdbi.useTransaction(handle -> {
            RequestClaim.done(handle);
            handle.rollback();
        });
        assertThat(jdbi.withHandle(RequestClaim::wasDone)).isFalse();
    }

    @Test
    void whatWasDeletedIsAnsweredWithoutLooking() {
        claimed("DELETE /x");
        jdbi.useHandle(RequestClaim::done);
        store.forget(claim.token(), claim.key());
        Answer deleted = new Answer(204, null, null, null);
        assertThat(claimed("DELETE /x")).contains(deleted);
        assertThat(claimed("DELETE /x")).as("and that is kept").contains(deleted);
    }

    private Optional<Answer> claimed(String route) {
        return store.claim(claim.token(), claim.key(), route, HASH);
    }
}

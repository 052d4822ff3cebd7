package dev.eden.api.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.api.problem.Problem;
import dev.eden.api.route.PostgresRouteRows;
import dev.eden.api.store.InterlayStore.LeftOut;
import dev.eden.api.store.MigrationStarts.Claim;
import dev.eden.api.store.MigrationStore.Migration;
import dev.eden.workflows.Strategy;
import java.util.List;
import java.util.UUID;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a start that is under way, refused or given up leaves in the directory. */
class MigrationStartsIT {
    private static final Strategy STRATEGY = new Strategy(
            "canary", 0.5, "session", 5, List.of(), new Strategy.WriteMode("dual_write", null, "source", null));

    private TestDatabase database;
    private Jdbi jdbi;
    private AuditLog audit;
    private MigrationStore migrations;
    private InterlayStore interlays;
    private MigrationStarts starts;

    @BeforeEach
    void start() {
        database = TestDatabase.start();
        jdbi = database.jdbi();
        audit = new AuditLog(jdbi);
        migrations = new MigrationStore(jdbi, audit, (_, _) -> () -> {});
        interlays = new InterlayStore(jdbi, audit, new PostgresRouteRows(jdbi));
        starts = new MigrationStarts(jdbi, audit);
        jdbi.useHandle(h -> h.execute("INSERT INTO endpoint (id, engine, host, port, tls) VALUES"
                + " ('from', 'redis', 'h', 1, false), ('to', 'redis', 'h', 2, false)"));
        interlays.create("front", "from", null, false, null, null, "ada");
        TestDatabase.create(migrations, "m", STRATEGY);
        migrations.addInterlay("m", "front", "to", "ada");
    }

    @AfterEach
    void stop() {
        database.close();
    }

    @Test
    void whatIsClaimedIsChangedByNobody() {
        Claim claim = claim();
        assertThatThrownBy(() -> migrations.delete("m", "ada")).isInstanceOf(Problem.class);
        assertThatThrownBy(() -> migrations.patchBeforeStart("m", _ -> STRATEGY, "ada", ""))
                .hasMessageContaining("is being started");
        assertThatThrownBy(() -> interlays.create("late", "to", null, false, null, null, "ada"))
                .hasMessageContaining("is moved by migration m");
        assertThat(interlays.ensure("late", "redis", "h:1", "system").endpoint())
                .as("both servers move")
                .isNull();
        assertThat(starts.started(claim).started()).isTrue();
        assertThat(starts.claim(migrations.get("m"), List.of(), "ada", "")).isEmpty();
    }

    @Test
    void aStartThatIsRefusedLeavesTheMigrationAsItWas() {
        Claim first = claim();
        Claim second = claim();
        starts.withdraw(first);
        assertThatThrownBy(() -> migrations.delete("m", "ada"))
                .as("the second start is under way")
                .isInstanceOf(Problem.class);
        starts.withdraw(second);
        assertThat(events()).containsSequence("migration.started", "migration.start_withdrawn");
        claim();
        assertThat(events()).endsWith("migration.start_withdrawn", "migration.started");
        starts.withdraw(claim());
        migrations.delete("m", "ada");
    }

    @Test
    void aStartThatWasGivenUpIsSettledByWhetherAWorkflowRuns() {
        claim();
        Migration migration = migrations.get("m");
        starts.settle(migration, _ -> false);
        assertThatThrownBy(() -> migrations.delete("m", "ada"))
                .as("it may be under way still")
                .isInstanceOf(Problem.class);
        jdbi.useHandle(
                h -> h.execute("UPDATE migration SET start_claimed_at = start_claimed_at - interval '31 seconds'"));
        starts.settle(migration, _ -> true);
        assertThatThrownBy(() -> migrations.delete("m", "ada")).isInstanceOf(Problem.class);
        starts.settle(migration, _ -> false);
        migrations.delete("m", "ada");
    }

    @Test
    void whatStandsBeforeItsServersIsWhatWasLookedAt() {
        Migration planned = migrations.get("m");
        interlays.create("late", "to", null, false, null, null, "ada");
        assertThatThrownBy(() -> starts.claim(planned, List.of(), "ada", ""))
                .hasMessageContaining("changed while it was looked at");
        assertThat(starts.leftOut(planned)).containsExactly(new LeftOut("late", "to", false));
        assertThat(starts.claim(planned, starts.leftOut(planned), "ada", "")).isPresent();
    }

    @Test
    void aRequestKnowsThatItHadClaimedTheStartUnlessThatWasRefused() {
        RequestClaim request = new RequestClaim(UUID.randomUUID(), "key");
        new IdempotencyStore(jdbi).claim(request.token(), request.key(), "POST /x", new byte[] {1});
        RequestClaim.hold(request);
        try {
            assertThat(starts.claimedByThisRequest()).isFalse();
            Claim claim = claim();
            assertThat(starts.claimedByThisRequest()).isTrue();
            starts.withdraw(claim);
            assertThat(starts.claimedByThisRequest()).isFalse();
        } finally {
            RequestClaim.hold(null);
        }
        assertThat(starts.claimedByThisRequest()).as("without a key").isFalse();
    }

    private Claim claim() {
        return starts.claim(migrations.get("m"), List.of(), "ada", "").orElseThrow();
    }

    private List<String> events() {
        return audit.events("m", 0, 100).stream().map(AuditLog.Event::event).toList();
    }
}

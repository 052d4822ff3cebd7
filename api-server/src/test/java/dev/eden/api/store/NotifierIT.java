package dev.eden.api.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.eden.api.config.Receiver;
import dev.eden.api.json.Json;
import dev.eden.api.notify.NotificationKind;
import dev.eden.api.notify.Notifier;
import dev.eden.api.notify.Notifier.Terms;
import dev.eden.api.notify.ReceivingServer;
import dev.eden.api.notify.ReceivingServer.Received;
import dev.eden.api.store.MigrationDefinition.Notify;
import dev.eden.api.temporal.WebUi;
import dev.eden.workflows.Strategy;
import dev.eden.workflows.activity.DirectoryActivities.PhaseRecord;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What stands in the audit log reaches receivers: in order, from one server at a time, and again where nobody knows whether it did. */
class NotifierIT {
    private static final Terms QUICK = new Terms(
            Duration.ofMillis(20),
            Duration.ofSeconds(5),
            Duration.ofSeconds(30),
            Duration.ofMillis(20),
            Duration.ofMillis(40),
            Duration.ofHours(24));
    private static final String SECRET = "of-the-receiver-0123456789";

    private final Deque<AutoCloseable> parts = new ArrayDeque<>();
    private final MeterRegistry registry = new SimpleMeterRegistry();
    private TestDatabase database;
    private AuditLog audit;
    private MigrationStore migrations;
    private MigrationRecorder recorder;
    private NotificationStore store;

    @BeforeEach
    void start() {
        database = TestDatabase.start();
        parts.push(database);
        Jdbi jdbi = database.jdbi();
        audit = new AuditLog(jdbi);
        migrations = new MigrationStore(jdbi, audit, (_, _) -> () -> {});
        recorder = new MigrationRecorder(jdbi, audit, null, () -> "run");
        store = new NotificationStore(jdbi, audit);
    }

    @AfterEach
    void stop() throws Exception {
        while (!parts.isEmpty()) {
            parts.pop().close();
        }
    }

    @Test
    void whatIsRefusedIsTriedAgainAndNothingOvertakesIt() throws Exception {
        ReceivingServer hook = hook("/hook").answering(number -> number == 0 ? 500 : number == 1 ? 302 : 200);
        create("m", "oncall");
        notifier(QUICK, registry, hook.as("oncall", SECRET));
        long parked = record("m", 1, "step_failed", "replicating", "needs_operator", "ReplicationStopped: too large");
        record("m", 2, "command.resume", "needs_operator", "replicating", "");
        record("m", 3, "phase_changed", "baking", "completed", "");

        await().untilAsserted(() -> assertThat(hook.kinds()).containsExactly("needs_operator", "completed"));
        List<Received> all = hook.received();
        assertThat(all).extracting(Received::status).containsExactly(500, 302, 200, 200);
        assertThat(all).extracting(Received::path).as("no redirect is followed").containsOnly("/hook");
        assertThat(all.subList(0, 3))
                .as("the same, so that a repeat is known")
                .extracting(Received::id)
                .containsOnly(parked);
        assertThat(all.getFirst().json()).isEqualTo(all.get(2).json());
        assertThat(all).extracting(Received::key).allMatch(key -> key.matches("[0-9a-f]{64}"));
        assertThat(Json.mapper().valueToTree(audit.events("m", 0, 1).getFirst()).has("hash"))
                .as("of the chain: as it was, the API shows none")
                .isFalse();
        assertThat(new HashSet<>(all.stream().map(Received::key).toList())).hasSize(2);
        assertThat(all.getFirst().json().path("code").asText()).isEqualTo("replication-stopped");
        assertThat(all.getFirst().json().path("runbook").asText()).isEqualTo("docs/operating.md#replicationstopped");
        assertThat(all.getFirst().json().path("phase").asText()).isEqualTo("needs_operator");
        assertThat(all.getFirst().json().path("text").asText()).contains("migration m", "too large");
        assertThat(all.getFirst().json().at("/links/status").asText())
                .isEqualTo("https://eden.example/api/v1/migrations/m/status");
        assertThat(all.getFirst().json().at("/links/temporal_ui").asText())
                .isEqualTo("https://temporal/namespaces/default/workflows/migration%2Fm");
        assertThat(all).allSatisfy(NotifierIT::isSigned);
        assertThat(counted("retried")).isEqualTo(2);
        assertThat(counted("delivered")).isEqualTo(2);
        assertThat(counted("given_up")).isZero();
    }

    @Test
    void twoServersOnOneStoreTellEachEventOnce() throws Exception {
        ReceivingServer hook = hook("/");
        for (int i = 0; i < 8; i++) {
            create("m" + i, "oncall", "chat");
        }
        for (int server = 0; server < 2; server++) {
            notifier(QUICK, registry, hook.as("oncall", null), hook.as("chat", null));
        }
        int revision = 1;
        for (int round = 0; round < 5; round++, revision += 2) {
            for (int i = 0; i < 8; i++) {
                record("m" + i, revision, "phase_changed", "cutting_over", "baking", "round " + round);
                record("m" + i, revision + 1, "command.rollback", "baking", "rolling_back", "round " + round);
            }
        }
        await().untilAsserted(() -> assertThat(hook.taken()).hasSize(8 * 2 * 5 * 2));
        assertThat(hook.taken().getFirst().signature())
                .as("no secret, no signature")
                .isNull();
        for (int i = 0; i < 8; i++) {
            String migration = "m" + i;
            List<Long> ids = hook.taken().stream()
                    .filter(one -> one.json().path("migration").asText().equals(migration))
                    .map(Received::id)
                    .toList();
            List<Long> once = ids.stream().distinct().toList();
            assertThat(once).as("in order").isSorted().hasSize(10);
            assertThat(ids).as("once for each of the two").hasSize(20);
        }
        assertThat(counted("delivered")
                        + registry.counter("eden_notifications", "receiver", "chat", "outcome", "delivered")
                                .count())
                .isEqualTo(160);
    }

    /** A server that dies between the receiver's answer and the store's has sent, and nobody knows. */
    @Test
    void whatADeadServerHasSentIsSentAgainUnderTheSameId() throws Exception {
        ReceivingServer hook = hook("/");
        create("m", "oncall");
        long first = record("m", 1, "phase_changed", "cutting_over", "baking", "");
        // A kill -9 behind the request leaves just this: a claim that nobody settles.
        NotificationStore.Claim dead =
                store.claim("oncall", Duration.ofMillis(1_500)).orElseThrow();
        assertThat(store.claim("oncall", Duration.ofSeconds(30)))
                .as("nobody else's meanwhile")
                .isEmpty();
        notifier(QUICK, registry, hook.as("oncall", null));
        await().untilAsserted(() -> assertThat(hook.taken()).hasSize(1));
        assertThat(hook.taken().getFirst().id()).isEqualTo(first);
        assertThat(store.told(dead, first + 100))
                .as("one that was only slow changes nothing")
                .isFalse();

        // One that is ended while it sends takes its claim back, and does not wait for the answer.
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch ended = new CountDownLatch(1);
        ReceivingServer slow = hook("/");
        slow.answering(number -> {
            asked.countDown();
            if (number == 0) {
                awaitQuietly(ended);
            }
            return 200;
        });
        create("n", "slow");
        Notifier ending = notifier(QUICK, registry, slow.as("slow", null));
        long of = record("n", 1, "phase_changed", "cutting_over", "baking", "");
        asked.await();
        long begin = System.nanoTime();
        ending.close();
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(3));
        notifier(QUICK, registry, slow.as("slow", null));
        await().untilAsserted(
                        () -> assertThat(slow.taken()).extracting(Received::id).contains(of));
        ended.countDown();
        await().untilAsserted(() ->
                assertThat(slow.received()).extracting(Received::id).containsExactly(of, of));
    }

    @Test
    void whatIsNeverTakenIsGivenUpAndSaidAndThatIsToldToNobody() throws Exception {
        ReceivingServer hook = hook("/").answering(_ -> 503);
        create("m", "oncall");
        Terms impatient = new Terms(
                QUICK.look(), QUICK.timeout(), QUICK.lease(), QUICK.first(), QUICK.longest(), Duration.ofMillis(50));
        notifier(impatient, registry, hook.as("oncall", null));
        long lost = record("m", 1, "phase_changed", "cutting_over", "baking", "");
        await().untilAsserted(() -> assertThat(counted("given_up")).isPositive());
        hook.answering(_ -> 200);
        long told = record("m", 2, "phase_changed", "baking", "completed", "");
        await().untilAsserted(() -> assertThat(hook.kinds()).containsExactly("completed"));
        assertThat(hook.taken().getFirst().id()).isEqualTo(told);
        assertThat(audit.events("m", 0, 100))
                .filteredOn(event -> event.event().equals("notification.given_up"))
                .singleElement()
                .satisfies(event -> {
                    assertThat(event.reason())
                            .isEqualTo(
                                    "receiver oncall was not told of event " + lost + ": it answers with status 503");
                    assertThat(event.phase()).isNotNull();
                    assertThat(NotificationKind.of(event)).isEmpty();
                });
        assertThat(new AuditChain(database.jdbi()).verify().intact()).isTrue();
        await("nothing is left to be told")
                .untilAsserted(() -> assertThat(untold()).isZero());
        assertThat(hook.taken()).hasSize(1);
    }

    /** Of a backlog, too, each is tried as patiently as the first. */
    @Test
    void whatComesBehindSomethingGivenUpIsTriedAnew() throws Exception {
        ReceivingServer hook = hook("/").answering(_ -> 503);
        create("m", "oncall");
        record("m", 1, "phase_changed", "cutting_over", "baking", "");
        long last = record("m", 2, "phase_changed", "baking", "completed", "");
        Terms impatient = new Terms(
                QUICK.look(), QUICK.timeout(), QUICK.lease(), QUICK.first(), QUICK.longest(), Duration.ofMillis(50));
        notifier(impatient, registry, hook.as("oncall", null));
        await().untilAsserted(() -> assertThat(counted("given_up")).isEqualTo(2));
        assertThat(hook.received()).filteredOn(one -> one.id() == last).hasSizeGreaterThan(1);
    }

    /** Nobody has tried meanwhile: no server was there, or none with this receiver. */
    @Test
    void timeWithoutAnybodyToTellIsNoFailureOfTheReceiver() {
        create("m", "oncall");
        record("m", 1, "phase_changed", "cutting_over", "baking", "");
        store.failed(claimed(), 0, Duration.ZERO);
        overdue("10 minutes");
        NotificationStore.Claim tried = claimed();
        assertThat(tried.failures()).isEqualTo(1);
        assertThat(tried.failingSince()).isNotNull();
        overdue("2 days");
        NotificationStore.Claim anew = claimed();
        assertThat(anew.failures()).isZero();
        assertThat(anew.failingSince()).isNull();
    }

    @Test
    void whatFailsWaitsBehindWhatIsNew() {
        create("failing", "oncall");
        record("failing", 1, "phase_changed", "cutting_over", "baking", "");
        store.failed(claimed(), 0, Duration.ZERO);
        create("fresh", "oncall");
        record("fresh", 1, "phase_changed", "cutting_over", "baking", "");
        assertThat(claimed().migration()).isEqualTo("fresh");
        assertThat(claimed().migration()).isEqualTo("failing");
    }

    /** Whoever patches it may be a server of a version that knows no receivers, and reads and writes a definition without them. */
    @Test
    void whatAnOlderServerWritesAgainForgetsNobody() throws Exception {
        ReceivingServer hook = hook("/");
        create("m", "oncall");
        database.jdbi()
                .useHandle(handle -> handle.execute("UPDATE migration SET spec = spec - 'notify' WHERE id = 'm'"));
        notifier(QUICK, registry, hook.as("oncall", null));
        record("m", 1, "phase_changed", "cutting_over", "baking", "");
        await().untilAsserted(() -> assertThat(hook.kinds()).containsExactly("cutover_committed"));

        create("later", "oncall");
        database.jdbi()
                .useHandle(handle -> handle.execute(
                        "UPDATE migration SET spec = jsonb_set(spec, '{of_a_newer_version}', '1') WHERE id = 'later'"));
        migrations.patchBeforeStart("later", strategy -> strategy.withReadPercentage(0.7), "ada", "");
        assertThat(migrations.get("later").definition().strategy().readPercentage())
                .isEqualTo(0.7);
        boolean kept = database.jdbi()
                .withHandle(handle -> handle.createQuery(
                                "SELECT spec -> 'of_a_newer_version' = '1' FROM migration WHERE id = 'later'")
                        .mapTo(Boolean.class)
                        .one());
        assertThat(kept).isTrue();
    }

    /** The flip is committed, the workflow lost: after its recovery somebody resumes, and the target owns writes. */
    @Test
    void aRecoveryTellsOnceWhatTheLostWorkflowCouldNot() throws Exception {
        ReceivingServer hook = hook("/");
        create("m", "oncall");
        record("m", 1, "recovered", "cutting_over", "needs_operator", "its workflow was gone");
        record("m", 2, "command.resume", "needs_operator", "baking", "");
        record("m", 3, "step_failed", "baking", "needs_operator", "PreconditionFailed: x");
        record("m", 4, "command.resume", "needs_operator", "baking", "");
        record("m", 5, "phase_changed", "baking", "completed", "");
        notifier(QUICK, registry, hook.as("oncall", null));
        await().untilAsserted(() -> assertThat(hook.kinds())
                .containsExactly("needs_operator", "cutover_committed", "needs_operator", "completed"));
    }

    @Test
    void anErrorEndsNobodysLoop() throws Exception {
        ReceivingServer hook = hook("/");
        create("m", "oncall");
        AtomicInteger errors = new AtomicInteger(3);
        Jdbi failing = Jdbi.create(() -> {
            if (Thread.currentThread().getName().startsWith("notifier-") && errors.getAndDecrement() > 0) {
                throw new StackOverflowError("of a test");
            }
            return database.database().dataSource().getConnection();
        });
        AuditLog log = new AuditLog(failing);
        parts.push(Notifier.start(
                List.of(hook.as("oncall", null)),
                new NotificationStore(failing, log),
                log,
                null,
                null,
                registry,
                QUICK));
        record("m", 1, "phase_changed", "cutting_over", "baking", "");
        await().untilAsserted(() -> assertThat(hook.kinds()).containsExactly("cutover_committed"));
    }

    @Test
    void oneThatHangsHoldsUpNobodyAndNothingOfTheStore() throws Exception {
        CountDownLatch over = new CountDownLatch(1);
        CountDownLatch asked = new CountDownLatch(1);
        ReceivingServer hanging = hook("/");
        hanging.answering(_ -> {
            asked.countDown();
            awaitQuietly(over);
            return 200;
        });
        ReceivingServer prompt = hook("/");
        create("m", "hanging", "prompt");
        Notifier notifier = notifier(QUICK, registry, hanging.as("hanging", null), prompt.as("prompt", null));
        record("m", 1, "phase_changed", "cutting_over", "baking", "");
        asked.await();
        await().untilAsserted(() -> assertThat(prompt.kinds()).containsExactly("cutover_committed"));
        HikariDataSource pool = (HikariDataSource) database.database().dataSource();
        await().untilAsserted(() ->
                assertThat(pool.getHikariPoolMXBean().getActiveConnections()).isZero());
        record("m", 2, "phase_changed", "baking", "completed", "");
        await().untilAsserted(() -> assertThat(prompt.kinds()).containsExactly("cutover_committed", "completed"));
        assertThat(hanging.taken()).isEmpty();
        long begin = System.nanoTime();
        notifier.close();
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(3));
        over.countDown();
    }

    /** What the former migration of an id was is not told of the next one. */
    @Test
    void aMigrationIsToldFromItsBeginningAndForgottenWithIt() throws Exception {
        ReceivingServer hook = hook("/");
        create("m", "oncall");
        record("m", 1, "phase_changed", "cutting_over", "baking", "of the former");
        database.jdbi().useHandle(handle -> handle.execute("DELETE FROM migration WHERE id = 'm'"));
        create("m", "oncall");
        record("m", 2, "phase_changed", "baking", "completed", "of this one");
        notifier(QUICK, registry, hook.as("oncall", null));
        await().untilAsserted(() -> assertThat(hook.taken())
                .singleElement()
                .satisfies(one -> assertThat(one.json().path("reason").asText()).isEqualTo("of this one")));
        assertThat(store.unknown(Set.of())).as("it has ended").isEmpty();
        create("open", "nobody");
        assertThat(store.unknown(Set.of("oncall"))).containsExactly("nobody");
    }

    private ReceivingServer hook(String path) throws IOException {
        ReceivingServer hook = ReceivingServer.start(path);
        parts.push(hook);
        return hook;
    }

    private Notifier notifier(Terms terms, MeterRegistry meters, Receiver... receivers) {
        Notifier notifier = Notifier.start(
                List.of(receivers),
                new NotificationStore(database.jdbi(), audit),
                audit,
                "https://eden.example/",
                Objects.requireNonNull(WebUi.of("https://temporal/", "default")),
                meters,
                terms);
        parts.push(notifier);
        return notifier;
    }

    private NotificationStore.Claim claimed() {
        return store.claim("oncall", Duration.ofSeconds(30)).orElseThrow();
    }

    private void overdue(String time) {
        database.jdbi()
                .useHandle(handle -> handle.execute(
                        "UPDATE notification SET due_at = clock_timestamp() - CAST(? AS interval)", time));
    }

    private double counted(String outcome) {
        return registry.counter("eden_notifications", "receiver", "oncall", "outcome", outcome)
                .count();
    }

    /** Rows that somebody still has to look at. */
    private long untold() {
        return database.jdbi()
                .withHandle(handle -> handle.createQuery("""
                        SELECT count(*) FROM notification n
                        WHERE n.position < (SELECT max(a.position) FROM audit_log a WHERE a.migration = n.migration)""").mapTo(Long.class).one());
    }

    private void create(String id, String... receivers) {
        TestDatabase.create(
                migrations,
                id,
                new Strategy(
                        "canary",
                        0.1,
                        "session",
                        5,
                        List.of(),
                        new Strategy.WriteMode("dual_write", null, "source", null)),
                new Notify(List.of(receivers), NotificationKind.usual()));
    }

    /** As a workflow does, which was in {@code before}; the id of the entry. */
    private long record(String id, long revision, String event, String before, String phase, String reason) {
        database.jdbi().useHandle(handle -> handle.execute("UPDATE migration SET phase = ? WHERE id = ?", before, id));
        recorder.record(
                new PhaseRecord(id, revision, phase, "{}", "eden", event.replace("command.", ""), reason, null));
        return audit.events(id, 0, 1_000).getLast().id();
    }

    /** As docs/guide/notifications.md tells receivers to do. */
    private static void isSigned(Received one) {
        String[] parts = Objects.requireNonNull(one.signature()).split(",");
        String seconds = parts[0].substring("t=".length());
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(SECRET.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
            byte[] expected = mac.doFinal((seconds + "." + one.body()).getBytes(StandardCharsets.UTF_8));
            assertThat(parts[1]).isEqualTo("v1=" + HexFormat.of().formatHex(expected));
        } catch (java.security.GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
        assertThat(Long.parseLong(seconds))
                .isBetween(System.currentTimeMillis() / 1_000 - 60, System.currentTimeMillis() / 1_000 + 1);
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

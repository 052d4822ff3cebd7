package dev.eden.activities.redis.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.copy.CopyPace;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.acl.EdenUsers;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.proxy.redis.CommandTable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Units of a log against a real server: what a successor makes of what it finds, and what is not carried. */
@Timeout(60)
class ApplierIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Pair pair = Pair.start();
    private final RespConnection to = pair.connect("target");
    private final RespConnection green = pair.connect("target");
    private final UnitQueue queue = new UnitQueue(1 << 20);
    private final TtlFilter filter = new TtlFilter(4_096);
    private final SourceReads source = new SourceReads(
            pair.endpoint("source"),
            () -> EdenUsers.controlLogin(Pair.MIGRATION, pair.endpoint("source"), pair.records),
            "test");
    private final StreamEffects effects = new StreamEffects(CommandTable.bundled(), filter);

    @AfterEach
    void stop() {
        source.close();
        to.close();
        green.close();
        pair.close();
    }

    @Test
    void anExpiryOfAFieldEndsItBehindWhatCameBefore() throws Exception {
        Applier applier = from(100, 100);
        put(110, "SET a 1");
        put(120, "HPEXPIREAT h 1900000000000 FIELDS 1 f");
        put(130, "SET b 1");
        assertThatThrownBy(applier::run)
                .isInstanceOf(ReplicationStopped.class)
                .hasMessageContaining("single fields expire")
                .hasMessageContaining("HPEXPIREAT")
                .hasMessageContaining("\"h\"");
        assertThat(green.call("GET", "a").text()).isEqualTo("1");
        assertThat(green.call("EXISTS", "h", "b").number()).isZero();
        assertThat(marker().state()).isEqualTo(AppliedMarker.INCOMPLETE);
        assertThat(marker().offset()).isEqualTo(110);
    }

    /** Its reply was never seen: executed or refused, a successor can't tell. */
    @Test
    void whatNamesNoKeysIsNotPassedOver() throws Exception {
        Applier applier = from(120, 110);
        put(120, "SWAPDB 1 2");
        assertThatThrownBy(applier::run).isInstanceOf(LogLostException.class).hasMessageContaining("SWAPDB");
    }

    @Test
    void whatNamesNoKeysIsNotPassedOverWithinATransaction() throws Exception {
        Applier applier = from(120, 110);
        put(120, "FLUSHDB", "SET a 1");
        assertThatThrownBy(applier::run).isInstanceOf(LogLostException.class);
    }

    /** Its reply was seen while a key before it was still doubtful. */
    @Test
    void whatWasAnsweredIsPassedOver() throws Exception {
        Applier applier = from(120, 110, 120);
        put(120, "SWAPDB 1 2");
        put(130, "SET b 1");
        put(140, "SWAPDB 1 2");
        running(applier, () -> await().atMost(PATIENCE).until(() -> marker().answered() == 140));
        assertThat(green.call("GET", "b").text()).isEqualTo("1");
        green.call("HSET", ReplicationLedger.appliedKey(Pair.MIGRATION), "epoch", "2");
        assertThat(marker().answered()).as("of another direction").isZero();
    }

    /** Passing over the first of them tells nothing of the second. */
    @Test
    void whatIsPassedOverAnswersForNothingBehindIt() throws Exception {
        Applier applier = from(130, 110);
        put(120, "SWAPDB 1 2");
        put(130, "SWAPDB 3 4");
        assertThatThrownBy(applier::run).isInstanceOf(LogLostException.class);
        assertThat(marker().answered()).isLessThan(130);
    }

    /** Where its keys are known they are copied, here from a server whose log is not the one. */
    @Test
    void whatOnlyTheFollowedServerNamesTheKeysOfCostsNoLoad() throws Exception {
        try (RespConnection blue = pair.connect("source")) {
            blue.call("SET", "doc", "new");
        }
        Applier applier = from(120, 110);
        unknown(120, "JSON.SET", "doc");
        assertThatThrownBy(applier::run).as("no lost log").hasMessageContaining("before what it sent");
    }

    /** An index, say, that the server calls a key: to copy it would be to delete a key, and the index would be missing without a word. */
    @Test
    void whatTheFollowedServerCallsAKeyAndIsNoneIsNotPassedOver() throws Exception {
        Applier applier = from(120, 110);
        unknown(120, "FT.CREATE", "index");
        assertThatThrownBy(applier::run).isInstanceOf(LogLostException.class).hasMessageContaining("FT.CREATE");
    }

    /** A command that no table has, but the followed server's, which says that its first argument is a key. */
    private void unknown(long end, String name, String key) throws InterruptedException {
        StreamCommand command = Logged.command(name, key, "$", "1");
        Change change = new Change(command, 0, List.of(command.argument(1)), List.of(), false, true, true, false);
        queue.put(new Unit(List.of(change), end, 0, 10));
    }

    /** Whoever executed what came behind it has seen its reply. */
    @Test
    void whatWasSeenIsPassedOver() throws Exception {
        Applier applier = from(130, 110);
        put(120, "SWAPDB 1 2");
        put(130, "SET a 1");
        put(140, "SET b 1");
        running(applier, () -> await().atMost(PATIENCE).until(() -> marker().offset() == 140));
        assertThat(green.call("EXISTS", "a").number()).isZero();
        assertThat(green.call("GET", "b").text()).isEqualTo("1");
    }

    @Test
    void whatCanBeRepeatedIs() throws Exception {
        green.call("SET", "left", 1);
        Applier applier = from(120, 110);
        put(120, "FLUSHALL");
        put(130, "SET b 1");
        running(applier, () -> await().atMost(PATIENCE).until(() -> marker().offset() == 130));
        assertThat(green.call("EXISTS", "left").number()).isZero();
        assertThat(green.call("GET", "b").text()).isEqualTo("1");
    }

    /** A module's word on its keys: a copy of them would hide what was refused. */
    @Test
    void aRefusalOfWhatIsNotUnderstoodIsNotMended() throws Exception {
        green.call("HSET", "h", "f", "kept");
        Applier applier = from(100, 100);
        StreamCommand command = Logged.command("INCR", "h");
        Change change = new Change(command, 0, List.of(command.argument(1)), List.of(), false, true, true, false);
        queue.put(new Unit(List.of(change), 110, 0, 10));
        assertThatThrownBy(applier::run).isInstanceOf(ReplicationStopped.class).hasMessageContaining("refused INCR");
        assertThat(green.call("HGET", "h", "f").text()).isEqualTo("kept");
        assertThat(marker().position()).isEqualTo(100);
    }

    private void put(long end, String... commands) throws InterruptedException {
        List<Change> changes = new ArrayList<>();
        for (String command : commands) {
            changes.add(effects.classify(Logged.command(command.split(" ")), 0));
        }
        queue.put(new Unit(changes, end, 0, 10));
    }

    private Applier from(long position, long offset) {
        return from(position, offset, 0);
    }

    private Applier from(long position, long offset, long answered) {
        AppliedMarker found = new AppliedMarker("streaming", "log", position, 0, offset, 0, 1, 1, answered);
        return new Applier(Pair.MIGRATION, to, queue, source, filter, found, new CopyPace(), 0);
    }

    private AppliedMarker marker() {
        return AppliedMarker.read(green, Pair.MIGRATION)
                .orElseGet(() -> new AppliedMarker("", "", 0, 0, 0, 0, 0, 0, 0));
    }

    private static void running(Applier applier, Runnable body) throws InterruptedException {
        Thread thread = Thread.ofPlatform().start(() -> {
            try {
                applier.run();
            } catch (InterruptedException | LogLostException e) {
                throw new IllegalStateException(e);
            }
        });
        try {
            body.run();
        } finally {
            applier.stop();
            thread.join();
        }
    }
}

package dev.eden.activities.redis.replication;

import dev.eden.activities.copy.CopyPace;
import dev.eden.activities.copy.SourcePing;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.ServerInfo;
import dev.eden.activities.store.ReplicationLedger;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Brings the written server to a position from which its log can be followed: by a full load, or by what stands in its marker. */
final class StartPoint implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(StartPoint.class);

    /** Name in the server records: the epoch whose direction has a marker on the written server. */
    private static final String BEGAN = "applied:epoch";

    /** Name in the server records: how many keys the load has left to the target as it had them. */
    private static final String CONFLICTS = "load:conflicts";

    private final ReplicationConfig config;
    private final Sides sides;
    private final ReplicationLedger ledger;
    private final TtlFilter filter;
    private final CopyPace pace;
    private volatile @Nullable ReplicaLink link;
    private volatile @Nullable FullLoad load;
    private volatile long keysTotal;
    private volatile long startedNanos;
    private volatile long tookNanos;
    private volatile long conflicts;

    StartPoint(ReplicationConfig config, Sides sides, ReplicationLedger ledger, TtlFilter filter, CopyPace pace) {
        this.config = config;
        this.sides = sides;
        this.ledger = ledger;
        this.filter = filter;
        this.pace = pace;
    }

    /** The full load that runs or ran; null when there was none. */
    @Nullable
    FullLoad load() {
        return load;
    }

    /** Keys that the target has kept; also of a load that ended in another process. */
    long conflicts() {
        FullLoad loading = load;
        return loading == null ? conflicts : loading.conflicts();
    }

    long keysTotal() {
        return keysTotal;
    }

    /** Of the load, up to now or to its end. */
    long elapsedNanos() {
        long took = tookNanos;
        return took > 0 ? took : System.nanoTime() - startedNanos;
    }

    /** The link on which the log follows the load; null after a resume. */
    @Nullable
    ReplicaLink takeLink() {
        ReplicaLink open = link;
        link = null;
        return open;
    }

    /** {@code own}: with the applier's identity; {@code fresh}: another in its place. Blocks for as long as the load takes. */
    AppliedMarker reach(RespConnection own, Supplier<RespConnection> fresh) throws IOException, InterruptedException {
        return sides.direction().loaded() ? resume(own) : load(own, fresh);
    }

    @Override
    public void close() {
        ReplicaLink open = link;
        if (open != null) {
            open.close();
        }
        FullLoad loading = load;
        if (loading != null) {
            loading.close();
        }
    }

    private AppliedMarker resume(RespConnection own) throws IOException {
        conflicts = sides.records()
                .get(sides.migration(), sides.to().id(), CONFLICTS)
                .map(Long::parseLong)
                .orElse(0L);
        ReplicationLedger.Direction direction = sides.direction();
        filter.saturate();
        Optional<AppliedMarker> found =
                AppliedMarker.read(own, sides.migration()).filter(m -> m.epoch() == direction.epoch());
        if (found.isPresent() && found.get().state().equals("streaming")) {
            return found.get().withGeneration(sides.generation());
        }
        if (found.isPresent() && found.get().state().equals(AppliedMarker.INCOMPLETE)) {
            throw new LogLostException(sides.to().id() + " has not all of the log up to where it stands");
        }
        if (began()) {
            throw new LogLostException(sides.to().id() + " has lost what was written to it");
        }
        String replid = direction.startReplid();
        if (replid == null) {
            throw new ReplicationStopped("the log's beginning is not known");
        }
        if (!unbroken()) {
            throw new LogLostException(sides.to().id() + " was restarted at the flip: nothing tells what it still has");
        }
        return begin(own, replid, direction.startOffset());
    }

    private AppliedMarker load(RespConnection own, Supplier<RespConnection> fresh)
            throws IOException, InterruptedException {
        startedNanos = System.nanoTime();
        LoadTarget.prepare(own, config, sides.direction().epoch(), sides.generation());
        try (RespConnection control = sides.connectFrom("control")) {
            keysTotal = ServerInfo.read(control, "keyspace").keysByDatabase().values().stream()
                    .mapToLong(Long::longValue)
                    .sum();
        }
        ReplicaLink open = sides.connectLink();
        link = open;
        FullLoad loading = new FullLoad(
                config.lanes(),
                _ -> sides.connectApplier(),
                pace,
                filter,
                config.existing() == ReplicationConfig.Existing.SKIP,
                "eden-load-" + sides.migration());
        load = loading;
        try (loading;
                SourcePing _ = new SourcePing(sides.migration(), pace, this::ping)) {
            if (!(open.psync(null, 0) instanceof ReplicaLink.Start.Full start)) {
                throw new IOException("the server did not announce a full copy");
            }
            if (config.existing() == ReplicationConfig.Existing.SKIP) {
                LoadTarget.begin(own, config, sides.direction().epoch(), sides.generation());
            }
            open.readRdb(loading, config.maxValueBytes(), start.offset());
            open.acknowledge(start.offset());
            loading.finish();
            tookNanos = System.nanoTime() - startedNanos;
            conflicts = loading.conflicts();
            sides.records().put(sides.migration(), sides.to().id(), CONFLICTS, Long.toString(conflicts));
            // The one from before has said nothing since: the server, or what is on the way there, may have closed it.
            AppliedMarker marker = begin(fresh.get(), start.replid(), start.offset());
            ledger.loaded(
                    sides.migration(), sides.direction().epoch(), sides.generation(), start.replid(), start.offset());
            LOGGER.atInfo()
                    .addKeyValue("migration", sides.migration())
                    .log("full load: {} keys in {} ms", loading.keysDone(), TimeUnit.NANOSECONDS.toMillis(tookNanos));
            return marker;
        }
    }

    private SourcePing.Connection ping() {
        RespConnection connection = sides.connectFrom("ping");
        return new SourcePing.Connection(() -> connection.call("PING"), connection::close);
    }

    /** The first marker of a direction; the record tells a server that was never written from one that lost its data. */
    private AppliedMarker begin(RespConnection own, String replid, long offset) throws IOException {
        AppliedMarker marker = new AppliedMarker(
                "streaming", replid, offset, 0, offset, 0, sides.direction().epoch(), sides.generation(), 0);
        RespBuffer buffer = new RespBuffer(512);
        marker.write(buffer, AppliedMarker.key(sides.migration()));
        buffer.writeTo(own.output());
        own.read().number();
        sides.records().put(sides.migration(), sides.to().id(), BEGAN, Long.toString(marker.epoch()));
        return marker;
    }

    private boolean unbroken() {
        try (RespConnection control = sides.connectTo("control")) {
            return ServerRun.unbroken(
                    control, sides.records(), sides.migration(), sides.to().id());
        }
    }

    private boolean began() {
        return sides.records()
                .get(sides.migration(), sides.to().id(), BEGAN)
                .map(epoch -> epoch.equals(Long.toString(sides.direction().epoch())))
                .orElse(false);
    }
}

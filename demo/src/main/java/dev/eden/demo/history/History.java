package dev.eden.demo.history;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;

/** Everything that the clients of one run did and saw. */
public final class History {

    /** A time span in microseconds since the history began. */
    public record Window(long from, long to) {
        /** True where the span and {@code [from, to]} have a moment in common. */
        public boolean overlaps(long otherFrom, long otherTo) {
            return from <= otherTo && otherFrom <= to;
        }
    }

    /** Takes the operations of one cell. */
    public interface CellConsumer {
        void accept(int cell, List<Operation> operations);
    }

    private final long originNanos;
    private final long originEpochMicros;
    private final List<OperationLog> logs = new ArrayList<>();
    private final List<Window> sessionOnly = new ArrayList<>();

    /** Begins now. */
    public History() {
        this.originEpochMicros = ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
        this.originNanos = System.nanoTime();
    }

    /** A log for one more client; ids must be unique. */
    public synchronized OperationLog open(int client) {
        OperationLog log = new OperationLog(client, originNanos);
        logs.add(log);
        return log;
    }

    public synchronized List<OperationLog> logs() {
        return List.copyOf(logs);
    }

    /**
     * Between these moments reads may be served by a copy: a read is then only held against what its own connection has read
     * or written. At all other times it is held against everything that anybody had been told.
     */
    public synchronized void sessionOnly(Window window) {
        sessionOnly.add(window);
    }

    public synchronized List<Window> sessionOnlyWindows() {
        return List.copyOf(sessionOnly);
    }

    /** Microseconds since the history began. */
    public long now() {
        return (System.nanoTime() - originNanos) / 1000;
    }

    /** Translates {@link System#nanoTime()} to microseconds since the history began. */
    public long micros(long nanos) {
        return Math.floorDiv(nanos - originNanos, 1000L);
    }

    /** Translates wall-clock microseconds of this machine to microseconds since the history began (exact to about 1 ms). */
    public long fromEpochMicros(long epochMicros) {
        return epochMicros - originEpochMicros;
    }

    /** All operations by cell, each cell's in no particular order; cells without operations are left out. */
    public void forEachCell(int cells, CellConsumer consumer) {
        List<OperationLog> all = logs();
        int[] starts = new int[cells + 1];
        for (OperationLog log : all) {
            for (int i = 0; i < log.size(); i++) {
                starts[log.cellAt(i) + 1]++;
            }
        }
        for (int cell = 0; cell < cells; cell++) {
            starts[cell + 1] += starts[cell];
        }
        long[] references = new long[starts[cells]];
        int[] next = starts.clone();
        for (int l = 0; l < all.size(); l++) {
            OperationLog log = all.get(l);
            for (int i = 0; i < log.size(); i++) {
                references[next[log.cellAt(i)]++] = (long) l << 32 | i;
            }
        }
        for (int cell = 0; cell < cells; cell++) {
            if (starts[cell] == starts[cell + 1]) {
                continue;
            }
            List<Operation> operations = new ArrayList<>(starts[cell + 1] - starts[cell]);
            for (int r = starts[cell]; r < starts[cell + 1]; r++) {
                operations.add(all.get((int) (references[r] >>> 32)).get((int) references[r]));
            }
            consumer.accept(cell, operations);
        }
    }
}

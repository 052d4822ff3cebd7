package dev.eden.api.metrics;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/**
 * How fast the stream of changes goes on, from the positions that replication tells: bytes of the active side's log a second. After a flip they are
 * another server's. Belongs to one thread.
 */
final class StreamRate {
    private static final long WINDOW_MILLIS = 10_000;

    private final Map<String, Deque<Position>> all = new HashMap<>();

    private record Position(long epoch, long offset, long atMillis) {}

    /** 0 where one position only is known. */
    double perSecond(String migration, long epoch, long offset, long atMillis) {
        Deque<Position> positions = all.computeIfAbsent(migration, _ -> new ArrayDeque<>());
        Position last = positions.peekLast();
        if (last != null && (last.epoch() != epoch || offset < last.offset() || atMillis < last.atMillis())) {
            positions.clear();
        } else if (last != null && last.atMillis() == atMillis) {
            positions.removeLast();
        }
        positions.addLast(new Position(epoch, offset, atMillis));
        while (positions.size() > 2 && atMillis - positions.getFirst().atMillis() > WINDOW_MILLIS) {
            positions.removeFirst();
        }
        Position first = positions.getFirst();
        long millis = atMillis - first.atMillis();
        return millis == 0 ? 0 : (offset - first.offset()) * 1000.0 / millis;
    }

    void retain(Collection<String> migrations) {
        all.keySet().retainAll(migrations);
    }
}

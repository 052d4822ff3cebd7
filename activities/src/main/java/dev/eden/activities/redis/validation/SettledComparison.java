package dev.eden.activities.redis.validation;

import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.replication.DbKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** Compares keys, however hot, while the applier stands still at the position where the source was read. */
final class SettledComparison {
    private static final Duration LIMIT = Duration.ofSeconds(5);

    private final EqualPositions positions;
    private final RespConnection target;
    private final KeyState.Reader sourceReader;
    private final KeyState.Reader targetReader;
    private final ValueComparison values;

    SettledComparison(
            EqualPositions positions,
            RespConnection target,
            KeyState.Reader sourceReader,
            KeyState.Reader targetReader,
            ValueComparison values) {
        this.positions = positions;
        this.target = target;
        this.sourceReader = sourceReader;
        this.targetReader = targetReader;
        this.values = values;
    }

    /** Verdicts in the order of the keys; undecided only for keys that are about to expire. Throws {@link EqualPositions.UnsettledException}. */
    List<Verdict> compare(List<DbKey> keys) {
        List<Object[]> reads = new ArrayList<>();
        for (DbKey key : keys) {
            reads.add(new Object[] {"SELECT", key.database()});
            reads.addAll(sourceReader.commands(key.key()));
        }
        return positions.at(reads, LIMIT, replies -> atRest(keys, replies));
    }

    private List<Verdict> atRest(List<DbKey> keys, List<Reply> replies) {
        for (DbKey key : keys) {
            target.send("SELECT", key.database());
            targetReader.commands(key.key()).forEach(target::send);
        }
        target.flush();
        Iterator<Reply> there =
                target.read(keys.size() * (1 + targetReader.replies())).iterator();
        Iterator<Reply> here = replies.iterator();
        List<Verdict> verdicts = new ArrayList<>(keys.size());
        List<ValueComparison.Pair> pairs = new ArrayList<>(keys.size());
        for (DbKey key : keys) {
            here.next();
            there.next();
            pairs.add(new ValueComparison.Pair(key.key(), sourceReader.parse(here), targetReader.parse(there)));
        }
        for (int i = 0; i < keys.size(); i++) {
            target.call("SELECT", keys.get(i).database());
            verdicts.addAll(values.compare(List.of(pairs.get(i))));
        }
        return verdicts;
    }
}

package dev.eden.activities.redis.validation;

import dev.eden.activities.redis.replication.DbKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides about the keys that were not equal at first sight: each by itself while they are only unsettled, then with the applier at rest;
 * and has those that differ copied again.
 */
final class Suspects {
    private static final Logger LOGGER = LoggerFactory.getLogger(Suspects.class);
    private static final int WATCH_ROUNDS = 3;
    private static final int AT_REST = 16;
    private static final int ATTEMPTS = 10;
    private static final int EXPIRY_ROUNDS = 200;
    private static final int REPAIR_ROUNDS = 3;
    private static final Duration REPAIR_LIMIT = Duration.ofSeconds(30);

    private final String migration;
    private final WatchedComparison watched;
    private final Optional<SettledComparison> settled;
    private final Optional<EqualPositions> positions;
    private final ValidationTally tally;
    private final boolean repair;
    private final BooleanSupplier extrasCount;

    Suspects(
            String migration,
            WatchedComparison watched,
            Optional<SettledComparison> settled,
            Optional<EqualPositions> positions,
            ValidationTally tally,
            boolean repair,
            BooleanSupplier extrasCount) {
        this.migration = migration;
        this.watched = watched;
        this.settled = settled;
        this.positions = positions;
        this.tally = tally;
        this.repair = repair;
        this.extrasCount = extrasCount;
    }

    /** {@code keys} of one database, in the order of {@code verdicts}. */
    void decide(int database, List<byte[]> keys, List<Verdict> verdicts) {
        Map<DbKey, Verdict> open = new LinkedHashMap<>();
        for (int i = 0; i < keys.size(); i++) {
            DbKey key = new DbKey(database, keys.get(i));
            if (!(verdicts.get(i) instanceof Verdict.Equal) && !tally.knows(key)) {
                open.put(key, verdicts.get(i));
            }
        }
        if (open.isEmpty()) {
            return;
        }
        settleByWatching(database, open);
        tally.suspicious(open.size());
        if (settled.isPresent()) {
            settleAtRest(settled.get(), open);
        } else if (!open.isEmpty() && (repair || !undecided(open).isEmpty())) {
            // Another server may be the one that replicates: whoever tries next may be that one.
            throw new EqualPositions.UnsettledException(
                    open.size() + " keys can be decided only where replication runs, which is not in this process");
        }
        conclude(open);
    }

    private void settleByWatching(int database, Map<DbKey, Verdict> open) {
        for (int round = 0; round < WATCH_ROUNDS; round++) {
            List<DbKey> undecided = undecided(open);
            for (int at = 0; at < undecided.size(); at += watched.lanes()) {
                List<DbKey> some = undecided.subList(at, Math.min(at + watched.lanes(), undecided.size()));
                List<Verdict> verdicts =
                        watched.compare(database, some.stream().map(DbKey::key).toList());
                for (int i = 0; i < some.size(); i++) {
                    put(open, some.get(i), verdicts.get(i));
                }
            }
        }
    }

    /** What was found different is looked at once more this way, too: two proofs of different kinds for one repair. */
    private void settleAtRest(SettledComparison comparison, Map<DbKey, Verdict> open) {
        List<DbKey> all = new ArrayList<>(open.keySet());
        for (int at = 0; at < all.size(); at += AT_REST) {
            List<DbKey> some = all.subList(at, Math.min(at + AT_REST, all.size()));
            for (int round = 0; !some.isEmpty(); round++) {
                if (round == EXPIRY_ROUNDS) {
                    some.forEach(key ->
                            open.put(key, new Verdict.Different("ttl", "always about to expire, never equal at rest")));
                    break;
                }
                List<Verdict> verdicts = atRest(comparison, some);
                List<DbKey> again = new ArrayList<>();
                for (int i = 0; i < some.size(); i++) {
                    put(open, some.get(i), verdicts.get(i));
                    if (verdicts.get(i) instanceof Verdict.Undecided) {
                        again.add(some.get(i));
                    }
                }
                some = again;
                if (!some.isEmpty()) {
                    Pause.millis(10);
                }
            }
        }
    }

    private static List<Verdict> atRest(SettledComparison comparison, List<DbKey> keys) {
        for (int attempt = 1; ; attempt++) {
            try {
                return comparison.compare(keys);
            } catch (EqualPositions.UnsettledException e) {
                if (attempt == ATTEMPTS) {
                    throw e;
                }
                Pause.millis(20L * attempt);
            }
        }
    }

    private static void put(Map<DbKey, Verdict> open, DbKey key, Verdict verdict) {
        if (verdict instanceof Verdict.Equal) {
            open.remove(key);
        } else {
            open.put(key, verdict);
        }
    }

    private static List<DbKey> undecided(Map<DbKey, Verdict> open) {
        return open.entrySet().stream()
                .filter(entry -> entry.getValue() instanceof Verdict.Undecided)
                .map(Map.Entry::getKey)
                .toList();
    }

    private void conclude(Map<DbKey, Verdict> open) {
        Map<DbKey, Verdict.Different> different = new LinkedHashMap<>();
        open.forEach((key, verdict) -> {
            if (verdict instanceof Verdict.Different difference
                    && (extrasCount.getAsBoolean() || !difference.kind().equals("extra"))) {
                different.put(key, difference);
            }
        });
        if (different.isEmpty()) {
            return;
        }
        Map<DbKey, Verdict> remaining = new LinkedHashMap<>(different);
        if (repair && positions.isPresent() && settled.isPresent()) {
            for (int round = 0; round < REPAIR_ROUNDS && !remaining.isEmpty(); round++) {
                recopy(positions.get(), new ArrayList<>(remaining.keySet()));
                settleAtRest(settled.get(), remaining);
            }
        }
        different.forEach((key, difference) -> {
            boolean mended = !remaining.containsKey(key);
            tally.difference(key, difference, mended);
            LOGGER.atWarn()
                    .addKeyValue("migration", migration)
                    .addKeyValue("key", key)
                    .addKeyValue("kind", difference.kind())
                    .log("difference {}: {}", mended ? "repaired" : "remains", difference.detail());
        });
    }

    private static void recopy(EqualPositions positions, List<DbKey> keys) {
        for (int attempt = 1; ; attempt++) {
            try {
                positions.recopy(keys, REPAIR_LIMIT);
                return;
            } catch (EqualPositions.UnsettledException e) {
                if (attempt == ATTEMPTS) {
                    throw e;
                }
                Pause.millis(20L * attempt);
            }
        }
    }
}

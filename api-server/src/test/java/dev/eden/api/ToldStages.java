package dev.eden.api;

import dev.eden.activities.store.StageLedger;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

/** Keeps what it is told, and nothing of stages. */
public final class ToldStages implements StageLedger {
    public final List<String> differences = new CopyOnWriteArrayList<>();
    public final List<String> delays = new CopyOnWriteArrayList<>();

    @Override
    public Optional<Counted> counted(String migration, long bakedAtMillis) {
        return Optional.empty();
    }

    @Override
    public void save(String migration, long bakedAtMillis, Counted counted) {}

    @Override
    public void waits(String migration, long bakedAtMillis, String why) {}

    @Override
    public void differ(String migration, long mismatched, String why) {
        differences.add(mismatched + ": " + why);
    }

    @Override
    public void delayed(String migration, String why) {
        delays.add(why);
    }
}

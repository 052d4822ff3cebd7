package dev.eden.workflows.worker;

import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.activity.PreparationActivities;

/** Preparation under {@link Liveness}. */
final class LivePreparation implements PreparationActivities {
    private final PreparationActivities preparation;

    LivePreparation(PreparationActivities preparation) {
        this.preparation = preparation;
    }

    @Override
    public Preflight preflight(MigrationSpec spec) {
        return Liveness.whileRunning(() -> preparation.preflight(spec));
    }

    @Override
    public CopyForecast forecast(MigrationSpec spec) {
        return Liveness.whileRunning(() -> preparation.forecast(spec));
    }

    @Override
    public void prepare(MigrationSpec spec) {
        Liveness.whileRunning(() -> {
            preparation.prepare(spec);
            return true;
        });
    }
}

package dev.eden.api.metrics;

import dev.eden.api.metrics.MigrationFigures.Running;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;

/** The meters of migrations, of their flips, and of the proxies that have joined, as the store has them. */
final class MigrationMeters {
    private final MeterRegistry registry;
    private final MigrationFigures figures;
    private final StreamRate stream = new StreamRate();
    private final List<Shown> shown = new ArrayList<>();
    private final TaggedGauge running;
    private final TaggedGauge attempts;
    private final TaggedGauge pause;
    private final TaggedGauge longest;
    private final TaggedGauge all;
    private final TaggedGauge presence;

    MigrationMeters(MeterRegistry registry, Jdbi jdbi) {
        this.registry = registry;
        this.figures = new MigrationFigures(jdbi);
        show(
                "eden_replication_lag_ms",
                "age of the oldest source position not applied yet, in milliseconds",
                Running::lagMillis);
        show(
                "eden_replication_streaming",
                "1 while replication keeps the standby current",
                one -> one.cleaning() ? null : flag(one.streaming()));
        show("eden_replication_keys_done", "keys or rows copied by the full load", Running::keysDone);
        show("eden_replication_keys_expected", "keys or rows that the full load has to copy", Running::keysTotal);
        show("eden_migration_progress_percent", "of the full load, what is copied, in percent", Running::progress);
        show("eden_replication_rate", "keys or rows a second that the full load copies", Running::rate);
        show("eden_replication_stream_rate", "bytes of changes a second that the standby applies", this::streamed);
        show(
                "eden_replication_retained_bytes",
                "log that the owner of writes keeps for the other server",
                Running::retainedBytes);
        show("eden_validation_differences", "differences that the last comparison has left", Running::differences);
        show(
                "eden_data_consistency_percent",
                "of what the last comparison compared, what is equal, in percent",
                Running::consistency);
        show(
                "eden_validation_rate",
                "keys or rows a second that the last comparison compared",
                Running::comparedPerSecond);
        show("eden_migration_paused", "1 for a running migration that is paused", one -> flag(one.paused()));
        show(
                "eden_migration_failed",
                "1 for a running migration that is paused because a step has failed",
                one -> flag(one.failed()));
        show(
                "eden_migration_cleaning_up",
                "1 for a running migration of which nothing is left to do but to clean up its two servers",
                one -> flag(one.cleaning()));
        this.running = gauge("eden_migration_running", "1 for a migration that has been started and has not ended");
        this.attempts = gauge("eden_cutover_attempts", "attempts to flip, by direction and outcome");
        this.pause = gauge("eden_cutover_pause_ms", "pause of the last committed flip, in milliseconds");
        this.longest = gauge("eden_cutover_pause_ms_max", "longest pause of a committed flip, in milliseconds");
        this.all = gauge("eden_migrations", "migrations by phase, ended ones too");
        this.presence = gauge("eden_proxies", "proxies that have joined; silent ones stand in the way of a cutover");
    }

    /** One figure of each running migration; null: not shown. */
    private record Shown(TaggedGauge gauge, Function<Running, @Nullable Number> value) {}

    private void show(String name, String description, Function<Running, @Nullable Number> value) {
        shown.add(new Shown(gauge(name, description), value));
    }

    private TaggedGauge gauge(String name, String description) {
        return new TaggedGauge(registry, name, description);
    }

    private static int flag(boolean on) {
        return on ? 1 : 0;
    }

    private @Nullable Number streamed(Running migration) {
        MigrationFigures.Position at = migration.position();
        return at == null || !migration.streaming()
                ? null
                : stream.perSecond(migration.migration(), at.epoch(), at.applied(), at.millis());
    }

    void refresh() {
        List<Running> migrations = figures.running();
        stream.retain(migrations.stream().map(Running::migration).toList());
        for (Shown one : shown) {
            Map<Tags, Number> values = new HashMap<>();
            for (Running migration : migrations) {
                Number value = one.value().apply(migration);
                if (value != null) {
                    values.put(Tags.of("migration", migration.migration()), value);
                }
            }
            one.gauge().set(values);
        }
        set(running, migrations, one -> Tags.of("migration", one.migration(), "phase", one.phase()), _ -> 1);
        set(
                attempts,
                figures.attempts(),
                one -> Tags.of("migration", one.migration(), "direction", one.direction(), "outcome", one.outcome()),
                one -> one.count());
        List<MigrationFigures.Pause> pauses = figures.pauses();
        set(pause, pauses, MigrationMeters::flips, one -> one.millis());
        set(longest, pauses, MigrationMeters::flips, one -> one.longest());
        set(all, figures.phases(), one -> Tags.of("phase", one.phase()), one -> one.migrations());
        Map<Tags, Number> joined = new HashMap<>();
        for (MigrationFigures.Proxies one : figures.proxies()) {
            Tags tags = Tags.of("interlay", one.interlay());
            joined.put(tags.and("state", "alive"), one.alive());
            joined.put(tags.and("state", "silent"), one.silent());
        }
        presence.set(joined);
    }

    private static Tags flips(MigrationFigures.Pause one) {
        return Tags.of("migration", one.migration(), "direction", one.direction());
    }

    private static <T> void set(TaggedGauge gauge, List<T> figures, Function<T, Tags> tags, Function<T, Number> value) {
        Map<Tags, Number> values = new HashMap<>();
        figures.forEach(one -> values.put(tags.apply(one), value.apply(one)));
        gauge.set(values);
    }
}

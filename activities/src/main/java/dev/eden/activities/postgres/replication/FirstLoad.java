package dev.eden.activities.postgres.replication;

import dev.eden.activities.copy.CopyPace;
import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.UserTables;
import dev.eden.proxy.Failpoints;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * From empty tables to a subscription that has nothing left to copy, over any number of runs: {@link #copy} as long as there is no subscription, then
 * {@link #copyTheRest}. {@link #progress} may be called from any thread.
 *
 * @see FullLoad
 */
final class FirstLoad {
    private static final Logger LOGGER = LoggerFactory.getLogger(FirstLoad.class);

    private final Pair pair;
    private final long epoch;
    private final boolean copies;
    private final CopyPace pace;
    private final Consumer<PostgresSession> opened;
    private final Map<String, Long> seen = new HashMap<>();
    private volatile LoadProgress load = LoadProgress.NONE;
    private volatile @Nullable FullLoad loading;

    /** {@code epoch} of the route. {@code copies}: rows too; else the target has them by other means. {@code opened} is told each session, so that another thread can end what takes long. */
    FirstLoad(Pair pair, long epoch, boolean copies, CopyPace pace, Consumer<PostgresSession> opened) {
        this.pair = pair;
        this.epoch = epoch;
        this.copies = copies;
        this.pace = pace;
        this.opened = opened;
    }

    LoadProgress progress() {
        FullLoad running = loading;
        return running == null ? load : running.progress();
    }

    /** True when every table is complete and follows the log. */
    boolean copied(PostgresSession source, PostgresSession target) {
        LoadProgress now = LoadProgress.read(source, target, pair.names(), seen);
        load = copies ? now : now.withoutRows();
        return load.ready();
    }

    /**
     * Leaves a disabled subscription to the tables that are complete, which are all of them unless an earlier load under this slot was cut off. Nothing
     * of the target's is published before: the load does not go through the other direction's slots.
     */
    void copy(PostgresSession source, PostgresSession target) {
        Link forward = new Link(pair, Role.SOURCE);
        List<String> tables = UserTables.published(source);
        List<String> done = FullLoad.done(target, pair.names());
        boolean begun = copies && forward.hasSlot(source);
        forward.publication(source, tables);
        Failpoints.reach("load.publication");
        done.remove(pair.names().marker(Role.SOURCE));
        if (begun && !done.isEmpty()) {
            LOGGER.atInfo()
                    .addKeyValue("migration", pair.migration())
                    .log("the full load goes on: {} tables are complete", done.size());
            forward.republish(
                    source, done.stream().map(table -> "ONLY " + table).toList());
            // Its rows may be on the target or not: either way they come with the log, where none of them is changed
            // before it is made.
            source.execute("DELETE FROM " + pair.names().marker(Role.SOURCE));
        } else {
            if (!Appliers.unlessLater(
                    source,
                    pair.names(),
                    epoch,
                    () -> Links.dropSlot(source, pair.names().main()))) {
                throw new IllegalStateException("a later route has been here; epoch " + epoch + " is over");
            }
            forward.republish(source, tables);
            FullLoad whole = new FullLoad(pair, pace, opened);
            loading = whole;
            whole.run(source, target, copies ? UserTables.leaves(source) : List.of());
            load = whole.progress();
            loading = null;
        }
        Failpoints.reach("load.tables");
        forward.subscribe(target, source.major());
        Failpoints.reach("load.subscription");
    }

    /** What an earlier load had not completed, the servers copy by themselves now, at their own pace: there is no way to slow them down. */
    void copyTheRest(PostgresSession source, PostgresSession target) {
        Link forward = new Link(pair, Role.SOURCE);
        forward.republish(source, UserTables.published(source));
        List<String> unknown = forward.unknown(source, target);
        if (!unknown.isEmpty()) {
            FullLoad.empty(target, unknown);
            forward.loadTheRest(target);
            Failpoints.reach("load.rest");
        }
    }
}

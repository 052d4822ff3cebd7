package dev.eden.activities.postgres.schema;

import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresConnectionException;
import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.UserTables;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Filled on one side where they are on the other. What a view's query says to the rows of the moment is the application's affair: one that fails is left as
 * it is, with a line in the log, and a comparison names it, so that nothing cuts over to it unnoticed.
 */
public final class MaterializedViews {
    private static final Logger LOGGER = LoggerFactory.getLogger(MaterializedViews.class);

    private static final String VIEWS =
            "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                    + " WHERE c.relkind = 'm' AND c.relispopulated = ? AND " + UserTables.OWN_RELATION
                    + " ORDER BY c.oid";

    /** Of a view that reads one which is not filled yet. */
    private static final String NOT_READY = "55000";

    /** Others' locks, and whoever ends what takes long: the view has nothing to do with it. */
    private static final Set<String> PASSING = Set.of("40001", "40P01", "55P03", "57014", "57P01");

    private static final long LOOK_MILLIS = 500;

    private final Pair pair;

    public MaterializedViews(Pair pair) {
        this.pair = pair;
    }

    /** After a load. What passes is thrown, so that the step is taken again. */
    void fill(PostgresSession source, PostgresSession target) {
        Map<String, PostgresException> left = inRounds(source.texts(VIEWS, true), view -> {
            try {
                SchemaCopier.again(target, List.of(refresh(view)));
            } catch (PostgresException e) {
                if (e instanceof PostgresConnectionException || !PASSING.contains(e.sqlState())) {
                    throw e;
                }
                throw new SchemaException(view + " could not be refreshed on the target: " + e.getMessage(), e);
            }
        });
        left.forEach(this::leftEmpty);
    }

    /**
     * Tries again, on the side that follows, what a load left: the rows may be others by now, and a fence lets nobody in there who could.
     *
     * @param alive called all the time; what it throws ends it
     */
    public void fillAgain(Role followed, Runnable alive) {
        try (PostgresSession from = pair.control(followed, "schema", Duration.ZERO);
                PostgresSession to = pair.control(followed.other(), "schema", Duration.ZERO)) {
            List<String> views = empty(from, to);
            if (views.isEmpty()) {
                return;
            }
            to.execute("SET lock_timeout = '2s'");
            try (ExecutorService thread = Executors.newVirtualThreadPerTaskExecutor()) {
                Future<Map<String, PostgresException>> filling =
                        thread.submit(() -> inRounds(views, view -> to.execute(refresh(view))));
                try {
                    await(filling, alive).forEach(this::leftEmpty);
                } finally {
                    if (!filling.isDone()) {
                        to.cancel(); // or the server goes on until it has something to say
                        to.abort();
                    }
                }
            }
        }
    }

    /** Those that are filled on the one and there, but not filled, on the other. */
    static List<String> empty(PostgresSession from, PostgresSession to) {
        List<String> views = new ArrayList<>(from.texts(VIEWS, true));
        views.retainAll(to.texts(VIEWS, false));
        return views;
    }

    private static String refresh(String view) {
        return "REFRESH MATERIALIZED VIEW " + view;
    }

    /** Answers what could not be filled, and why; a view that reads others is tried again as long as others are filled. */
    private static Map<String, PostgresException> inRounds(List<String> views, Consumer<String> refresh) {
        Map<String, PostgresException> left = new TreeMap<>();
        List<String> round = views;
        while (!round.isEmpty()) {
            Map<String, PostgresException> early = new TreeMap<>();
            List<String> next = new ArrayList<>();
            int failed = left.size();
            for (String view : round) {
                try {
                    refresh.accept(view);
                } catch (PostgresConnectionException e) {
                    throw e;
                } catch (PostgresException e) {
                    if (e.sqlState().equals(NOT_READY)) {
                        early.put(view, e);
                        next.add(view);
                    } else {
                        left.put(view, e);
                    }
                }
            }
            if (next.size() + left.size() - failed == round.size()) {
                left.putAll(early);
                return left;
            }
            round = next;
        }
        return left;
    }

    private static Map<String, PostgresException> await(
            Future<Map<String, PostgresException>> filling, Runnable alive) {
        while (true) {
            try {
                return filling.get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                alive.run();
            } catch (ExecutionException e) {
                throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e.getCause());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted", e);
            }
        }
    }

    private void leftEmpty(String view, PostgresException why) {
        LOGGER.atWarn()
                .addKeyValue("migration", pair.migration())
                .log("materialized view {} is left unpopulated: {}", view, why.getMessage());
    }
}

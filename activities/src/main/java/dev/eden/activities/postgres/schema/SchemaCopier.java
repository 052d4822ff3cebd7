package dev.eden.activities.postgres.schema;

import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresConnectionException;
import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.proxy.Failpoints;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Copies a database's schema by the catalogues, over JDBC alone; what they would leave out comes before them by {@link SchemaDump} where it can. What the target has already, by kind and name, stays as it is: that makes it
 * idempotent, and lets a target be prepared with a wider schema. The load finds tables with their primary keys and no other index, and takes the key of a table that it copies whole, and that is
 * large enough, away until its rows are there; all other indexes, constraints and triggers come after it. Views are made together with what they may need: keys they group by, materialized views.
 */
public final class SchemaCopier {
    private static final Logger LOGGER = LoggerFactory.getLogger(SchemaCopier.class);
    private static final Set<String> TOO_EARLY = Set.of(
            "42P01", "42883", "42704", "42703", "42P17", "3F000", "42804", "2BP01", "42809", "42830", "42803", "55000");
    private static final Set<String> TRY_AGAIN = Set.of("40P01", "55P03", "40001", "XX000");
    private static final int TRIES = 10;
    /** Indexes that are built, and constraints that are validated, at a time. */
    private static final int BUILDERS = 2;

    private final Pair pair;
    private final Consumer<PostgresSession> opened;

    public SchemaCopier(Pair pair) {
        this(pair, session -> {});
    }

    /** {@code opened} is told each session, so that another thread can end what takes long. */
    public SchemaCopier(Pair pair, Consumer<PostgresSession> opened) {
        this.pair = pair;
        this.opened = opened;
    }

    /** Everything that the load needs, and what does not slow it. {@code betweenObjects} ends it by what it throws. */
    public void beforeLoad(Runnable betweenObjects) {
        try (PostgresSession source = pair.control(Role.SOURCE, "schema", Duration.ZERO);
                PostgresSession target = session()) {
            pair.records().requireOngoing(pair.migration());
            new SchemaDump(pair).copy(source, target, betweenObjects);
            Failpoints.reach("preparation.dump");
            // A late run finds the rows copied, and nothing would make them again.
            if (!target.is(
                    "SELECT EXISTS (SELECT FROM pg_subscription WHERE subname = ?)",
                    pair.names().main())) {
                OwnConstraints own = new OwnConstraints(pair);
                Unvalidated.drop(source, target, identities -> own.remember(target, identities));
            }
            Catalogue from = new Catalogue(source);
            Catalogue to = new Catalogue(target);
            make(target, from.schemas(), to.schemas(), betweenObjects);
            make(target, from.extensions(), to.extensions(), betweenObjects);
            make(target, needed(from), needed(to), betweenObjects);
            if (SchemaDump.done(target, pair.names())) {
                define(target, from.views(), to.views());
            }
            make(target, from.policies(), to.policies(), betweenObjects);
            Details.beforeLoad(source, target);
            Privileges.copy(source, target);
        }
    }

    /**
     * Secondary indexes, the constraints that need them, triggers, materialized views; then statistics. Runs while changes are applied. Several indexes
     * are built at a time; of one table's constraints, which keep each other waiting, one.
     */
    public void afterLoad() {
        try (PostgresSession source = pair.control(Role.SOURCE, "schema", Duration.ZERO);
                PostgresSession target = session();
                Builders builders = Builders.open(BUILDERS, this::session)) {
            Catalogue from = new Catalogue(source);
            Catalogue to = new Catalogue(target);
            List<SchemaObject> present = to.remainingIndexes();
            List<SchemaObject> missing = missing(from.remainingIndexes(), present);
            builders.run(
                    missing.stream()
                            .filter(SchemaCopier::constraint)
                            .collect(Collectors.groupingBy(SchemaCopier::table))
                            .values(),
                    object -> make(object.session(), object.wanted(), List.of()));
            builders.run(
                    missing.stream()
                            .filter(object -> !constraint(object))
                            .map(List::of)
                            .toList(),
                    object -> make(object.session(), object.wanted(), List.of()));
            Failpoints.reach("load.constraints");
            make(target, Unvalidated.of(source, target.major()), to.checks());
            make(target, from.foreignKeys(), to.foreignKeys());
            builders.run(
                    Catalogue.validations(source, target).stream()
                            .map(sql -> new SchemaObject(sql, List.of(sql)))
                            .collect(Collectors.groupingBy(SchemaCopier::validated))
                            .values(),
                    object -> object.wanted().forEach(one -> again(object.session(), one.statements())));
            Failpoints.reach("load.triggers");
            make(target, from.triggers(), to.triggers());
            make(target, from.statistics(), to.statistics());
            Details.afterLoad(source, target);
            new MaterializedViews(pair).fill(source, target);
            followRoles(source, target);
            new DatabaseDefaults(pair).copy(source, target);
            target.execute("ANALYZE");
        }
    }

    /** The database may grant something to roles that came during the load. */
    private void followRoles(PostgresSession source, PostgresSession target) {
        try {
            new RoleCopier(pair).follow(source, target, Role.TARGET);
        } catch (PostgresConnectionException e) {
            throw e;
        } catch (PostgresException e) {
            LOGGER.atWarn()
                    .addKeyValue("migration", pair.migration())
                    .addKeyValue("problem", e.getMessage())
                    .log("roles that came during the load are left to the cutover");
        }
    }

    private static boolean constraint(SchemaObject object) {
        return object.identity().startsWith("constraint ");
    }

    /** Of a constraint. That a quoted name may hold a point does not matter: a group more. */
    private static String table(SchemaObject object) {
        return object.identity().substring(0, object.identity().lastIndexOf('.'));
    }

    private static String validated(SchemaObject object) {
        return object.identity().substring(0, object.identity().indexOf(" VALIDATE "));
    }

    /**
     * By kind and name, and keys, foreign keys and unique indexes by what their columns are.
     *
     * @param wanted what the followed side has
     * @param missing what of it the other has not, or with another meaning, or not validated, or not populated
     */
    public record Comparison(List<String> wanted, List<String> missing) {}

    public Comparison compare(Role followed) {
        try (PostgresSession from = pair.control(followed, "schema", Duration.ZERO);
                PostgresSession to = pair.control(followed.other(), "schema", Duration.ZERO)) {
            List<String> wanted = all(new Catalogue(from));
            List<String> missing = new ArrayList<>(wanted);
            missing.removeAll(new HashSet<>(all(new Catalogue(to))));
            List<String> lacking = new ArrayList<>(Restrictions.of(from).lacking(Restrictions.of(to), false));
            lacking.removeAll(new HashSet<>(missing));
            missing.addAll(lacking);
            missing.addAll(Catalogue.validations(from, to));
            MaterializedViews.empty(from, to)
                    .forEach(view -> missing.add("materialized view " + view + " (not populated)"));
            return new Comparison(wanted, missing);
        }
    }

    private static List<String> all(Catalogue catalogue) {
        List<SchemaObject> objects = new ArrayList<>(needed(catalogue));
        objects.addAll(catalogue.remainingIndexes());
        objects.addAll(catalogue.foreignKeys());
        objects.addAll(catalogue.checks());
        objects.addAll(catalogue.triggers());
        objects.addAll(catalogue.policies());
        return new ArrayList<>(
                objects.stream().map(SchemaObject::identity).distinct().toList());
    }

    private static List<SchemaObject> needed(Catalogue catalogue) {
        List<SchemaObject> all = new ArrayList<>(catalogue.types());
        all.addAll(catalogue.sequences());
        all.addAll(catalogue.functions());
        all.addAll(catalogue.tables());
        all.addAll(catalogue.partitionDefaults());
        all.addAll(catalogue.sequenceOwners());
        all.addAll(catalogue.views());
        all.addAll(catalogue.materializedViews());
        all.addAll(catalogue.keys());
        return all;
    }

    /** A dump that ends before the rows has rows of NULLs in the place of views that group by a primary key: what they really are comes after its keys. */
    private static void define(PostgresSession target, List<SchemaObject> wanted, List<SchemaObject> present) {
        Set<SchemaObject> there = new HashSet<>(present);
        for (SchemaObject view : wanted) {
            if (!there.contains(view)) {
                again(
                        target,
                        view.statements().stream()
                                .map(sql -> sql.replaceFirst("^CREATE VIEW", "CREATE OR REPLACE VIEW"))
                                .toList());
            }
        }
    }

    private PostgresSession session() {
        PostgresSession target = pair.control(Role.TARGET, "schema", Duration.ZERO);
        opened.accept(target);
        target.execute("SET check_function_bodies = off");
        target.execute("SET lock_timeout = '5s'");
        target.text(
                "SELECT set_config('maintenance_work_mem', greatest(pg_size_bytes(current_setting('maintenance_work_mem')), 128 * 1024 * 1024) / 1024 || 'kB', false)");
        return target;
    }

    private void make(PostgresSession target, List<SchemaObject> wanted, List<SchemaObject> present) {
        make(target, wanted, present, () -> {});
    }

    /** In rounds, because something may need what comes later; throws when a round makes nothing. */
    private void make(
            PostgresSession target, List<SchemaObject> wanted, List<SchemaObject> present, Runnable betweenObjects) {
        List<SchemaObject> missing = missing(wanted, present);
        while (!missing.isEmpty()) {
            List<SchemaObject> early = new ArrayList<>();
            String why = "";
            for (SchemaObject object : missing) {
                betweenObjects.run();
                try {
                    again(target, object.statements());
                } catch (PostgresException e) {
                    if (!TOO_EARLY.contains(e.sqlState())) {
                        throw new SchemaException(
                                object.identity() + " could not be made on the target: " + e.getMessage(), e);
                    }
                    early.add(object);
                    why = e.getMessage();
                }
            }
            if (early.size() == missing.size()) {
                throw new SchemaException(
                        early.getFirst().identity() + " and " + (early.size() - 1)
                                + " more could not be made on the target: " + why,
                        null);
            }
            LOGGER.atInfo()
                    .addKeyValue("migration", pair.migration())
                    .log("schema: {} made, {} left", missing.size() - early.size(), early.size());
            missing = early;
        }
    }

    private static List<SchemaObject> missing(List<SchemaObject> wanted, List<SchemaObject> present) {
        Set<String> there = new HashSet<>();
        present.forEach(object -> there.add(object.identity()));
        return wanted.stream()
                .filter(object -> !there.contains(object.identity()))
                .toList();
    }

    /** Replication takes locks meanwhile: a deadlock or a lock not granted is tried again. */
    static void again(PostgresSession target, List<String> statements) {
        for (int attempt = 1; ; attempt++) {
            try {
                target.transaction(() -> statements.forEach(target::execute));
                return;
            } catch (PostgresException e) {
                if (!TRY_AGAIN.contains(e.sqlState()) || attempt == TRIES) {
                    throw e;
                }
            }
        }
    }
}

package dev.eden.activities.postgres.preparation;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.EdenRoles;
import dev.eden.activities.postgres.EdenSchema;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.fence.AccessRules;
import dev.eden.activities.postgres.fence.DatabaseFence;
import dev.eden.activities.postgres.replication.Appliers;
import dev.eden.activities.postgres.schema.RoleCopier;
import dev.eden.activities.postgres.schema.SchemaCopier;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.activities.store.RouteLedger;
import dev.eden.activities.store.ServerRecords;
import dev.eden.proxy.Failpoints;
import dev.eden.workflows.MigrationSpec;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes both servers ready for the load: Eden's roles and schema, the fence on the target, the source's roles and schema on it. Everything an
 * undo needs is stored before it is changed, so that a crash at any line leaves a state that a second run completes and a cleanup undoes.
 */
public final class PostgresPreparation {
    private static final Logger LOGGER = LoggerFactory.getLogger(PostgresPreparation.class);
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final Duration SESSIONS_END = Duration.ofSeconds(30);

    private final EndpointDirectory endpoints;
    private final ServerRecords records;
    private final Function<String, Optional<RouteLedger.Routes>> routes;

    /** {@code routes} is {@link RouteLedger#read}. */
    public PostgresPreparation(
            EndpointDirectory endpoints, ServerRecords records, Function<String, Optional<RouteLedger.Routes>> routes) {
        this.endpoints = endpoints;
        this.records = records;
        this.routes = routes;
    }

    /**
     * Takes as long as the source has objects: some round trips each.
     *
     * @param betweenObjects ends it by what it throws; a second run completes what is there then
     */
    public void prepare(MigrationSpec spec, Runnable betweenObjects) {
        String migration = spec.id();
        Pair pair = new Pair(migration, spec.source(), spec.target(), endpoints, records);
        Endpoint source = pair.endpoint(Role.SOURCE);
        Endpoint target = pair.endpoint(Role.TARGET);
        try (PostgresSession onSource = EdenRoles.connectFirst(migration, source, records, "prepare", LIMIT);
                PostgresSession onTarget = EdenRoles.connectFirst(migration, target, records, "prepare", LIMIT)) {
            // Of who passes this, a cleanup that begins later ends the sessions; none is opened behind its back.
            records.requireOngoing(migration);
            EdenRoles.requireAlone(onSource, migration, source.id());
            EdenRoles.requireAlone(onTarget, migration, target.id());
            saveAccess(spec, onSource, onTarget);
            Failpoints.reach("preparation.saved");
            EdenRoles.create(onSource, migration, source, records);
            EdenRoles.create(onTarget, migration, target, records);
            Failpoints.reach("preparation.users");
        }
        // The endpoint's own login loses its way in with the fence, so only the control role goes on from here.
        try (PostgresSession onSource = pair.control(Role.SOURCE, "prepare", LIMIT);
                PostgresSession onTarget = pair.control(Role.TARGET, "prepare", LIMIT)) {
            records.requireOngoing(migration);
            EdenSchema.create(onSource, pair.names());
            EdenSchema.create(onTarget, pair.names());
            fenceTarget(spec, pair.names(), onTarget);
            Failpoints.reach("preparation.fence");
            SchemaFreeze.create(onSource, pair.names(), spec.data().additive());
            Failpoints.reach("preparation.freeze");
            SchemaFreeze.create(onTarget, pair.names(), spec.data().additive());
            new RowIdentities(pair).change(onSource);
            Failpoints.reach("preparation.identities");
            new RoleCopier(pair).copy(onSource, onTarget);
            Failpoints.reach("preparation.roles");
            EdenRoles.admitReaders(onSource, migration);
            EdenRoles.admitReaders(onTarget, migration);
            new CreatedObjects(pair).remember(onTarget);
        }
        new SchemaCopier(pair).beforeLoad(betweenObjects);
        Failpoints.reach("preparation.schema");
    }

    private void saveAccess(MigrationSpec spec, PostgresSession onSource, PostgresSession onTarget) {
        AccessRules ofSource = save(spec.id(), spec.source(), onSource);
        AccessRules ofTarget = save(spec.id(), spec.target(), onTarget);
        // The source's owner will own the target's database, too.
        String before = owner(onTarget);
        AccessRules kept = before.equals(owner(onSource)) ? ofTarget : ofTarget.withoutOwner(before);
        records.putIfAbsent(spec.id(), spec.target(), AccessRules.KEPT, kept.encode());
        records.putIfAbsent(spec.id(), spec.source(), AccessRules.FINAL, ofSource.encode());
        records.putIfAbsent(
                spec.id(), spec.target(), AccessRules.FINAL, kept.with(ofSource).encode());
    }

    private static String owner(PostgresSession session) {
        return session.text("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()")
                .orElseThrow();
    }

    private AccessRules save(String migration, String endpoint, PostgresSession session) {
        Optional<String> saved = records.get(migration, endpoint, AccessRules.SAVED);
        return AccessRules.decode(saved.orElseGet(() -> records.putIfAbsent(
                migration,
                endpoint,
                AccessRules.SAVED,
                AccessRules.take(session).encode())));
    }

    /**
     * A late run must not fence a target that owns writes by now. One that finds the target in the route comes after a run that has fenced it; one that
     * looked before that has its sessions ended by whoever comes to load.
     */
    private void fenceTarget(MigrationSpec spec, EdenObjects names, PostgresSession onTarget) {
        if (routes.apply(spec.id()).isPresent()) {
            return;
        }
        // No route has been on the target yet; no turn comes between.
        if (!Appliers.unlessLater(
                onTarget, names, 0, () -> DatabaseFence.shutWithin(onTarget, AccessRules.take(onTarget)))) {
            return;
        }
        DatabaseFence.clear(onTarget, Set.of(), SESSIONS_END);
        LOGGER.atInfo()
                .addKeyValue("migration", spec.id())
                .addKeyValue("endpoint", spec.target())
                .log("target fenced");
    }
}

package dev.eden.activities.postgres.cleanup;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.EdenRoles;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.Sql;
import dev.eden.activities.postgres.fence.AccessRules;
import dev.eden.activities.postgres.fence.DatabaseFence;
import dev.eden.activities.postgres.preparation.CreatedObjects;
import dev.eden.activities.postgres.preparation.RowIdentities;
import dev.eden.activities.postgres.replication.Links;
import dev.eden.activities.postgres.schema.DatabaseDefaults;
import dev.eden.activities.postgres.schema.RoleCopier;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.activities.store.ServerRecords;
import dev.eden.proxy.Failpoints;
import dev.eden.workflows.MigrationSpec;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes everything of Eden's off both servers after a migration has ended: subscriptions, slots, publications, schema, roles, the fence; at the
 * very end what is stored about them. Each step is idempotent and each run does all of them, so that a crash at any line is finished by the
 * next run. The caller has ended replication and taken the standby out of the routes.
 */
public final class PostgresCleanup {
    private static final Logger LOGGER = LoggerFactory.getLogger(PostgresCleanup.class);
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final EndpointDirectory endpoints;
    private final ServerRecords records;

    public PostgresCleanup(EndpointDirectory endpoints, ServerRecords records) {
        this.endpoints = endpoints;
        this.records = records;
    }

    /**
     * @param completed the target stays the owner and keeps what was copied; else the source is, and the target gets back the access rules
     *     it had
     * @param emptyTarget after a rollback: drop what was copied, roles included
     */
    public void cleanUp(MigrationSpec spec, boolean completed, boolean emptyTarget) {
        Pair pair = new Pair(spec.id(), spec.source(), spec.target(), endpoints, records);
        try (PostgresSession source = session(pair, Role.SOURCE);
                PostgresSession target = session(pair, Role.TARGET)) {
            links(pair, source, target);
            Failpoints.reach("cleanup.links");
            for (PostgresSession side : List.of(source, target)) {
                side.execute("DROP SCHEMA IF EXISTS " + Sql.name(pair.names().schema()) + " CASCADE");
            }
            RowIdentities identities = new RowIdentities(pair);
            identities.restore(source, Role.SOURCE);
            if (!completed && emptyTarget) {
                new CreatedObjects(pair).drop(target);
            } else {
                identities.restore(target, Role.TARGET);
            }
            Failpoints.reach("cleanup.objects");
            if (!completed) {
                new DatabaseDefaults(pair).takeBack(target);
            }
            access(pair, Role.SOURCE, source, AccessRules.FINAL);
            access(pair, Role.TARGET, target, completed ? AccessRules.FINAL : AccessRules.SAVED);
        }
        Failpoints.reach("cleanup.access");
        removeRoles(pair, Role.SOURCE, List.of());
        removeRoles(pair, Role.TARGET, !completed && emptyTarget ? new RoleCopier(pair).created() : List.of());
        Failpoints.reach("cleanup.before-forget");
        records.removeAll(spec.id());
        LOGGER.atInfo()
                .addKeyValue("migration", spec.id())
                .log("nothing of Eden's is left on {} and {}", spec.source(), spec.target());
    }

    private static void links(Pair pair, PostgresSession source, PostgresSession target) {
        EdenObjects names = pair.names();
        Links.note(pair, Role.SOURCE, target);
        Links.note(pair, Role.TARGET, source);
        for (String link : List.of(names.main(), names.probe())) {
            Links.dropSubscription(target, link);
            Links.dropSubscription(source, link);
        }
        Links.dropSlots(pair, Role.SOURCE, source);
        Links.dropSlots(pair, Role.TARGET, target);
        for (PostgresSession side : List.of(source, target)) {
            Links.dropPublication(side, names.main());
            Links.dropPublication(side, names.probe());
        }
    }

    private void access(Pair pair, Role side, PostgresSession session, String which) {
        records.get(pair.migration(), pair.endpoint(side).id(), which)
                .ifPresent(rules -> DatabaseFence.lift(session, AccessRules.decode(rules)));
    }

    /** With the endpoint's own login, which the lifted fence lets in again: a role cannot drop itself. */
    private void removeRoles(Pair pair, Role side, List<String> created) {
        try (PostgresSession own =
                PostgresSession.connect(pair.endpoint(side), pair.names().session("cleanup"), LIMIT)) {
            EdenRoles.remove(own, pair.migration());
            for (String role : created) {
                if (own.is("SELECT true FROM pg_roles WHERE rolname = ?", role)) {
                    own.execute("DROP OWNED BY " + Sql.name(role));
                    own.execute("DROP ROLE " + Sql.name(role));
                }
            }
        }
    }

    private static PostgresSession session(Pair pair, Role side) {
        return EdenRoles.connectLast(pair.migration(), pair.endpoint(side), pair.records(), "cleanup", LIMIT);
    }
}

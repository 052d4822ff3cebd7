package dev.eden.activities.postgres.cleanup;

import dev.eden.activities.cleanup.EachSide;
import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.EdenRoles;
import dev.eden.activities.postgres.OtherSessions;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresConnectionException;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.Sql;
import dev.eden.activities.postgres.fence.AccessRules;
import dev.eden.activities.postgres.fence.DatabaseFence;
import dev.eden.activities.postgres.preparation.CreatedObjects;
import dev.eden.activities.postgres.preparation.RowIdentities;
import dev.eden.activities.postgres.replication.Links;
import dev.eden.activities.postgres.replication.LoadClaim;
import dev.eden.activities.postgres.schema.DatabaseDefaults;
import dev.eden.activities.postgres.schema.OwnConstraints;
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
 * very end what is stored about them. Each side by itself, the owner of writes first: see {@link EachSide}. Each step is idempotent, so that a crash at
 * any line is finished by the next run. The caller has ended replication and taken the standby out of the routes.
 */
public final class PostgresCleanup {
    private static final Logger LOGGER = LoggerFactory.getLogger(PostgresCleanup.class);
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final Duration OTHERS_END = Duration.ofSeconds(10);

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
        records.end(spec.id());
        Pair pair = new Pair(spec.id(), spec.source(), spec.target(), endpoints, records);
        EachSide sides = new EachSide(records, spec.id(), PostgresCleanup::words);
        Role owner = completed ? Role.TARGET : Role.SOURCE;
        List<Role> ownerFirst = List.of(owner, owner.other());
        // Of both before the slots of either: a subscriber at work would make slots anew.
        for (Role side : ownerFirst) {
            sides.step(pair.endpoint(side).id(), () -> unsubscribe(pair, side));
        }
        Failpoints.reach("cleanup.links");
        for (Role side : ownerFirst) {
            boolean takenBack = side == Role.TARGET && !completed;
            sides.last(
                    pair.endpoint(side).id(),
                    () -> leave(pair, side, side == owner, takenBack, takenBack && emptyTarget));
            Failpoints.reach("cleanup.side");
        }
        Failpoints.reach("cleanup.before-forget");
        sides.end();
        records.removeAll(spec.id());
        Failpoints.reach("cleanup.forgotten");
        LOGGER.atInfo()
                .addKeyValue("migration", spec.id())
                .log("nothing of Eden's is left on {} and {}", spec.source(), spec.target());
    }

    private static void unsubscribe(Pair pair, Role side) {
        try (PostgresSession session = session(pair, side)) {
            endLate(pair, session);
            Links.noteAtEnd(pair, side.other(), session);
            Links.dropSubscription(session, pair.names().main());
            Failpoints.reach("cleanup.subscription");
            Links.dropSubscription(session, pair.names().probe());
        }
    }

    /**
     * A try of the preparation or the load that was given up for dead and is not would make anew what is removed here, and fence the target. The first
     * sessions of the preparation are those of the endpoint's own login; {@link ServerRecords#end} is told by now, so that nobody opens others.
     */
    private static void endLate(Pair pair, PostgresSession session) {
        OtherSessions.end(
                session,
                OTHERS_END,
                "application_name = ANY (?) OR application_name = ?",
                LoadClaim.sessions(pair.names()),
                pair.names().session("carry"));
    }

    private void leave(Pair pair, Role side, boolean owner, boolean takenBack, boolean emptied) {
        EdenObjects names = pair.names();
        try (PostgresSession session = session(pair, side)) {
            // The other side may be out of Eden's reach and still be able to come here.
            EdenRoles.endLink(session, pair.migration());
            Links.dropSlots(pair, side, session);
            Failpoints.reach("cleanup.slots");
            Links.dropPublication(session, names.main());
            Links.dropPublication(session, names.probe());
            session.execute("DROP SCHEMA IF EXISTS " + Sql.name(names.schema()) + " CASCADE");
            if (emptied) {
                new CreatedObjects(pair).drop(session);
            } else {
                new RowIdentities(pair).restore(session, side);
            }
            Failpoints.reach("cleanup.objects");
            if (takenBack) {
                new OwnConstraints(pair).putBack(session);
                new DatabaseDefaults(pair).takeBack(session);
            }
            // Who may come in where writes are is not Eden's any more, unless an attempt's fence is left there.
            if (!owner || DatabaseFence.raised(session)) {
                access(pair, side, session, takenBack ? AccessRules.SAVED : AccessRules.FINAL);
            }
        }
        Failpoints.reach("cleanup.access");
        removeRoles(pair, side, emptied ? new RoleCopier(pair).created() : List.of());
        Failpoints.reach("cleanup.roles");
    }

    private static String words(RuntimeException failure) {
        return failure instanceof PostgresConnectionException
                ? "it cannot be reached"
                : String.valueOf(failure.getMessage());
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

package dev.eden.activities.redis.preparation;

import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.ServerInfo;
import dev.eden.activities.redis.acl.AclSnapshot;
import dev.eden.activities.redis.acl.AclUser;
import dev.eden.activities.redis.acl.AclUsers;
import dev.eden.activities.redis.acl.EdenUsers;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.activities.store.RouteLedger;
import dev.eden.activities.store.ServerRecords;
import dev.eden.proxy.Failpoints;
import dev.eden.workflows.MigrationSpec;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes both servers ready for the load: Eden's users, logs that last, and the fence on the target. Everything an undo needs is
 * stored before it is changed, so that a crash at any line leaves a state that a second run completes and a cleanup undoes.
 */
public final class RedisPreparation {
    private static final Logger LOGGER = LoggerFactory.getLogger(RedisPreparation.class);

    /** {@code number_of_cached_scripts} and {@code FUNCTION DUMP} (Base64) of the target before the load. */
    public static final String SAVED_SCRIPTS = "saved:scripts";

    public static final String SAVED_FUNCTIONS = "saved:functions";

    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final long MEBIBYTE = 1L << 20;
    private static final long SMALLEST_BACKLOG = 64 * MEBIBYTE;
    private static final long LARGEST_BACKLOG = 1024 * MEBIBYTE;

    /** The log must outlast an outage of Eden of this length at the present write rate. */
    private static final long BACKLOG_SECONDS = 300;

    private final EndpointDirectory endpoints;
    private final ServerRecords records;
    private final Function<String, Optional<RouteLedger.Routes>> routes;

    /** {@code routes} is {@link RouteLedger#read}. */
    public RedisPreparation(
            EndpointDirectory endpoints, ServerRecords records, Function<String, Optional<RouteLedger.Routes>> routes) {
        this.endpoints = endpoints;
        this.records = records;
        this.routes = routes;
    }

    /** Blocks for a few round trips to either server. Throws a {@code RedisException} for what a server refuses. */
    public void prepare(MigrationSpec spec) {
        String migration = spec.id();
        Endpoint source = endpoints.endpoint(spec.source());
        Endpoint target = endpoints.endpoint(spec.target());
        AclRecords acl = new AclRecords(records, migration);
        try (RespConnection onSource = EdenUsers.connectFirst(migration, source, records, TIMEOUT);
                RespConnection onTarget = EdenUsers.connectFirst(migration, target, records, TIMEOUT)) {
            // Of who passes this, a cleanup that begins later ends the sessions; none is opened behind its back.
            records.requireOngoing(migration);
            saveUsers(acl, spec, onSource, onTarget);
            saveScripts(migration, target, onTarget);
            Failpoints.reach("preparation.saved");
            EdenUsers.create(onSource, migration, source, records);
            EdenUsers.create(onTarget, migration, target, records);
            Failpoints.reach("preparation.users");
            settings(migration, source, onSource);
            settings(migration, target, onTarget);
            new SavedSettings(records, migration, source.id()).change(onSource, SavedSettings.DISKLESS_SYNC_DELAY, "0");
            Failpoints.reach("preparation.settings");
        }
        // The endpoint's own login loses its rights with the fence, so only the control user goes on from here.
        try (RespConnection onTarget = EdenUsers.connect(migration, target, records, TIMEOUT)) {
            records.requireOngoing(migration);
            fenceTarget(spec, acl, onTarget);
        }
    }

    private void saveUsers(AclRecords acl, MigrationSpec spec, RespConnection onSource, RespConnection onTarget) {
        AclSnapshot ofSource = original(acl, spec.source(), onSource);
        if (acl.original(spec.target()).isEmpty()) {
            AclSnapshot own = AclSnapshot.take(onTarget);
            Set<String> names = own.users().stream().map(AclUser::name).collect(Collectors.toSet());
            List<String> created = ofSource.users().stream()
                    .map(AclUser::name)
                    .filter(name -> !names.contains(name))
                    .toList();
            records.putIfAbsent(
                    spec.id(),
                    spec.target(),
                    AclRecords.SAVED,
                    own.withCreated(created).encode());
        }
        AclSnapshot ofTarget = acl.original(spec.target()).orElseThrow();
        records.putIfAbsent(spec.id(), spec.source(), AclRecords.FINAL, ofSource.encode());
        records.putIfAbsent(
                spec.id(),
                spec.target(),
                AclRecords.FINAL,
                ofTarget.withMissingOf(ofSource).encode());
    }

    private AclSnapshot original(AclRecords acl, String endpoint, RespConnection connection) {
        return acl.original(endpoint)
                .orElseGet(() -> AclSnapshot.decode(records.putIfAbsent(
                        acl.migration(),
                        endpoint,
                        AclRecords.SAVED,
                        AclSnapshot.take(connection).encode())));
    }

    private void saveScripts(String migration, Endpoint target, RespConnection onTarget) {
        if (records.get(migration, target.id(), SAVED_SCRIPTS).isEmpty()) {
            ServerInfo info = ServerInfo.read(onTarget, "server", "memory");
            records.putIfAbsent(
                    migration, target.id(), SAVED_SCRIPTS, Long.toString(info.number("number_of_cached_scripts")));
            if (info.atLeast(7, 0)) {
                byte[] functions = onTarget.call("FUNCTION", "DUMP").bytes();
                records.putIfAbsent(
                        migration,
                        target.id(),
                        SAVED_FUNCTIONS,
                        new String(Base64.getEncoder().encode(functions), StandardCharsets.US_ASCII));
            }
        }
    }

    private void settings(String migration, Endpoint endpoint, RespConnection connection) {
        long present = SavedSettings.read(connection, SavedSettings.BACKLOG_SIZE)
                .map(Long::parseLong)
                .orElse(Long.MAX_VALUE);
        long wanted = backlogSize(ServerInfo.read(connection, "stats", "memory"));
        if (present < wanted) {
            boolean done = new SavedSettings(records, migration, endpoint.id())
                    .change(connection, SavedSettings.BACKLOG_SIZE, Long.toString(wanted));
            LOGGER.atInfo()
                    .addKeyValue("migration", migration)
                    .addKeyValue("endpoint", endpoint.id())
                    .log("replication backlog {} → {} bytes: {}", present, wanted, done ? "set" : "refused");
        }
    }

    /** Input is an upper bound of what writes put into the log; never more than a quarter of the server's memory limit. */
    private static long backlogSize(ServerInfo info) {
        double bytesPerSecond = instantaneousInput(info) * 1024;
        long wanted = Math.clamp((long) (bytesPerSecond * BACKLOG_SECONDS), SMALLEST_BACKLOG, LARGEST_BACKLOG);
        long limit = info.number("maxmemory");
        return limit > 0 ? Math.max(MEBIBYTE, Math.min(wanted, limit / 4)) : wanted;
    }

    private static double instantaneousInput(ServerInfo info) {
        try {
            return Double.parseDouble(info.text("instantaneous_input_kbps"));
        } catch (NumberFormatException absent) {
            return 0;
        }
    }

    /** A late run must not fence a target that owns writes by now. */
    private void fenceTarget(MigrationSpec spec, AclRecords acl, RespConnection onTarget) {
        boolean active = routes.apply(spec.id())
                .map(row -> row.active().equals(spec.target()))
                .orElse(false);
        if (active) {
            return;
        }
        AclSnapshot whole = acl.unfenced(spec.target());
        Set<String> present =
                AclUsers.read(onTarget).stream().map(AclUser::name).collect(Collectors.toSet());
        for (AclUser user : whole.users()) {
            if (!present.contains(user.name())) {
                AclUsers.createFenced(onTarget, user, whole.selectors());
            }
        }
        Failpoints.reach("preparation.fence");
        AclUsers.fence(onTarget, AclSnapshot.take(onTarget));
        AclUsers.persistFence(onTarget, whole);
        LOGGER.atInfo()
                .addKeyValue("migration", spec.id())
                .addKeyValue("endpoint", spec.target())
                .log("target fenced, {} users", whole.users().size());
    }
}

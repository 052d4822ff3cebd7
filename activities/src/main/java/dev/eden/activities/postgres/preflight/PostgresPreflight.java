package dev.eden.activities.postgres.preflight;

import dev.eden.activities.postgres.EdenRoles;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresConnectionException;
import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.activities.store.ServerRecords;
import dev.eden.activities.store.UserDirectory;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.activity.PreparationActivities.Preflight;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What {@code plan} says about a pair of PostgreSQL databases before anything is changed. Ids of findings are stable: people and programs
 * refer to them.
 */
public final class PostgresPreflight {
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final String NO_DATABASE = "3D000";

    private final EndpointDirectory endpoints;
    private final ServerRecords records;
    private final UserDirectory users;
    private final Limits limits;

    /**
     * @param keyless bytes; a table without a key is refused from this size on, because each update and delete of it reads it on the target from end
     *     to end
     * @param disk how many times the size of the source's database must be free on the target
     * @param log bytes that must be free for the source's log
     */
    public record Limits(long keyless, double disk, long log) {
        /** 64 MiB; the rows with their indexes, and a fifth more for the log and what sorting takes; 1 GiB. */
        public static Limits defaults() {
            return new Limits(64L << 20, 1.2, 1L << 30);
        }
    }

    public PostgresPreflight(EndpointDirectory endpoints, ServerRecords records, UserDirectory users) {
        this(endpoints, records, users, Limits.defaults());
    }

    public PostgresPreflight(EndpointDirectory endpoints, ServerRecords records, UserDirectory users, Limits limits) {
        this.endpoints = endpoints;
        this.records = records;
        this.users = users;
        this.limits = limits;
    }

    /** Never throws for what a server says or fails to say: that is a finding. Looks at catalogues, evaluates what a few rows are to be by, and lets each server connect to the other. */
    public Preflight preflight(MigrationSpec spec) {
        Findings findings = new Findings();
        Endpoint source = endpoints.endpoint(spec.source());
        Endpoint target = endpoints.endpoint(spec.target());
        try (PostgresSession onSource = connect("source", spec, source, findings);
                PostgresSession onTarget = connect("target", spec, target, findings)) {
            boolean sourceGood = onSource != null && server("source", spec, source, onSource, findings);
            boolean targetGood = onTarget != null && server("target", spec, target, onTarget, findings);
            if (onSource != null && sourceGood) {
                new SourceFindings(onSource, findings, limits.keyless()).check();
                new PathFindings(onSource, findings).check();
                ReplicaFindings.check(onSource, findings);
            }
            if (onSource != null && onTarget != null && sourceGood && targetGood) {
                boolean prepared =
                        records.get(spec.id(), spec.target(), "created:roles").isPresent();
                boolean filled = spec.data().type().equals("none");
                new PairFindings(onSource, onTarget, findings)
                        .check(prepared, filled, users.configured(spec.interlays()));
                new LinkFindings(new Pair(spec.id(), spec.source(), spec.target(), endpoints, records), findings)
                        .check(onSource, onTarget, prepared);
                TypeFindings.check(onSource, onTarget, findings);
                if (!prepared) {
                    new HeadRoom(onSource, onTarget, findings).check(limits, filled);
                }
            }
        } catch (PostgresException e) {
            findings.failure(
                    "postgres.endpoint.check_failed",
                    "A catalogue could not be read: " + e.getMessage(),
                    "Give Eden a login that may read all catalogues, and try again.");
        }
        return new Preflight(findings.list());
    }

    /** What can't be resolved is unreachable, and said so. */
    private static boolean onThisHost(String host) {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            return true;
        }
    }

    private boolean server(
            String side, MigrationSpec spec, Endpoint endpoint, PostgresSession session, Findings findings) {
        boolean known =
                records.get(spec.id(), endpoint.id(), EdenRoles.CONTROL_LOGIN).isPresent();
        return new ServerFindings(side, session, findings).check(spec.id(), known);
    }

    private @Nullable PostgresSession connect(String side, MigrationSpec spec, Endpoint endpoint, Findings findings) {
        if (!endpoint.tls() && !onThisHost(endpoint.host())) {
            findings.warning(
                    "postgres.endpoint.plain",
                    "Eden's connections to the " + side
                            + " are not encrypted: whoever is on the way sees its rows and the roles' verifiers.",
                    "sslmode=verify-full in the endpoint's uri. Or keep the network between them private.");
        }
        try {
            boolean known = records.get(spec.id(), endpoint.id(), EdenRoles.CONTROL_LOGIN)
                    .isPresent();
            return known
                    ? EdenRoles.connectFirst(spec.id(), endpoint, records, "preflight", LIMIT)
                    : PostgresSession.connect(endpoint, "eden:preflight", LIMIT);
        } catch (PostgresConnectionException e) {
            findings.failure(
                    "postgres.endpoint.unreachable",
                    "The " + side + " cannot be reached: " + e.getMessage(),
                    "Check address, port, TLS and the network between Eden and the server.");
        } catch (PostgresException e) {
            if (e.sqlState().equals(NO_DATABASE)) {
                findings.failure(
                        "postgres.endpoint.no_database",
                        "The " + side + " does not have the database of its endpoint: " + e.getMessage(),
                        side.equals("source")
                                ? "Name the database that moves in the endpoint's uri."
                                : "CREATE DATABASE there, empty, with the source's encoding and locale, or name another in the endpoint's uri.");
                return null;
            }
            findings.failure(
                    "postgres.endpoint.login_refused",
                    "The " + side + " refuses Eden: " + e.getMessage(),
                    "Check user, password and database of the endpoint, and the server's pg_hba.conf. A superuser cannot log in either while another migration has its standby on that server.");
        }
        return null;
    }
}

package dev.eden.activities.postgres.preflight;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.EdenRoles;
import dev.eden.activities.postgres.PostgresSession;
import java.util.List;

/** What either side has to be, because replication goes both ways. */
final class ServerFindings {
    private static final int OLDEST = 14;
    private static final int NEWEST = 18;
    /** Two ways, each with data and probe; and one temporary slot per table that is being copied. */
    private static final int SLOTS = 4;

    private static final int WORKERS = 3;
    /** Ten of its own roles at most, and two of the endpoint's login; what replicates is no client and needs none. */
    private static final int CONNECTIONS = 12;

    private final String side;
    private final PostgresSession session;
    private final Findings findings;

    ServerFindings(String side, PostgresSession session, Findings findings) {
        this.side = side;
        this.session = session;
        this.findings = findings;
    }

    /**
     * @param known Eden has begun this migration before: what bears its names is its own
     * @return false when nothing more can be said about the server
     */
    boolean check(String migration, boolean known) {
        if (session.major() < OLDEST || session.major() > NEWEST) {
            findings.failure(
                    "postgres.version.unsupported",
                    "The " + side + " is PostgreSQL " + session.major() + "; Eden knows " + OLDEST + " to " + NEWEST
                            + ".",
                    "Upgrade the server, or Eden.");
            return false;
        }
        if (session.is("SELECT pg_is_in_recovery()")) {
            findings.failure(
                    "postgres.server.standby",
                    "The " + side + " is a standby server.",
                    "Name the primary server of the " + side + ".");
            return false;
        }
        if (!session.is("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")) {
            findings.failure(
                    "postgres.privileges",
                    "Eden's login on the " + side
                            + " is no superuser: it could neither fence the database nor replicate into it.",
                    "Give the endpoint a superuser. Services that have none for their customers are not supported by this mechanism.");
            return false;
        }
        settings();
        names(migration, known);
        reserved(migration);
        migrations(migration);
        others();
        return true;
    }

    private void settings() {
        String level = session.text("SHOW wal_level").orElse("");
        if (!level.equals("logical")) {
            findings.failure(
                    "postgres.wal_level",
                    "wal_level of the " + side + " is " + level + "; replication, forward or back, needs logical.",
                    "ALTER SYSTEM SET wal_level = 'logical', then restart the " + side + ".");
        }
        long slots = session.number(
                "SELECT setting::int - (SELECT count(*) FROM pg_replication_slots WHERE slot_name !~ '^eden_') FROM pg_settings WHERE name = 'max_replication_slots'");
        if (slots < SLOTS) {
            findings.failure(
                    "postgres.slots",
                    "The " + side + " has " + slots + " replication slots left, " + SLOTS + " are needed.",
                    "Raise max_replication_slots and restart the " + side + ", or drop slots that nobody uses.");
        }
        origins();
        connections();
        long senders = session.number(
                "SELECT setting::int - (SELECT count(*) FROM pg_stat_replication WHERE application_name !~ '^eden_') FROM pg_settings WHERE name = 'max_wal_senders'");
        if (senders < SLOTS) {
            findings.failure(
                    "postgres.senders",
                    "The " + side + " has " + senders + " WAL senders left, " + SLOTS + " are needed.",
                    "Raise max_wal_senders and restart the " + side + ".");
        }
        long workers = session.number(
                "SELECT least((SELECT setting::int FROM pg_settings WHERE name = 'max_logical_replication_workers'), (SELECT setting::int - 1 FROM pg_settings WHERE name = 'max_worker_processes'))");
        if (workers < WORKERS) {
            findings.failure(
                    "postgres.workers",
                    "The " + side + " can run " + workers + " logical replication workers, " + WORKERS + " are needed.",
                    "Raise max_logical_replication_workers and max_worker_processes and restart the " + side + ".");
        }
        // An allowlist that servers have since August 2026 (CVE-2026-6471).
        if (session.is("SELECT 'pgoutput' <> ALL (SELECT trim(unnest(string_to_array(libraries, ',')), ' \"'))"
                + " FROM current_setting('output_plugin_libraries', true) AS libraries WHERE libraries IS NOT NULL")) {
            findings.failure(
                    "postgres.output_plugin",
                    "The " + side + " does not let pgoutput decode its log, which native replication needs.",
                    "Add pgoutput to output_plugin_libraries of the " + side + " and reload its configuration.");
        }
        String keep = session.text("SHOW max_slot_wal_keep_size").orElse("-1");
        if (keep.equals("-1")) {
            findings.warning(
                    "postgres.slots.unbounded",
                    "max_slot_wal_keep_size of the " + side
                            + " is unlimited: while replication is away, its log grows until the disk is full.",
                    "Set max_slot_wal_keep_size to what the disk can spare; a slot that falls behind it means a new full load.");
        }
        long idle = session.number("SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()");
        if (idle > 0) {
            findings.warning(
                    "postgres.transactions.prepared",
                    idle + " prepared transactions are open on the " + side + ": nothing cuts over before they end.",
                    "COMMIT PREPARED or ROLLBACK PREPARED them.");
        }
        List<String> open = session.texts("""
                SELECT format('process %s of %s, %s s', pid, usename, extract(epoch FROM now() - xact_start)::int) FROM pg_stat_activity
                WHERE backend_type = 'client backend' AND xact_start < now() - interval '1 minute' ORDER BY xact_start""");
        if (!open.isEmpty()) {
            findings.warning(
                    "postgres.transactions.long",
                    "Transactions are open on the " + side + " for more than a minute (" + Findings.some(open)
                            + "): replication begins when they end.",
                    "End them, or wait.");
        }
    }

    /** What replication has come to on a subscriber is kept in as many places as this says; before 18 max_replication_slots says that, too. */
    private void origins() {
        if (session.major() < 18) {
            return;
        }
        long origins = session.number("""
                SELECT current_setting('max_active_replication_origins')::int - (SELECT count(*) FROM pg_replication_origin_status WHERE NOT EXISTS (
                    SELECT FROM pg_subscription WHERE subname ~ '^eden_' AND split_part(external_id, '_', 2) = oid::text))""");
        if (origins < SLOTS) {
            findings.failure(
                    "postgres.origins",
                    "The " + side + " can follow " + origins + " more replication origins, " + SLOTS
                            + " are needed: without one nothing is replicated to it.",
                    "Raise max_active_replication_origins and restart the " + side + ".");
        }
    }

    private void connections() {
        String reserved = session.major() < 16 ? "0" : "current_setting('reserved_connections')::int";
        long free = session.number(
                "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int - "
                        + reserved
                        + " - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND coalesce(usename, '') !~ ? AND pid <> pg_backend_pid())",
                EdenObjects.ROLE_PATTERN);
        if (free < CONNECTIONS) {
            findings.warning(
                    "postgres.connections",
                    "The " + side + " has " + free + " connections left for now; Eden takes up to " + CONNECTIONS
                            + " while it works, so applications may be told that there are too many.",
                    "Raise max_connections and restart the " + side
                            + ", or let applications, or the proxies' pools, open fewer.");
        }
    }

    private void names(String migration, boolean known) {
        EdenObjects names = EdenObjects.of(migration);
        if (known) {
            return;
        }
        List<String> taken = session.texts(
                """
                SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname = ?
                UNION ALL SELECT 'role ' || rolname FROM pg_roles WHERE rolname = ANY (?)
                UNION ALL SELECT 'publication ' || pubname FROM pg_publication WHERE pubname = ANY (?)
                UNION ALL SELECT 'slot ' || slot_name FROM pg_replication_slots WHERE slot_name = ANY (?)
                UNION ALL SELECT 'subscription ' || subname FROM pg_subscription WHERE subname = ANY (?)""",
                names.schema(),
                new String[] {names.control(), names.apply(), names.link(), names.proxy()},
                new String[] {names.main(), names.probe()},
                new String[] {names.main(), names.probe()},
                new String[] {names.main(), names.probe()});
        if (!taken.isEmpty()) {
            findings.failure(
                    "postgres.names.taken",
                    "The " + side + " has what Eden would make already: " + Findings.some(taken) + ".",
                    "Remove what an earlier migration left, or choose another id.");
        }
    }

    /** Whatever bears a name like Eden's own is neither copied nor fenced nor published, so it has to be Eden's, of a migration that lives. */
    private void reserved(String migration) {
        List<String> foreign = session.texts("""
                WITH bases (base) AS (SELECT ?::text UNION SELECT left(rolname, -8) FROM pg_roles WHERE rolname ~ '^eden_.*_control$')
                SELECT kind || ' ' || name FROM (
                    SELECT 'schema', nspname::text, '{""}'::text[] FROM pg_namespace WHERE nspname ~ '^eden_'
                    UNION ALL SELECT 'role', rolname, '{_control,_apply,_link,_proxy}' FROM pg_roles WHERE rolname ~ ?
                    UNION ALL SELECT 'publication', pubname, '{_main,_probe}' FROM pg_publication WHERE pubname ~ '^eden_'
                    UNION ALL SELECT 'subscription', subname, '{_main,_probe}' FROM pg_subscription WHERE subname ~ '^eden_'
                        AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
                ) AS named (kind, name, suffixes)
                WHERE NOT EXISTS (SELECT FROM bases, unnest(suffixes) AS suffix WHERE name = base || suffix) ORDER BY 1""", EdenObjects.of(migration).base(), EdenObjects.ROLE_PATTERN);
        if (!foreign.isEmpty()) {
            findings.failure(
                    "postgres.names.reserved",
                    "The " + side + " has what is named as if it were Eden's: " + Findings.some(foreign)
                            + ". Eden leaves such names alone: it would neither copy nor publish nor fence them.",
                    "Rename them until the migration has ended; what an earlier migration left behind, drop.");
        }
    }

    private void migrations(String migration) {
        List<String> others = EdenRoles.others(session, migration);
        if (!others.isEmpty()) {
            findings.failure(
                    "postgres.server.busy",
                    "Another migration works on the " + side + "'s server: " + Findings.some(others)
                            + ". The fence of either takes superusers their LOGIN on the whole server, so two at once would lock each other out.",
                    "Move the databases of one server one after the other; end that migration first (eden migration list, or eden migration recover for one that was lost).");
        }
    }

    private void others() {
        List<String> superusers = session.texts(
                "SELECT rolname FROM pg_roles WHERE rolsuper AND rolcanlogin AND rolname !~ ? ORDER BY 1",
                EdenObjects.ROLE_PATTERN);
        long databases = session.number(
                "SELECT count(*) FROM pg_database WHERE NOT datistemplate AND datallowconn AND datname <> current_database()");
        String fenced = "No privilege keeps a superuser out, so " + Findings.some(superusers)
                + " cannot log in to the " + side + " while it is the standby"
                + (databases > 0
                        ? ", not even to its " + databases + " other " + (databases == 1 ? "database." : "databases.")
                        : ".");
        if (databases > 0 && !superusers.isEmpty()) {
            findings.warning(
                    "postgres.fence.superusers",
                    fenced,
                    "Let what has to work on the other databases use a role that is no superuser.");
        } else if (!superusers.isEmpty()) {
            findings.info("postgres.fence.superusers", fenced);
        }
        List<String> subscriptions = session.texts(
                "SELECT subname FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND subname !~ '^eden_'");
        if (!subscriptions.isEmpty()) {
            findings.failure(
                    "postgres.subscriptions.other",
                    "The " + side + " is written by subscriptions (" + Findings.some(subscriptions)
                            + "): no fence would stop them.",
                    "Drop them, or move the database they come from.");
        }
        workers();
    }

    /** Privileges are asked of clients: a superuser's background worker connects to whatever it wants to (BackgroundWorkerInitializeConnection in the server's source). */
    private void workers() {
        String allowed = "current_setting('%s', true)";
        if (session.is("SELECT " + allowed.formatted("cron.use_background_workers") + " = 'on'")) {
            findings.failure(
                    "postgres.fence.workers",
                    "pg_cron runs its jobs on the " + side
                            + " in background workers, which no privilege keeps out: they would write there while it is the standby.",
                    "cron.use_background_workers = off, and a restart: its jobs then connect as any client, and the fence holds.");
        }
        if (session.is("SELECT current_database() = ANY (regexp_split_to_array("
                + allowed.formatted("pg_partman_bgw.dbname") + ", '\\s*,\\s*'))")) {
            findings.failure(
                    "postgres.fence.workers",
                    "pg_partman's background worker maintains this database on the " + side
                            + ", and no privilege keeps it out: it would change tables there while it is the standby.",
                    "Take the database out of pg_partman_bgw.dbname until the migration is over, and call run_maintenance_proc() through the interlay.");
        }
    }
}

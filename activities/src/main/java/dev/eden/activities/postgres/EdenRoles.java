package dev.eden.activities.postgres;

import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.ServerRecords;
import dev.eden.proxy.Backend;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PasswordUtil;

/**
 * Eden's own roles on a server, one set per migration: see {@link EdenObjects}. <em>control</em> and <em>apply</em> are superusers:
 * only such may end other superusers' sessions and, before 16, own a subscription.
 */
public final class EdenRoles {
    /** Names of logins in {@link ServerRecords}. */
    public static final String CONTROL_LOGIN = "login:control";

    public static final String LINK_LOGIN = "login:link";
    public static final String PROXY_LOGIN = "login:proxy";

    private EdenRoles() {}

    /**
     * Other migrations that work on this server, by the names of their objects. Two at once would lock each other out: the fence of either takes
     * superusers their LOGIN, and what it finds taken already it would not give back.
     */
    public static List<String> others(PostgresSession session, String migration) {
        EdenObjects names = EdenObjects.of(migration);
        return session.texts(
                "SELECT left(rolname, -8) FROM pg_roles WHERE rolname ~ '^eden_.*_control$' AND rolname <> ? ORDER BY 1",
                names.control());
    }

    /** @throws IllegalStateException where {@link #others} has any */
    public static void requireAlone(PostgresSession session, String migration, String endpoint) {
        List<String> others = others(session, migration);
        if (!others.isEmpty()) {
            throw new IllegalStateException("another migration works on the server of " + endpoint + " ("
                    + String.join(", ", others) + "); this one goes on when that has ended");
        }
    }

    /**
     * Makes all four, or brings them back to what they should be; idempotent. Passwords travel as SCRAM verifiers only.
     *
     * @throws IllegalStateException where another migration was here first
     */
    public static void create(PostgresSession session, String migration, Endpoint endpoint, ServerRecords records) {
        EdenObjects names = EdenObjects.of(migration);
        Backend.Login control = controlLogin(migration, endpoint, records);
        Backend.Login link = linkLogin(migration, endpoint, records);
        Backend.Login proxy = records.login(migration, endpoint.id(), PROXY_LOGIN, names.proxy());
        session.execute("SET log_statement = 'none'");
        session.execute("SET log_min_duration_statement = -1");
        String database = Sql.name(session.text("SELECT current_database()").orElseThrow());
        session.transaction(() -> {
            // When preparation runs again, the freeze of the schema is there already, and this is the endpoint's own
            // login.
            session.execute("SET LOCAL eden.schema_freeze = off");
            // That of an earlier Eden.
            session.execute("SET LOCAL session_replication_role = replica");
            // Of two that begin at once only one gets in; logins are not held up by this lock.
            session.execute("LOCK TABLE pg_catalog.pg_authid IN SHARE ROW EXCLUSIVE MODE");
            requireAlone(session, migration, endpoint.id());
            role(session, names.control(), "SUPERUSER LOGIN", control);
            // No password: only the server's own apply worker runs as this role.
            role(session, names.apply(), "SUPERUSER LOGIN", null);
            role(session, names.link(), "REPLICATION BYPASSRLS LOGIN", link);
            role(session, names.proxy(), "LOGIN", proxy);
            if (session.major() >= 17) {
                // A load is one transaction, however long.
                session.execute("ALTER ROLE " + Sql.name(names.control()) + " SET transaction_timeout = 0");
            }
            session.executeAll(List.of(
                    "ALTER ROLE " + Sql.name(names.control()) + " SET log_statement = 'none'",
                    "ALTER ROLE " + Sql.name(names.control()) + " SET log_min_duration_statement = -1",
                    "GRANT pg_read_all_data TO " + Sql.name(names.link()),
                    "GRANT pg_read_all_data, pg_read_all_stats TO " + Sql.name(names.proxy()),
                    // The proxy checks its clients' passwords by the verifiers that the server keeps.
                    "GRANT SELECT ON pg_catalog.pg_authid TO " + Sql.name(names.proxy()),
                    // It tells by this what replication has brought here.
                    "GRANT EXECUTE ON FUNCTION pg_catalog.pg_replication_origin_progress(text, boolean) TO "
                            + Sql.name(names.proxy()),
                    "GRANT CONNECT ON DATABASE " + database + " TO " + Sql.name(names.link()) + ", "
                            + Sql.name(names.proxy())));
        });
    }

    /**
     * Lets the proxies' role become the users of this server, superusers apart: their reads are served as themselves while the fence keeps them
     * out. Idempotent.
     */
    public static void admitReaders(PostgresSession session, String migration) {
        String proxy = EdenObjects.of(migration).proxy();
        String only = session.major() >= 16 ? " WITH INHERIT FALSE, SET TRUE" : "";
        for (String role : session.texts("""
                SELECT r.rolname FROM pg_roles r WHERE NOT r.rolsuper AND r.rolname !~ '^pg_' AND r.rolname !~ ? AND NOT EXISTS (SELECT FROM pg_auth_members m
                    JOIN pg_roles p ON p.oid = m.member WHERE m.roleid = r.oid AND p.rolname = ?) ORDER BY r.oid""", EdenObjects.ROLE_PATTERN, proxy)) {
            session.execute("GRANT " + Sql.name(role) + " TO " + Sql.name(proxy) + only);
        }
    }

    /** The other server comes here no more. Idempotent. */
    public static void endLink(PostgresSession session, String migration) {
        String link = EdenObjects.of(migration).link();
        if (exists(session, link)) {
            session.execute("ALTER ROLE " + Sql.name(link) + " NOLOGIN");
            session.query(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = ?",
                    row -> row.getBoolean(1),
                    link);
        }
    }

    /** Removes them with all their privileges. The session must belong to another role; what they own must be gone. */
    public static void remove(PostgresSession session, String migration) {
        EdenObjects names = EdenObjects.of(migration);
        for (String role : List.of(names.proxy(), names.link(), names.apply(), names.control())) {
            if (exists(session, role)) {
                session.query(
                        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = ?",
                        row -> row.getBoolean(1),
                        role);
                // Privileges only: should it own anything, that stays.
                session.execute("REASSIGN OWNED BY " + Sql.name(role) + " TO CURRENT_USER");
                session.execute("DROP OWNED BY " + Sql.name(role));
                session.execute("DROP ROLE " + Sql.name(role));
            }
        }
    }

    /** How Eden logs in; made and stored where there is none yet. */
    public static Backend.Login controlLogin(String migration, Endpoint endpoint, ServerRecords records) {
        return records.login(
                migration,
                endpoint.id(),
                CONTROL_LOGIN,
                EdenObjects.of(migration).control());
    }

    /** How the other server logs in here. */
    public static Backend.Login linkLogin(String migration, Endpoint endpoint, ServerRecords records) {
        return records.login(
                migration, endpoint.id(), LINK_LOGIN, EdenObjects.of(migration).link());
    }

    /** A session of the control role, in the endpoint's database. */
    public static PostgresSession connect(
            String migration, Endpoint endpoint, ServerRecords records, String part, Duration limit) {
        return connect(migration, endpoint, controlLogin(migration, endpoint, records), part, limit);
    }

    static PostgresSession connectForReplication(
            String migration, Endpoint endpoint, ServerRecords records, String part) {
        return PostgresSession.connectForReplication(
                inDatabase(endpoint),
                controlLogin(migration, endpoint, records),
                EdenObjects.of(migration).session(part));
    }

    /**
     * A session of the endpoint's own login, or of the control role where that one is fenced by now: so a first run leaves no failed
     * login behind.
     */
    public static PostgresSession connectFirst(
            String migration, Endpoint endpoint, ServerRecords records, String part, Duration limit) {
        try {
            return PostgresSession.connect(endpoint, EdenObjects.of(migration).session(part), limit);
        } catch (PostgresException e) {
            if (!e.loginRefused()) {
                throw e;
            }
            return connect(migration, endpoint, storedControl(migration, endpoint, records, e), part, limit);
        }
    }

    /** The other way round: for the end of a migration, when the control role may be gone already. */
    public static PostgresSession connectLast(
            String migration, Endpoint endpoint, ServerRecords records, String part, Duration limit) {
        Optional<Backend.Login> control = records.storedLogin(migration, endpoint.id(), CONTROL_LOGIN);
        if (control.isPresent()) {
            try {
                return connect(migration, endpoint, control.get(), part, limit);
            } catch (PostgresException e) {
                if (!e.loginRefused()) {
                    throw e;
                }
            }
        }
        return PostgresSession.connect(endpoint, EdenObjects.of(migration).session(part), limit);
    }

    /** Never a new one: no role would have its password. */
    private static Backend.Login storedControl(
            String migration, Endpoint endpoint, ServerRecords records, PostgresException otherwise) {
        return records.storedLogin(migration, endpoint.id(), CONTROL_LOGIN).orElseThrow(() -> otherwise);
    }

    private static PostgresSession connect(
            String migration, Endpoint endpoint, Backend.Login control, String part, Duration limit) {
        return PostgresSession.connect(
                inDatabase(endpoint), control, EdenObjects.of(migration).session(part), limit);
    }

    /** The one that moves. */
    public static String database(Endpoint endpoint) {
        String database = inDatabase(endpoint).database();
        return database == null ? "postgres" : database;
    }

    /** A login that is not the endpoint's own would be led to a database of its own name. */
    public static Endpoint inDatabase(Endpoint endpoint) {
        Backend.Login own = endpoint.login();
        if (endpoint.database() != null || own == null) {
            return endpoint;
        }
        return new Endpoint(
                endpoint.id(),
                endpoint.engine(),
                endpoint.host(),
                endpoint.port(),
                endpoint.tls(),
                own,
                own.user(),
                endpoint.loginForClients(),
                endpoint.link());
    }

    static boolean exists(PostgresSession session, String role) {
        return session.is("SELECT true FROM pg_roles WHERE rolname = ?", role);
    }

    private static void role(PostgresSession session, String name, String attributes, Backend.@Nullable Login login) {
        String password = login == null ? "NULL" : Sql.text(verifier(login));
        String verb = exists(session, name) ? "ALTER" : "CREATE";
        session.execute(verb + " ROLE " + Sql.name(name) + " WITH " + attributes + " PASSWORD " + password);
    }

    private static String verifier(Backend.Login login) {
        try {
            return PasswordUtil.encodePassword(
                    login.user(), login.password().reveal().toCharArray(), "scram-sha-256");
        } catch (SQLException e) {
            throw new IllegalStateException("the SCRAM verifier of " + login.user() + " cannot be made", e);
        }
    }
}

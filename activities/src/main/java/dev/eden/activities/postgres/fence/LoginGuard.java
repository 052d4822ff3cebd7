package dev.eden.activities.postgres.fence;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.Sql;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * In the fence's place for a moment, on servers from 17 on: whoever logs in to the database must show a pass, Eden's roles apart. So the proxies log
 * their clients' users in ahead of a flip while everybody else stays out. Lives in Eden's schema and goes with it.
 */
public final class LoginGuard {
    private static final int FIRST_VERSION = 17;

    private static final String FUNCTION = """
            CREATE OR REPLACE FUNCTION %1$s.admit() RETURNS event_trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $eden$
            BEGIN
                IF session_user !~ %2$s AND encode(sha256(convert_to(coalesce(current_setting('eden.admission', true), ''), 'UTF8')), 'hex') <> %3$s THEN
                    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
                        MESSAGE = 'this database is the standby of a migration: nobody may connect';
                END IF;
            END $eden$""";

    private LoginGuard() {}

    /** True where the server knows event triggers on login, and no user may switch them off. */
    public static boolean possible(PostgresSession session) {
        return session.major() >= FIRST_VERSION
                && session.is(
                        "SELECT NOT EXISTS (SELECT FROM pg_parameter_acl WHERE parname IN ('event_triggers', 'session_replication_role'))");
    }

    /** Idempotent. */
    public static void raise(PostgresSession session, EdenObjects names, String pass) {
        lower(session, names);
        session.transaction(() -> session.executeAll(List.of(
                FUNCTION.formatted(
                        Sql.name(names.schema()), Sql.text(EdenObjects.ROLE_PATTERN), Sql.text(digest(pass))),
                "CREATE EVENT TRIGGER " + trigger(names) + " ON login EXECUTE FUNCTION " + Sql.name(names.schema())
                        + ".admit()",
                "ALTER EVENT TRIGGER " + trigger(names) + " ENABLE ALWAYS")));
    }

    /** Idempotent. */
    public static void lower(PostgresSession session, EdenObjects names) {
        if (session.major() >= FIRST_VERSION) {
            session.execute("DROP EVENT TRIGGER IF EXISTS " + trigger(names));
        }
    }

    private static String trigger(EdenObjects names) {
        return Sql.name(names.freeze("login"));
    }

    private static String digest(String pass) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(pass.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}

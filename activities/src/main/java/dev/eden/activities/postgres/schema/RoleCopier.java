package dev.eden.activities.postgres.schema;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresConnectionException;
import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.Sql;
import dev.eden.activities.store.ServerRecords;
import dev.eden.proxy.Backend;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the source's roles on the target, with their passwords' verifiers, memberships, settings and comments, where the target has none of that name.
 * Which these are is stored before the first is made, so that a migration that is taken back can remove them.
 */
public final class RoleCopier {
    /** In {@link ServerRecords}: a JSON array of names. */
    public static final String CREATED = "created:roles";

    /** In {@link ServerRecords}: a JSON array of names. */
    private static final String SAME = "same:roles";

    /** In {@link ServerRecords}: a JSON array of names, those that the target had when writes were last about to come to it. */
    private static final String KNOWN = "known:roles";

    private static final Logger LOGGER = LoggerFactory.getLogger(RoleCopier.class);
    private static final JsonMapper JSON = JsonMapper.builder().build();
    /** Settings whose value is a list that is quoted already (GUC_LIST_QUOTE in the server's source). */
    private static final Set<String> LISTS = Set.of(
            "search_path",
            "temp_tablespaces",
            "session_preload_libraries",
            "local_preload_libraries",
            "shared_preload_libraries",
            "unix_socket_directories");

    /** A library that the target lacks would let nobody in who is to load it. */
    private static final Set<String> PRELOADS = Set.of("session_preload_libraries", "local_preload_libraries");

    private final Pair pair;

    public RoleCopier(Pair pair) {
        this.pair = pair;
    }

    /** Superusers come without LOGIN: the target is fenced, and lifting its fence gives it to them. */
    public void copy(PostgresSession source, PostgresSession target) {
        List<String> created = decode(
                pair.records().putIfAbsent(pair.migration(), pair.target(), CREATED, encode(missing(source, target))));
        target.execute("SET log_statement = 'none'");
        target.transaction(() -> make(source, target, created));
        rememberSame(source, target);
    }

    /**
     * What became of roles on the side that owns writes since they were copied: those that came since are made on the standby, and passwords that
     * changed there, with their expiry, become the same again where both sides had the same. The endpoints' own logins keep theirs: Eden comes in by
     * them in the end. From the target come only the roles that are newer than its first write: others are its own.
     */
    public void follow(PostgresSession active, PostgresSession standby, Role of) {
        standby.transaction(() -> {
            standby.execute("SET LOCAL lock_timeout = '2s'");
            // Of a name that somebody else makes meanwhile it would be said that it is Eden's.
            standby.execute("LOCK TABLE pg_catalog.pg_authid IN SHARE ROW EXCLUSIVE MODE");
            List<String> missing = missing(active, standby);
            if (of == Role.TARGET) {
                add(CREATED, missing);
            } else {
                missing.removeAll(stored(KNOWN).orElse(missing));
            }
            add(SAME, missing);
            if (!missing.isEmpty()) {
                make(active, standby, missing);
            }
            standby.executeAll(passwords(active, standby));
            if (of == Role.TARGET) {
                put(KNOWN, standby.texts("SELECT rolname FROM pg_roles"));
            }
        });
    }

    private static List<String> missing(PostgresSession from, PostgresSession to) {
        List<String> wanted = new ArrayList<>(from.texts(
                "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname !~ ? ORDER BY oid",
                EdenObjects.ROLE_PATTERN));
        wanted.removeAll(to.texts("SELECT rolname FROM pg_roles"));
        return wanted;
    }

    private List<String> passwords(PostgresSession active, PostgresSession standby) {
        Set<String> same = new HashSet<>(stored(SAME).orElse(List.of()));
        for (Role role : Role.values()) {
            Backend.Login own = pair.endpoint(role).login();
            if (own != null) {
                same.remove(own.user());
            }
        }
        String[] names = same.toArray(String[]::new);
        Map<String, String> there = new HashMap<>();
        standby.query(
                "SELECT rolname, coalesce(rolpassword, '') FROM pg_authid WHERE rolname = ANY (?)",
                row -> there.put(row.getString(1), row.getString(2)),
                (Object) names);
        List<String> statements = new ArrayList<>();
        active.query(
                """
                SELECT rolname, coalesce(rolpassword, ''), format('ALTER ROLE %I PASSWORD %L VALID UNTIL %L', rolname, rolpassword, coalesce(rolvaliduntil, 'infinity'))
                FROM pg_authid WHERE rolname = ANY (?)""",
                row -> {
                    String password = there.get(row.getString(1));
                    return password != null && !password.equals(row.getString(2)) && statements.add(row.getString(3));
                },
                (Object) names);
        return statements;
    }

    private void make(PostgresSession source, PostgresSession target, List<String> wanted) {
        String[] names = wanted.toArray(String[]::new);
        List<String> there = target.texts("SELECT rolname FROM pg_roles");
        target.executeAll(source.texts("""
                SELECT format('CREATE ROLE %I WITH %s %s %s %s %s %s %s CONNECTION LIMIT %s PASSWORD %L VALID UNTIL %L', rolname,
                    CASE WHEN rolsuper THEN 'SUPERUSER' ELSE 'NOSUPERUSER' END, CASE WHEN rolinherit THEN 'INHERIT' ELSE 'NOINHERIT' END,
                    CASE WHEN rolcreaterole THEN 'CREATEROLE' ELSE 'NOCREATEROLE' END, CASE WHEN rolcreatedb THEN 'CREATEDB' ELSE 'NOCREATEDB' END,
                    CASE WHEN rolcanlogin AND NOT rolsuper THEN 'LOGIN' ELSE 'NOLOGIN' END, CASE WHEN rolreplication THEN 'REPLICATION' ELSE 'NOREPLICATION' END,
                    CASE WHEN rolbypassrls THEN 'BYPASSRLS' ELSE 'NOBYPASSRLS' END, rolconnlimit, rolpassword, coalesce(rolvaliduntil, 'infinity'))
                FROM pg_authid WHERE rolname = ANY (?) AND NOT rolname = ANY (?) ORDER BY oid""", names, there.toArray(String[]::new)));
        Set<String> present = new HashSet<>(target.texts("SELECT rolname FROM pg_roles"));
        List<String> statements = new ArrayList<>();
        List<String> impossible = new ArrayList<>();
        List<String> wider = new ArrayList<>();
        for (Membership membership : Membership.of(source, names)) {
            boolean both = present.contains(membership.role()) && present.contains(membership.member());
            (!both ? impossible : membership.fits(target.major()) ? statements : wider)
                    .add(membership.grant(target.major()));
        }
        leftOut("for want of a role there", impossible);
        leftOut("because an older server knows no membership that neither inherits nor may SET ROLE", wider);
        target.executeAll(statements);
        settings(source, names).forEach(setting -> attempt(target, setting));
        target.executeAll(source.texts(
                "SELECT format('COMMENT ON ROLE %I IS %L', rolname, shobj_description(oid, 'pg_authid')) FROM pg_roles WHERE rolname = ANY (?) AND shobj_description(oid, 'pg_authid') IS NOT NULL",
                (Object) names));
    }

    private void leftOut(String why, List<String> grants) {
        if (!grants.isEmpty()) {
            LOGGER.atWarn().addKeyValue("migration", pair.migration()).log("left out, {}: {}", why, grants);
        }
    }

    /** A setting that the target does not know is no reason to copy nothing. */
    private void attempt(PostgresSession target, Setting setting) {
        String what = setting.of() + " SET " + Sql.name(setting.name());
        target.execute("SAVEPOINT eden_setting");
        try {
            target.execute(setting.of() + " SET " + assignment(setting.name(), setting.value()));
        } catch (PostgresConnectionException e) {
            throw e;
        } catch (PostgresException e) {
            target.execute("ROLLBACK TO SAVEPOINT eden_setting");
            LOGGER.atWarn()
                    .addKeyValue("migration", pair.migration())
                    .log("the target refuses {}: {}", what, e.getMessage());
        }
        target.execute("RELEASE SAVEPOINT eden_setting");
    }

    private void rememberSame(PostgresSession source, PostgresSession target) {
        String verifiers = "SELECT rolname || ' ' || coalesce(rolpassword, '') FROM pg_authid WHERE rolname !~ ?";
        List<String> both = source.texts(verifiers, EdenObjects.ROLE_PATTERN);
        both.retainAll(new HashSet<>(target.texts(verifiers, EdenObjects.ROLE_PATTERN)));
        pair.records()
                .putIfAbsent(
                        pair.migration(),
                        pair.target(),
                        SAME,
                        encode(both.stream()
                                .map(one -> one.substring(0, one.lastIndexOf(' ')))
                                .toList()));
    }

    /** What was made on the target, or was about to be. */
    public List<String> created() {
        return stored(CREATED).orElse(List.of());
    }

    private Optional<List<String>> stored(String which) {
        return pair.records().get(pair.migration(), pair.target(), which).map(RoleCopier::decode);
    }

    private void put(String which, List<String> names) {
        pair.records().put(pair.migration(), pair.target(), which, encode(names));
    }

    private void add(String which, List<String> names) {
        Set<String> all = new LinkedHashSet<>(stored(which).orElse(List.of()));
        if (all.addAll(names)) {
            put(which, List.copyOf(all));
        }
    }

    private record Setting(String of, String name, String value) {}

    private List<Setting> settings(PostgresSession source, String[] names) {
        return source
                .query(
                        """
                SELECT r.rolname, c FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) AS c
                WHERE s.setdatabase = 0 AND r.rolname = ANY (?)""",
                        row -> {
                            String setting = row.getString(2);
                            String name = setting.substring(0, setting.indexOf('='));
                            String value = setting.substring(name.length() + 1);
                            return new Setting("ALTER ROLE " + Sql.name(row.getString(1)), name, value);
                        },
                        (Object) names)
                .stream()
                .filter(setting -> copied(setting.of(), setting.name()))
                .toList();
    }

    /** False, with a line in the log, for a setting that stays behind. */
    boolean copied(String of, String name) {
        if (!PRELOADS.contains(name)) {
            return true;
        }
        LOGGER.atWarn()
                .addKeyValue("migration", pair.migration())
                .log("not copied: {} SET {}; without the library on the target nobody could connect", of, name);
        return false;
    }

    static String assignment(String name, String value) {
        return Sql.name(name) + " TO " + (LISTS.contains(name) && !value.isEmpty() ? value : Sql.text(value));
    }

    private static String encode(List<String> names) {
        try {
            return JSON.writeValueAsString(names);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<String> decode(String json) {
        try {
            return JSON.readValue(json, new TypeReference<List<String>>() {});
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("stored roles cannot be read", e);
        }
    }
}

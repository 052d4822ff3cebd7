package dev.eden.activities.postgres.schema;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.Sql;
import dev.eden.activities.store.ServerRecords;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Makes the source's roles on the target, with their passwords' verifiers, memberships and settings, where the target has none of that name.
 * Which these are is stored before the first is made, so that a migration that is taken back can remove them.
 */
public final class RoleCopier {
    /** In {@link ServerRecords}: a JSON array of names. */
    public static final String CREATED = "created:roles";

    /** In {@link ServerRecords}: a JSON array of names. */
    private static final String SAME = "same:roles";

    private static final JsonMapper JSON = JsonMapper.builder().build();
    /** Settings whose value is a list that is quoted already (GUC_LIST_QUOTE in the server's source). */
    private static final Set<String> LISTS = Set.of(
            "search_path",
            "temp_tablespaces",
            "session_preload_libraries",
            "local_preload_libraries",
            "shared_preload_libraries",
            "unix_socket_directories");

    private final Pair pair;

    public RoleCopier(Pair pair) {
        this.pair = pair;
    }

    /** Superusers come without LOGIN: the target is fenced, and lifting its fence gives it to them. */
    public void copy(PostgresSession source, PostgresSession target) {
        List<String> there = target.texts("SELECT rolname FROM pg_roles");
        List<String> wanted = new ArrayList<>(source.texts(
                "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname !~ ? ORDER BY oid",
                EdenObjects.ROLE_PATTERN));
        wanted.removeAll(there);
        List<String> created = decode(pair.records()
                .putIfAbsent(pair.migration(), pair.endpoint(Role.TARGET).id(), CREATED, encode(wanted)));
        String[] names = created.toArray(String[]::new);
        target.execute("SET log_statement = 'none'");
        for (String statement : source.texts("""
                SELECT format('CREATE ROLE %I WITH %s %s %s %s %s %s %s CONNECTION LIMIT %s PASSWORD %L VALID UNTIL %L', rolname,
                    CASE WHEN rolsuper THEN 'SUPERUSER' ELSE 'NOSUPERUSER' END, CASE WHEN rolinherit THEN 'INHERIT' ELSE 'NOINHERIT' END,
                    CASE WHEN rolcreaterole THEN 'CREATEROLE' ELSE 'NOCREATEROLE' END, CASE WHEN rolcreatedb THEN 'CREATEDB' ELSE 'NOCREATEDB' END,
                    CASE WHEN rolcanlogin AND NOT rolsuper THEN 'LOGIN' ELSE 'NOLOGIN' END, CASE WHEN rolreplication THEN 'REPLICATION' ELSE 'NOREPLICATION' END,
                    CASE WHEN rolbypassrls THEN 'BYPASSRLS' ELSE 'NOBYPASSRLS' END, rolconnlimit, rolpassword, coalesce(rolvaliduntil, 'infinity'))
                FROM pg_authid WHERE rolname = ANY (?) AND NOT rolname = ANY (?) ORDER BY oid""", names, there.toArray(String[]::new))) {
            target.execute(statement);
        }
        List<String> statements =
                new ArrayList<>(source.texts("""
                SELECT DISTINCT format('GRANT %I TO %I%s', g.rolname, m.rolname, CASE WHEN a.admin_option THEN ' WITH ADMIN OPTION' ELSE '' END)
                FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
                WHERE (m.rolname = ANY (?) OR g.rolname = ANY (?)) AND g.rolname !~ ? AND m.rolname !~ ?""", names, names, EdenObjects.ROLE_PATTERN, EdenObjects.ROLE_PATTERN));
        statements.addAll(settings(source, names));
        target.transaction(() -> target.executeAll(statements));
        rememberSame(source, target);
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

    /** Roles that had the same password, or none, on both servers when {@link #copy} had been there. */
    public static List<String> same(String migration, String target, ServerRecords records) {
        return records.get(migration, target, SAME).map(RoleCopier::decode).orElse(List.of());
    }

    /** What {@link #copy} made, or was about to. */
    public List<String> created() {
        Optional<String> stored =
                pair.records().get(pair.migration(), pair.endpoint(Role.TARGET).id(), CREATED);
        return stored.map(RoleCopier::decode).orElse(List.of());
    }

    private static List<String> settings(PostgresSession source, String[] names) {
        return source.query(
                """
                SELECT r.rolname, c FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) AS c
                WHERE s.setdatabase = 0 AND r.rolname = ANY (?)""",
                row -> {
                    String setting = row.getString(2);
                    String name = setting.substring(0, setting.indexOf('='));
                    String value = setting.substring(name.length() + 1);
                    return "ALTER ROLE " + Sql.name(row.getString(1)) + " SET " + assignment(name, value);
                },
                (Object) names);
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

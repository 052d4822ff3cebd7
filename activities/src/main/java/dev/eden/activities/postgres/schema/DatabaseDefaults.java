package dev.eden.activities.postgres.schema;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.Sql;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What belongs to the database as a whole: its settings and those of roles in it, its comment, its owner, who may create schemas and temporary tables, and the
 * privileges that new objects get. Owner and privileges become the source's; a setting, the comment, and a default privilege of the same role, schema and kind, that the
 * target has already stays as it is. How to take it back is stored before anything is changed. CONNECT is the fence's.
 */
public final class DatabaseDefaults {
    /** In {@link dev.eden.activities.store.ServerRecords}: a JSON array of statements. */
    private static final String UNDO = "undo:database";

    private static final Logger LOGGER = LoggerFactory.getLogger(DatabaseDefaults.class);
    private static final JsonMapper JSON = JsonMapper.builder().build();
    /** Roles and schemas that went meanwhile took with them what they had. */
    private static final Set<String> GONE = Set.of("42704", "3F000");

    private final Pair pair;

    public DatabaseDefaults(Pair pair) {
        this.pair = pair;
    }

    /** Statements, and those that take them back. */
    record Change(List<String> statements, List<String> undo) {
        Change {
            statements = List.copyOf(statements);
            undo = List.copyOf(undo);
        }
    }

    /** Of the target, quoted; {@code missed}: those that were looked for in vain. */
    record Roles(Set<String> there, Set<String> missed) {
        boolean has(String role) {
            boolean found = role.equals("PUBLIC") || there.contains(role);
            if (!found) {
                missed.add(role);
            }
            return found;
        }
    }

    void copy(PostgresSession source, PostgresSession target) {
        String database = Sql.name(target.text("SELECT current_database()").orElseThrow());
        // In this order taken back, too: who owned it again has what he had.
        Roles roles = new Roles(Set.copyOf(target.texts("SELECT quote_ident(rolname) FROM pg_roles")), new TreeSet<>());
        Change ownership = ownership(source, target, database, roles);
        Change settings = settings(source, target, database);
        Change comment = comment(source, target, database);
        Change privileges = DefaultPrivileges.missing(source, target, roles);
        if (!roles.missed().isEmpty()) {
            LOGGER.atWarn()
                    .addKeyValue("migration", pair.migration())
                    .log("the target has no role {}: what the database grants it is left out", roles.missed());
        }
        List<String> undo = new ArrayList<>(ownership.undo());
        undo.addAll(settings.undo());
        undo.addAll(comment.undo());
        undo.addAll(privileges.undo());
        pair.records().putIfAbsent(pair.migration(), pair.target(), UNDO, encode(undo));
        target.transaction(() -> {
            target.executeAll(ownership.statements());
            target.executeAll(privileges.statements());
        });
        List<String> single = new ArrayList<>(settings.statements());
        single.addAll(comment.statements());
        for (String setting : single) {
            try {
                target.execute(setting);
            } catch (PostgresException e) {
                // A library or a version that the target has not: no reason to stop what can go on.
                LOGGER.atWarn()
                        .addKeyValue("migration", pair.migration())
                        .log("the target refuses {}: {}", withoutValue(setting), e.getMessage());
            }
        }
    }

    private static Change comment(PostgresSession source, PostgresSession target, String database) {
        String comments = "SELECT quote_literal(c) FROM shobj_description((SELECT oid FROM pg_database"
                + " WHERE datname = current_database()), 'pg_database') AS c WHERE c IS NOT NULL";
        String statement = "COMMENT ON DATABASE " + database + " IS ";
        return source.text(comments)
                .filter(_ -> target.text(comments).isEmpty())
                .map(text -> new Change(List.of(statement + text), List.of(statement + "NULL")))
                .orElse(new Change(List.of(), List.of()));
    }

    /** Applications keep secrets in settings of their own. */
    private static String withoutValue(String setting) {
        return setting.split(" (TO|IS) ", 2)[0];
    }

    /** The target as it was. Idempotent. */
    public void takeBack(PostgresSession target) {
        for (String statement : pair.records()
                .get(pair.migration(), pair.target(), UNDO)
                .map(DatabaseDefaults::decode)
                .orElse(List.of())) {
            try {
                target.execute(statement);
            } catch (PostgresException e) {
                if (!GONE.contains(e.sqlState())) {
                    throw e;
                }
            }
        }
    }

    private record Setting(String role, String name, String value) {
        boolean sameName(Setting other) {
            return role.equals(other.role) && name.equals(other.name);
        }
    }

    private Change settings(PostgresSession source, PostgresSession target, String database) {
        RoleCopier copier = new RoleCopier(pair);
        List<Setting> there = settings(target);
        Set<String> roles = new HashSet<>(target.texts("SELECT rolname FROM pg_roles"));
        List<String> statements = new ArrayList<>();
        List<String> undo = new ArrayList<>();
        for (Setting setting : settings(source)) {
            boolean known = setting.role().isEmpty() || roles.contains(setting.role());
            if (known && there.stream().noneMatch(setting::sameName)) {
                String what = setting.role().isEmpty()
                        ? "ALTER DATABASE " + database
                        : "ALTER ROLE " + Sql.name(setting.role()) + " IN DATABASE " + database;
                if (!copier.copied(what, setting.name())) {
                    continue;
                }
                statements.add(what + " SET " + RoleCopier.assignment(setting.name(), setting.value()));
                undo.add(what + " RESET " + Sql.name(setting.name()));
            }
        }
        return new Change(statements, undo);
    }

    private static List<Setting> settings(PostgresSession session) {
        return session.query(
                """
                SELECT coalesce(r.rolname, ''), split_part(c, '=', 1), substr(c, strpos(c, '=') + 1) FROM pg_db_role_setting s
                LEFT JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) AS c
                WHERE s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()) AND (s.setrole = 0 OR r.rolname !~ ?) ORDER BY 1, 2""",
                row -> new Setting(row.getString(1), row.getString(2), row.getString(3)),
                EdenObjects.ROLE_PATTERN);
    }

    private record Grant(String grantee, String privilege) {}

    private static Change ownership(PostgresSession source, PostgresSession target, String database, Roles roles) {
        String ownerOf =
                "SELECT quote_ident(pg_get_userbyid(datdba)) FROM pg_database WHERE datname = current_database()";
        String owner = source.text(ownerOf).orElseThrow();
        String before = target.text(ownerOf).orElseThrow();
        List<Grant> wanted = grants(source).stream()
                .filter(grant -> roles.has(grant.grantee()))
                .toList();
        List<Grant> present = grants(target);
        if (!roles.has(owner) || owner.equals(before) && wanted.equals(present)) {
            return new Change(List.of(), List.of());
        }
        Set<String> touched = new LinkedHashSet<>();
        wanted.forEach(grant -> touched.add(grant.grantee()));
        present.forEach(grant -> touched.add(grant.grantee()));
        List<String> statements = new ArrayList<>();
        List<String> undo = new ArrayList<>();
        statements.add("ALTER DATABASE " + database + " OWNER TO " + owner);
        undo.add("ALTER DATABASE " + database + " OWNER TO " + before);
        for (String grantee : touched) {
            String revoke = "REVOKE CREATE, TEMPORARY ON DATABASE " + database + " FROM " + grantee + " CASCADE";
            statements.add(revoke);
            undo.add(revoke);
        }
        wanted.forEach(grant -> statements.add(grant(grant, database)));
        present.forEach(grant -> undo.add(grant(grant, database)));
        return new Change(statements, undo);
    }

    private static String grant(Grant grant, String database) {
        String[] parts = grant.privilege().split(" ", 2);
        return "GRANT " + parts[0] + " ON DATABASE " + database + " TO " + grant.grantee()
                + (parts.length > 1 ? " " + parts[1] : "");
    }

    /** Quoted grantees. */
    private static List<Grant> grants(PostgresSession session) {
        return session.query("""
                SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END, a.privilege_type
                    || CASE WHEN bool_or(a.is_grantable) AND a.grantee <> 0 THEN ' WITH GRANT OPTION' ELSE '' END
                FROM pg_database d CROSS JOIN LATERAL aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a LEFT JOIN pg_roles r ON r.oid = a.grantee
                WHERE d.datname = current_database() AND a.privilege_type <> 'CONNECT' AND (a.grantee = 0 OR r.rolname !~ ?)
                GROUP BY a.grantee, r.rolname, a.privilege_type ORDER BY 1, 2""", row -> new Grant(row.getString(1), row.getString(2)), EdenObjects.ROLE_PATTERN);
    }

    private static String encode(List<String> statements) {
        try {
            return JSON.writeValueAsString(statements);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<String> decode(String json) {
        try {
            return JSON.readValue(json, new TypeReference<List<String>>() {});
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("what the database was cannot be read", e);
        }
    }
}

package dev.eden.activities.postgres.preflight;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.UserTables;
import dev.eden.activities.postgres.replication.AdditiveChange;
import dev.eden.activities.postgres.schema.ClientTools;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What only the two servers together show. */
final class PairFindings {
    private static final int VIRTUAL_SINCE = 18;
    private static final int COLUMN_LISTS_SINCE = 15;

    /** Distributed or partitioned storage of their own, or a replication of their own. */
    private static final List<String> UNSUPPORTED = List.of("bdr", "citus", "pglogical", "spock", "timescaledb");

    private final PostgresSession source;
    private final PostgresSession target;
    private final Findings findings;

    PairFindings(PostgresSession source, PostgresSession target, Findings findings) {
        this.source = source;
        this.target = target;
        this.findings = findings;
    }

    /**
     * @param prepared Eden has begun to copy already, so the target need not be empty any more
     * @param filled the target has the rows by other means
     */
    void check(boolean prepared, boolean filled) {
        // A copy of the files has the same identifier and is another server all the same.
        String identifier =
                "SELECT system_identifier || ' ' || extract(epoch FROM pg_postmaster_start_time()) FROM pg_control_system()";
        if (source.text(identifier).equals(target.text(identifier))) {
            findings.failure(
                    "postgres.server.same",
                    "Source and target are the same server: its roles and slots are shared by all its databases.",
                    "Name a target on another server.");
            return;
        }
        if (!prepared) {
            new WayBackFindings(source, target, findings).check();
        }
        versions();
        texts();
        collations();
        extensions();
        roles();
        if (!prepared) {
            tables(filled);
            schemaTools();
        }
    }

    private void versions() {
        if (target.major() < source.major()) {
            findings.warning(
                    "postgres.version.downgrade",
                    "The target (PostgreSQL " + target.major() + ") is older than the source (" + source.major()
                            + "): what only the newer one knows cannot be made there.",
                    "Run preflight again after the schema was changed.");
        }
        if (target.major() < VIRTUAL_SINCE && source.major() >= VIRTUAL_SINCE) {
            List<String> virtual = source.texts(
                    "SELECT c.oid::regclass || '.' || a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE a.attgenerated = 'v' AND NOT a.attisdropped");
            if (!virtual.isEmpty()) {
                findings.failure(
                        "postgres.columns.virtual",
                        "The target does not know virtual generated columns: " + Findings.some(virtual) + ".",
                        "Make them STORED, or choose a target of version " + VIRTUAL_SINCE + ".");
            }
        }
    }

    private void texts() {
        String encoding = "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()";
        String here = source.text(encoding).orElse("");
        String there = target.text(encoding).orElse("");
        if (!here.equals(there) && !there.equals("UTF8")) {
            findings.failure(
                    "postgres.encoding",
                    "The source's encoding is " + here + ", the target's " + there
                            + ": not every text can be stored there.",
                    "Create the target's database with encoding " + here + " or UTF8.");
        } else if (here.equals("SQL_ASCII") && !here.equals(there)) {
            findings.failure(
                    "postgres.encoding",
                    "The source's encoding is SQL_ASCII: nobody knows what its texts are encoded in, and " + there
                            + " does not take every one.",
                    "Create the target's database with encoding SQL_ASCII.");
        } else if (!here.equals(there)) {
            findings.warning(
                    "postgres.encoding",
                    "The source's encoding is " + here + ", the target's " + there
                            + ": the way back cannot take texts that " + here + " does not have.",
                    "Create the target's database with encoding " + here + ".");
        }
        // What a version does not know yet is absent from the row, and the library's collations are meant.
        String collation = """
                SELECT concat_ws('/', datcollate, datctype, CASE coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') WHEN 'c' THEN NULL ELSE
                    coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') END)
                FROM pg_database d WHERE datname = current_database()""";
        String orderHere = source.text(collation).orElse("");
        String orderThere = target.text(collation).orElse("");
        if (!orderHere.equals(orderThere)) {
            findings.warning(
                    "postgres.collation",
                    "The databases sort text differently by default (" + orderHere + " and " + orderThere
                            + "): results may come in another order after the cutover.",
                    "Create the target's database with the source's locale.");
        }
    }

    /** Those that a column or a domain names; the ones of the database's own schemas are copied or named elsewhere. */
    private void collations() {
        List<String> wanted = new ArrayList<>(source.texts("""
                SELECT DISTINCT l.collname FROM pg_collation l JOIN pg_namespace s ON s.oid = l.collnamespace WHERE s.nspname = 'pg_catalog'
                    AND (EXISTS (SELECT FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                            WHERE a.attcollation = l.oid AND NOT a.attisdropped AND OWN)
                        OR EXISTS (SELECT FROM pg_type t WHERE t.typcollation = l.oid AND t.typtype = 'd' AND t.oid > 16383)) ORDER BY 1""".replace("OWN", UserTables.OWN_RELATION)));
        wanted.removeAll(target.texts(
                "SELECT collname FROM pg_collation WHERE collnamespace = 'pg_catalog'::regnamespace AND collencoding IN (-1,"
                        + " (SELECT encoding FROM pg_database WHERE datname = current_database()))"));
        if (!wanted.isEmpty()) {
            findings.failure(
                    "postgres.collations.missing",
                    "Columns sort by collations that the target's server does not have: " + Findings.some(wanted) + ".",
                    "Install their locales on the target and run pg_import_system_collations('pg_catalog') there.");
        }
    }

    private void extensions() {
        List<String> wanted = source.texts("SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1");
        List<String> missing = new ArrayList<>(wanted);
        missing.removeAll(target.texts("SELECT name FROM pg_available_extensions"));
        if (!missing.isEmpty()) {
            findings.failure(
                    "postgres.extensions.missing",
                    "The target's server does not have these extensions: " + Findings.some(missing) + ".",
                    "Install their packages on the target.");
        }
        List<String> unsupported = new ArrayList<>(wanted);
        unsupported.retainAll(UNSUPPORTED);
        if (!unsupported.isEmpty()) {
            findings.failure(
                    "postgres.extensions.unsupported",
                    "These extensions keep rows where a publication does not see them, or replicate by themselves: "
                            + Findings.some(unsupported) + ".",
                    "Move such a database by the extension's own means.");
        }
        Map<String, String> there = new HashMap<>();
        target.query(
                "SELECT name, string_agg(version, ' ') FROM pg_available_extension_versions GROUP BY 1",
                row -> there.put(row.getString(1), " " + row.getString(2) + " "));
        List<String> versions = new ArrayList<>();
        source.query(
                "SELECT extname, extversion FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1",
                row -> there.containsKey(row.getString(1))
                        && !there.get(row.getString(1)).contains(" " + row.getString(2) + " ")
                        && versions.add(row.getString(1) + " " + row.getString(2)));
        if (!versions.isEmpty()) {
            findings.warning(
                    "postgres.extensions.version",
                    "The target's server has these extensions in other versions only, and gets its default one: "
                            + Findings.some(versions) + ".",
                    "Install the source's version on the target, or try the application with the other one.");
        }
        List<String> configured = source.texts(
                "SELECT extname FROM pg_extension WHERE extconfig IS NOT NULL AND extname <> 'plpgsql' ORDER BY 1");
        if (!configured.isEmpty()) {
            findings.warning(
                    "postgres.extensions.tables",
                    "The tables of these extensions are not copied: " + Findings.some(configured) + ".",
                    "Fill them on the target by hand.");
        }
    }

    private void roles() {
        String all =
                "SELECT rolname, coalesce(rolpassword, '') FROM pg_authid WHERE rolname !~ '^pg_' AND rolname !~ ?";
        Map<String, String> there = new HashMap<>();
        target.query(all, row -> there.put(row.getString(1), row.getString(2)), EdenObjects.ROLE_PATTERN);
        List<String> copied = new ArrayList<>();
        List<String> different = new ArrayList<>();
        source.query(
                all + " ORDER BY 1",
                row -> {
                    String verifier = there.get(row.getString(1));
                    if (verifier == null) {
                        return copied.add(row.getString(1));
                    }
                    return !verifier.equals(row.getString(2)) && different.add(row.getString(1));
                },
                EdenObjects.ROLE_PATTERN);
        if (!copied.isEmpty()) {
            findings.info(
                    "postgres.roles.copied",
                    "These roles of the source are made on the target, with their passwords' verifiers: "
                            + Findings.some(copied) + ".");
        }
        if (!different.isEmpty()) {
            findings.warning(
                    "postgres.roles.differ",
                    "These roles exist on both servers with different passwords (or the same one salted differently); the target's stay: "
                            + Findings.some(different) + ".",
                    "Drop them on the target, or copy rolpassword of the source: clients that log in by SCRAM through the proxy need the same verifier on both.");
        }
    }

    /** What the catalogue copier leaves out, by name, unless a client copies it; publications in any case. */
    private void schemaTools() {
        Optional<ClientTools> tools = ClientTools.find(source.major(), target.major());
        boolean empty = UserTables.leaves(target).isEmpty();
        List<String> kinds = new ArrayList<>();
        List<String> remedies = new ArrayList<>();
        if (tools.isPresent() && empty) {
            findings.info(
                    "postgres.schema.client",
                    "The schema is copied by pg_dump " + tools.get().major() + " from this host.");
        } else {
            kinds.addAll(NotCopied.kinds(source));
            if (!kinds.isEmpty()) {
                int version = Math.max(source.major(), target.major());
                remedies.add(
                        empty
                                ? "Install the package postgresql-client-" + version
                                        + " (or a later one) where Eden's server runs: then pg_dump copies them."
                                : "Make them on the target beforehand, as its tables were made.");
            }
        }
        List<String> publications = NotCopied.publications(source);
        if (!publications.isEmpty()) {
            kinds.add(Findings.some(publications));
            remedies.add("Publications are never copied: make them on the target before the cutover.");
        }
        if (!kinds.isEmpty()) {
            findings.warning(
                    "postgres.schema.not_copied",
                    "Eden leaves these out when it copies the schema: " + String.join(", ", kinds) + ".",
                    String.join(" ", remedies));
        }
    }

    private record Column(String table, String name, String type, boolean required) {}

    /** A target that has tables already: rows are refused, a wider schema is not. */
    private void tables(boolean filled) {
        List<String> withRows = new ArrayList<>();
        for (String table : UserTables.leaves(target)) {
            if (target.is("SELECT EXISTS (SELECT FROM " + table + ")")) {
                withRows.add(table);
            }
        }
        if (!withRows.isEmpty() && filled) {
            findings.info(
                    "postgres.target.not_empty",
                    "The target has rows already, as data.type none says. What differs is found and repaired by validation.");
        } else if (!withRows.isEmpty()) {
            findings.failure(
                    "postgres.target.not_empty",
                    "The target has rows already: " + Findings.some(withRows) + ".",
                    "Empty or drop these tables, or name another database.");
        }
        Map<String, Column> there = columns(target);
        Map<String, Column> here = columns(source);
        List<String> tables =
                there.values().stream().map(Column::table).distinct().toList();
        List<String> wrong = new ArrayList<>();
        List<String> wider = new ArrayList<>();
        here.forEach((key, column) -> {
            if (tables.contains(column.table())) {
                compare(key, column, there.get(key), wrong, wider);
            }
        });
        List<String> shared =
                here.values().stream().map(Column::table).distinct().toList();
        there.forEach((key, column) -> {
            if (shared.contains(column.table()) && !here.containsKey(key)) {
                (column.required() ? wrong : wider).add(key);
            }
        });
        if (!wrong.isEmpty()) {
            findings.failure(
                    "postgres.target.schema",
                    "Tables that the target has already cannot take the source's rows: " + Findings.some(wrong) + ".",
                    "Give each missing column, give additional ones a default, make each type the source's or a wider one of its kind, or drop the tables.");
        }
        boolean more = there.entrySet().stream()
                .anyMatch(column -> !here.containsKey(column.getKey())
                        && shared.contains(column.getValue().table()));
        if (more && target.major() < COLUMN_LISTS_SINCE) {
            findings.failure(
                    "postgres.target.schema_way_back",
                    "The target has columns that the source has not, and PostgreSQL " + target.major()
                            + " cannot leave them out when it replicates back.",
                    "Choose a target of version " + COLUMN_LISTS_SINCE + " or later, or drop the columns.");
        }
        if (!wider.isEmpty()) {
            findings.warning(
                    "postgres.target.schema_wider",
                    "Tables that the target has already differ from the source's: " + Findings.some(wider)
                            + ". What the source has not is not compared, and does not come back with a rollback.",
                    "Nothing, if this is wanted.");
        }
    }

    private static void compare(
            String key, Column here, @Nullable Column there, List<String> wrong, List<String> wider) {
        if (there == null) {
            wrong.add(key);
        } else if (!there.type().equals(here.type())) {
            (AdditiveChange.wider(here.type(), there.type()) ? wider : wrong)
                    .add(key + " (" + here.type() + " → " + there.type() + ")");
        }
    }

    private static Map<String, Column> columns(PostgresSession session) {
        Map<String, Column> all = new java.util.LinkedHashMap<>();
        session.query(
                "SELECT format('%I.%I', n.nspname, c.relname), a.attname, format_type(a.atttypid, a.atttypmod),"
                        + " a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
                        + " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND "
                        + UserTables.OWN_RELATION + " ORDER BY 1, a.attnum",
                row -> all.put(
                        row.getString(1) + "." + row.getString(2),
                        new Column(row.getString(1), row.getString(2), row.getString(3), row.getBoolean(4))));
        return all;
    }
}

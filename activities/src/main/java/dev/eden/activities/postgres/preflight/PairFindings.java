package dev.eden.activities.postgres.preflight;

import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.UserTables;
import dev.eden.activities.postgres.schema.ClientTools;
import dev.eden.activities.postgres.schema.NotCopied;
import dev.eden.activities.postgres.schema.TargetObjects;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What only the two servers together show. */
final class PairFindings {
    private static final int VIRTUAL_SINCE = 18;

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
     * @param configured roles whose passwords proxies have been given
     */
    void check(boolean prepared, boolean filled, Set<String> configured) {
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
            new NameFindings(source, target, findings).check();
        }
        versions();
        texts();
        collations();
        extensions();
        new RoleFindings(source, target, findings).check(prepared, configured);
        if (!prepared) {
            new TableFindings(source, target, findings).check(filled);
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
        } else if (here.equals("SQL_ASCII")) {
            findings.warning(
                    "postgres.encoding",
                    "The encoding of both is SQL_ASCII: a text that is no UTF-8 stops the load, with SQLSTATE 22021.",
                    "Look for such texts and correct them, or give the source a database with the encoding that they have.");
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
        extensionVersions();
        List<String> configured = source.texts(
                "SELECT extname FROM pg_extension WHERE extconfig IS NOT NULL AND extname <> 'plpgsql' ORDER BY 1");
        if (!configured.isEmpty()) {
            findings.warning(
                    "postgres.extensions.tables",
                    "The tables of these extensions are not copied: " + Findings.some(configured) + ".",
                    "Fill them on the target by hand.");
        }
    }

    /** Nothing names a version where extensions are made: what comes is the target's default one, or what is there already. */
    private void extensionVersions() {
        Map<String, String> there = new HashMap<>();
        target.query(
                "SELECT name, coalesce(installed_version, default_version) FROM pg_available_extensions",
                row -> there.put(row.getString(1), row.getString(2)));
        Set<String> possible =
                new HashSet<>(target.texts("SELECT name || ' ' || version FROM pg_available_extension_versions"));
        List<String> elsewhere = new ArrayList<>();
        List<String> others = new ArrayList<>();
        source.query("SELECT extname, extversion FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1", row -> {
            String name = row.getString(1);
            String here = row.getString(2);
            String other = there.get(name);
            return other != null
                    && !other.equals(here)
                    && (possible.contains(name + " " + here) ? others : elsewhere)
                            .add(name + " (" + here + ", there " + other + ")");
        });
        if (!elsewhere.isEmpty()) {
            findings.warning(
                    "postgres.extensions.version",
                    "The target's server has these extensions in other versions only: " + Findings.some(elsewhere)
                            + ".",
                    "Install the source's version on the target, or try the application with the other one.");
        }
        if (!others.isEmpty()) {
            findings.info(
                    "postgres.extensions.version",
                    "These extensions get another version than the source's: " + Findings.some(others)
                            + ". Where the application needs the source's, CREATE EXTENSION … VERSION on the target before the migration.");
        }
    }

    /** What the catalogue copier leaves out, by name, unless a client copies it; publications in any case. */
    private void schemaTools() {
        Optional<ClientTools> tools = ClientTools.find(source.major(), target.major());
        boolean empty = TargetObjects.there(source, target).isEmpty();
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
                                : "Make them on the target beforehand, as what it has already was made, or let its database be empty.");
            }
        }
        List<String> publications = NotCopied.publications(source);
        if (!publications.isEmpty()) {
            kinds.add(Findings.some(publications));
            remedies.add("Publications are never copied: make them on the target before the cutover.");
        }
        List<String> tablespaces = NotCopied.tablespaces(source);
        tablespaces.removeAll(
                target.texts(
                        "SELECT 'tablespace ' || quote_ident(s.spcname) FROM pg_database d JOIN pg_tablespace s ON s.oid = d.dattablespace WHERE d.datname = current_database()"));
        if (!tablespaces.isEmpty()) {
            kinds.add(Findings.some(tablespaces));
            remedies.add(
                    "Everything comes to the tablespace of the target's database: see that it has room, and move what needs another one after the migration.");
        }
        if (!kinds.isEmpty()) {
            findings.warning(
                    "postgres.schema.not_copied",
                    "Eden leaves these out when it copies the schema: " + String.join(", ", kinds) + ".",
                    String.join(" ", remedies));
        }
    }
}

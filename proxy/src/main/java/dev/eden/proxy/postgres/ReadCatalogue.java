package dev.eden.proxy.postgres;

import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the names in a query can mean, as the catalogues of both servers say. A name is admitted only if everything of that name, in whatever
 * schema, is admitted: so nobody has to know how a name is resolved. Immutable.
 */
final class ReadCatalogue {
    private static final int MOST_NESTED = 16;

    /**
     * Of relations that can be named without {@code pg_} or {@code information_schema}: tables that the publication carries whole (with all
     * partitions and children, without column list, filter or row security), views with their text, and everything else. The signature is what
     * {@code SELECT *} gives, with the numbers of types that clients are told; none is the same where a column's values are numbers of the server's own.
     */
    private static final String RELATIONS = """
            SELECT 'relation', c.relname, CASE WHEN c.relkind = 'v' THEN 'view'
                WHEN c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND NOT EXISTS (
                    WITH RECURSIVE family(id) AS (SELECT c.oid UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN family ON i.inhparent = family.id)
                    SELECT FROM family JOIN pg_catalog.pg_class m ON m.oid = family.id JOIN pg_catalog.pg_namespace s ON s.oid = m.relnamespace
                    WHERE m.relrowsecurity OR m.relpersistence <> 'p' OR m.relkind NOT IN ('r', 'p')
                        OR m.relkind = 'r' AND NOT EXISTS (SELECT FROM pg_catalog.pg_publication_tables t
                            WHERE t.pubname = %1$s AND t.schemaname = s.nspname AND t.tablename = m.relname)
                        OR EXISTS (SELECT FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid
                            WHERE p.pubname = %1$s AND r.prrelid = m.oid
                                AND (pg_catalog.to_jsonb(r) ->> 'prattrs' IS NOT NULL OR pg_catalog.to_jsonb(r) ->> 'prqual' IS NOT NULL)))
                THEN 'table' ELSE 'other' END,
                n.nspname || '.' || (SELECT pg_catalog.string_agg(a.attname || ' ' || pg_catalog.format_type(a.atttypid, a.atttypmod) || %2$s, ',' ORDER BY a.attnum)
                    FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
                CASE WHEN c.relkind = 'v' THEN pg_catalog.pg_get_viewdef(c.oid) END, NULL
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind NOT IN ('i', 'I', 't', 'c') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')""";

    /**
     * By what the server says of their volatility; of aggregates, that of their parts. Stable ones may look at anything: built-in ones are judged by name,
     * others by their text, which has to be SQL. What they give is part of the signature; not where it takes an argument of that type to be called
     * instead of a built-in one ({@code max} of an extension's type), unless that takes a server's own numbers.
     */
    private static final String FUNCTIONS = ("""
            SELECT 'function', p.proname, CASE WHEN n.nspname = 'pg_catalog' THEN 'own' ELSE 'made' END, p.provolatile::text,
                CASE WHEN n.nspname = 'pg_catalog' THEN '' ELSE n.nspname || '.' || p.proname || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')'
                    || CASE WHEN l.lanname = 'c' THEN '' ELSE pg_catalog.md5(p.prosrc) END
                    || coalesce((SELECT pg_catalog.string_agg(%s, '' ORDER BY x.n)
                        FROM pg_catalog.unnest(p.proallargtypes || p.prorettype) WITH ORDINALITY AS x(id, n) WHERE x.id <> ALL (p.proargtypes)
                            OR NOT EXISTS (SELECT FROM pg_catalog.pg_proc b WHERE b.proname = p.proname AND b.pronamespace = 'pg_catalog'::pg_catalog.regnamespace)), '')
                    || %s END,
                CASE WHEN n.nspname <> 'pg_catalog' AND p.provolatile = 's' AND l.lanname = 'sql' AND p.prosqlbody IS NULL AND p.proconfig IS NULL
                    AND NOT p.prosecdef THEN p.prosrc END
            FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace JOIN pg_catalog.pg_language l ON l.oid = p.prolang
            WHERE n.nspname <> 'information_schema' AND p.prokind <> 'p'
            UNION ALL SELECT 'function', p.proname, 'made', 'v', '', NULL FROM pg_catalog.pg_aggregate a JOIN pg_catalog.pg_proc p ON p.oid = a.aggfnoid
            WHERE p.oid >= 16384 AND EXISTS (SELECT FROM pg_catalog.pg_proc f WHERE f.provolatile = 'v'
                AND f.oid IN (a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn))""").formatted(SentTypes.of("x.id"), SentTypes.taken("p.proargtypes"));

    /** What runs without being named: then nothing is admitted. */
    private static final String UNNAMED = """
            SELECT 'unnamed', p.proname, '', '', '', NULL FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
            WHERE p.oid >= 16384 AND (p.provolatile = 'v' OR p.provolatile = 's' AND l.lanname NOT IN ('c', 'internal')) AND (
                p.oid IN (SELECT castfunc FROM pg_catalog.pg_cast) OR p.oid IN (SELECT oprcode FROM pg_catalog.pg_operator)
                OR p.oid IN (SELECT amproc FROM pg_catalog.pg_amproc)
                OR p.oid IN (SELECT typinput FROM pg_catalog.pg_type UNION SELECT typoutput FROM pg_catalog.pg_type
                    UNION SELECT typreceive FROM pg_catalog.pg_type UNION SELECT typsend FROM pg_catalog.pg_type))""";

    /** Casts to domains run their constraints. */
    private static final String DOMAINS = """
            SELECT 'domain', t.typname, '', '', '', NULL FROM pg_catalog.pg_type t WHERE t.typtype = 'd'
                AND EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid)""";

    /** {@code publication}: by which the active side's tables reach the other. */
    static String query(String publication) {
        return RELATIONS.formatted(Settings.literal(publication), SentTypes.of("a.atttypid")) + " UNION ALL "
                + FUNCTIONS + " UNION ALL " + UNNAMED + " UNION ALL " + DOMAINS + " UNION ALL " + SentTypes.NAMED;
    }

    /** Built-in functions that are only stable because they look at settings that both sides share, or at what they are given. */
    private static final Set<String> STABLE = Set.of(
            "to_char",
            "to_date",
            "to_timestamp",
            "to_number",
            "date_trunc",
            "date_part",
            "extract",
            "timezone",
            "make_timestamptz",
            "to_json",
            "to_jsonb",
            "row_to_json",
            "array_to_json",
            "json_build_array",
            "json_build_object",
            "jsonb_build_array",
            "jsonb_build_object",
            "json_agg",
            "jsonb_agg",
            "json_object_agg",
            "jsonb_object_agg",
            "concat",
            "concat_ws",
            "format",
            "array_to_string",
            "string_to_array",
            "quote_nullable",
            "to_tsvector",
            "to_tsquery",
            "plainto_tsquery",
            "phraseto_tsquery",
            "websearch_to_tsquery",
            "generate_series",
            "overlaps",
            "date",
            "time",
            "timestamp",
            "timestamptz",
            "text",
            "interval");

    /** Nothing known: nothing is admitted. */
    static final ReadCatalogue NONE = new ReadCatalogue();

    private enum Relation {
        TABLE,
        VIEW,
        OTHER
    }

    private final Map<String, Relation> relations = new HashMap<>();
    private final Set<String> functions = new HashSet<>();
    /** Of the users': named anywhere, even as a column, they may run. */
    private final Set<String> refused = new HashSet<>();
    /** Types that clients are told by other numbers there. */
    private final Set<String> renumbered = new HashSet<>();
    /** Built-in ones that only run where they are called. */
    private final Set<String> notCalled = new HashSet<>();

    private @Nullable String unnamed = "unknown_catalogue";

    private ReadCatalogue() {}

    /** What both sides' answers to {@link #query} say; the standby's tells only what is the same there. */
    ReadCatalogue(List<@Nullable String[]> active, List<@Nullable String[]> standby) {
        unnamed = null;
        Set<String> there = new HashSet<>();
        for (@Nullable String[] row : standby) {
            switch (text(row, 0)) {
                case "relation" -> there.add("relation " + text(row, 1) + " " + text(row, 3));
                case "function" -> there.add("function " + text(row, 4));
                case "type" -> there.add("type " + text(row, 3));
                case "unnamed" -> unnamed = "volatile_type";
                default -> {
                    // the active side's count
                }
            }
        }
        Map<String, String> views = new HashMap<>();
        Map<String, String> bodies = new HashMap<>();
        for (@Nullable String[] row : active) {
            String name = text(row, 1);
            switch (text(row, 0)) {
                case "relation" -> {
                    boolean same = same(there, "relation " + name + " ", text(row, 3));
                    Relation relation = !same
                            ? Relation.OTHER
                            : switch (text(row, 2)) {
                                case "table" -> Relation.TABLE;
                                case "view" -> Relation.VIEW;
                                default -> Relation.OTHER;
                            };
                    relations.merge(name, relation, (one, other) -> one == other ? one : Relation.OTHER);
                    if (relation == Relation.VIEW) {
                        views.merge(
                                name,
                                text(row, 4),
                                (one, other) -> one + " ; " + other); // two of a name: refused as two statements
                    }
                }
                case "function" -> function(row, name, there, bodies);
                case "type" -> {
                    if (!same(there, "type ", text(row, 3))) {
                        renumbered.add(name);
                    }
                }
                case "unnamed" -> unnamed = "volatile_type";
                default -> refused.add(name);
            }
        }
        bodies.keySet().removeAll(refused);
        refused.addAll(bodies.keySet());
        functions.removeAll(refused);
        admit(views, bodies);
    }

    private static boolean same(Set<String> there, String kind, String signature) {
        return there.contains(kind + signature) && !signature.contains(SentTypes.LOCAL);
    }

    private void function(@Nullable String[] row, String name, Set<String> there, Map<String, String> bodies) {
        boolean own = text(row, 2).equals("own");
        boolean immutable = text(row, 3).equals("i");
        boolean same = own || same(there, "function ", text(row, 4));
        if (same && (immutable || own && text(row, 3).equals("s") && STABLE.contains(name))) {
            functions.add(name);
        } else if (own) {
            notCalled.add(name);
        } else if (same && row[5] != null) {
            bodies.merge(
                    name,
                    text(row, 5),
                    (one, other) -> one + " ; " + other); // two of a name: refused as two statements
        } else {
            refused.add(name);
        }
    }

    /** A view is what its text is, and so is a function; those of others take some rounds. */
    private void admit(Map<String, String> views, Map<String, String> bodies) {
        for (int round = 0; round < MOST_NESTED; round++) {
            boolean more = views.entrySet().removeIf(view -> {
                boolean read = reads(view.getValue());
                if (read) {
                    relations.put(view.getKey(), Relation.TABLE);
                }
                return read;
            });
            more |= bodies.entrySet().removeIf(body -> {
                boolean read = reads(body.getValue());
                if (read) {
                    refused.remove(body.getKey());
                    functions.add(body.getKey());
                }
                return read;
            });
            if (!more) {
                return;
            }
        }
    }

    private boolean reads(String sql) {
        byte[] text = sql.getBytes(StandardCharsets.UTF_8);
        return ReadText.judge(this, Unpooled.wrappedBuffer(text), 0, text.length)
                        .reason()
                == null;
    }

    private static String text(@Nullable String[] row, int column) {
        return text(row[column]);
    }

    private static String text(@Nullable String value) {
        return value == null ? "" : value;
    }

    /** Why nothing at all is admitted; null: it depends. */
    @Nullable
    String unnamed() {
        return unnamed;
    }

    /** Null: no relation of that name; true: its rows are the same on both sides, once replayed. */
    @Nullable
    Boolean table(String name) {
        Relation relation = relations.get(name);
        return relation == null ? null : relation == Relation.TABLE;
    }

    /** A name that may run something volatile whatever stands around it. */
    boolean refused(String name) {
        return refused.contains(name);
    }

    /** The name of a type that clients are told by another number there. */
    boolean renumbered(String name) {
        return renumbered.contains(name);
    }

    /** True where everything of that name may be called; null: there is none. */
    @Nullable
    Boolean function(String name) {
        if (refused.contains(name) || notCalled.contains(name)) {
            return false;
        }
        return functions.contains(name) ? true : null;
    }
}

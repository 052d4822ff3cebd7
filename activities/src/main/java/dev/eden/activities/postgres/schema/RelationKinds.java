package dev.eden.activities.postgres.schema;

import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.UserTables;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What has a name on both sides: the same kind of thing, of the same persistence, in the same place among partitions and children. */
public final class RelationKinds {
    /** Bounds without quotes, which come and go with the type of the key. */
    private static final String RELATIONS = """
            SELECT format('%I.%I', n.nspname, c.relname), CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
                    WHEN 'f' THEN 'foreign table' WHEN 'S' THEN 'sequence' ELSE 'index' END,
                c.relkind IN ('r', 'p') AND c.relpersistence = 'u', CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,
                CASE WHEN c.relkind IN ('r', 'p', 'f') THEN (SELECT string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno) FROM pg_inherits i WHERE i.inhrelid = c.oid) END,
                CASE WHEN c.relispartition AND c.relkind IN ('r', 'p', 'f') THEN replace(pg_get_expr(c.relpartbound, c.oid), '''', '') END
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'i', 'I') AND OWN ORDER BY 1""".replace("OWN", UserTables.OWN_RELATION);

    private RelationKinds() {}

    /**
     * @param parents what it is a partition of, or inherits from
     * @param bound of a partition
     */
    private record Relation(
            String kind,
            boolean unlogged,
            @Nullable String key,
            @Nullable String parents,
            @Nullable String bound) {
        private String place() {
            return parents == null
                    ? ""
                    : bound == null ? "child of " + parents : "partition of " + parents + " " + bound;
        }

        private String partitioned() {
            return key == null ? "" : PlainText.of(key);
        }
    }

    /** {@code wrong}: rows could not be loaded, or not replicated both ways. */
    public static void compare(PostgresSession source, PostgresSession target, List<String> wrong, List<String> wider) {
        Map<String, Relation> here = relations(source);
        Map<String, Relation> there = relations(target);
        there.forEach((name, other) -> {
            Relation one = here.get(name);
            if (one != null) {
                compare(name, one, other, wrong, wider);
            } else if (other.bound() != null && other.parents() != null && here.containsKey(other.parents())) {
                wrong.add(name + " (partition that the source has not)");
            }
        });
    }

    private static void compare(String name, Relation here, Relation there, List<String> wrong, List<String> wider) {
        if (!here.kind().equals(there.kind())) {
            wrong.add(name + " (" + here.kind() + " → " + there.kind() + ")");
            return;
        }
        if (here.unlogged() != there.unlogged()) {
            (there.unlogged() ? wrong : wider).add(name + (there.unlogged() ? " (unlogged)" : " (not unlogged)"));
        }
        if (!here.partitioned().equals(there.partitioned())) {
            wrong.add(name + " (by " + here.partitioned() + " → " + there.partitioned() + ")");
        }
        if (!here.place().equals(there.place())) {
            wrong.add(name + " (" + said(here.place()) + " → " + said(there.place()) + ")");
        }
    }

    private static String said(String place) {
        return place.isEmpty() ? "by itself" : place;
    }

    private static Map<String, Relation> relations(PostgresSession session) {
        Map<String, Relation> all = new LinkedHashMap<>();
        session.query(
                RELATIONS,
                row -> all.put(
                        PlainText.names(row.getString(1)),
                        new Relation(
                                row.getString(2),
                                row.getBoolean(3),
                                row.getString(4),
                                row.getString(5) == null ? null : PlainText.names(row.getString(5)),
                                row.getString(6))));
        return all;
    }
}

package dev.eden.activities.postgres;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;

/**
 * The names of everything Eden makes on either server for a migration. Both servers get the same: what has a direction is told apart by
 * the server it is on. Names are at most 63 bytes and plain ASCII, as slots want them (PostgreSQL documentation, "Logical Replication").
 *
 * @param base {@code eden_} and the migration's id, as far as it fits
 */
public record EdenObjects(String base) {
    private static final int LONGEST = 40;

    /** Matches Eden's roles of whatever migration: never fenced. POSIX syntax. */
    public static final String ROLE_PATTERN = "^eden_.*_(control|apply|link|proxy)$";

    public static EdenObjects of(String migration) {
        String plain = migration.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9_]", "_");
        if (!plain.equals(migration) || plain.length() > LONGEST) {
            plain = plain.substring(0, Math.min(plain.length(), LONGEST - 9)) + "_" + digest(migration);
        }
        return new EdenObjects("eden_" + plain);
    }

    /** Superuser; does everything a migration needs. */
    public String control() {
        return base + "_control";
    }

    /** Owns the subscription by which this server is written; without LOGIN its worker cannot start. */
    public String apply() {
        return base + "_apply";
    }

    /** By which the other server's subscription logs in here. */
    public String link() {
        return base + "_link";
    }

    /** The proxies' own. */
    public String proxy() {
        return base + "_proxy";
    }

    public String schema() {
        return base;
    }

    /** Publication, slot and subscription of the data. */
    public String main() {
        return base + "_main";
    }

    /** Publication, slot and subscription by which a way is proven before it is needed. */
    public String probe() {
        return base + "_probe";
    }

    /** A table with a row of id 1 (lag) and one of id 2 (cutover), written on that side only, published with the data. */
    public String marker(Role side) {
        return Sql.name(schema(), markerTable(side));
    }

    public String markerTable(Role side) {
        return "marker_" + side.text();
    }

    /** A table of one row, written on that side only, published by {@link #probe}. */
    public String probeTable(Role side) {
        return Sql.name(schema(), "probe_" + side.text());
    }

    /** One row: the epoch of the last committed route under which this server may be written by replication. */
    public String state() {
        return Sql.name(schema(), "state");
    }

    /** On the target: the tables whose rows are all there, as of the forward slot's beginning. */
    public String loaded() {
        return Sql.name(schema(), "loaded");
    }

    /** One row: the latest generation that the first load was begun, gone on with or taken apart under. */
    public String loader() {
        return Sql.name(schema(), "loader");
    }

    /** On the server that owns writes: what Eden has said to a change of the schema that waits for it. */
    public String answers() {
        return Sql.name(schema(), "answers");
    }

    /** On the standby: changes of the schema that it has already, and whose statement on the other side has not ended yet. */
    public String carried() {
        return Sql.name(schema(), "carried");
    }

    /** First half of the advisory locks that sessions hold while their change of a table's schema is under way; the second is the table's oid. */
    public int changesKey() {
        return new java.math.BigInteger(digest(base + "changes"), 16).intValue() & Integer.MAX_VALUE;
    }

    /** Event triggers against changes of the schema; {@code event}: start, ddl or drop. */
    public String freeze(String event) {
        return base + "_freeze_" + event;
    }

    /** A slot that lives for a moment. */
    public String passing() {
        return base + "_passing";
    }

    /** Key of the advisory lock that orders a turn against everything replication changes on this server. */
    public long lockKey() {
        return new java.math.BigInteger(digest(base) + digest(base + "lock"), 16).longValue();
    }

    /** {@code application_name} of a session. */
    public String session(String part) {
        return base + ":" + part;
    }

    private static String digest(String text) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash, 0, 4);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Which of the migration's two endpoints a server is; does not change with a flip. */
    public enum Role {
        SOURCE,
        TARGET;

        String text() {
            return name().toLowerCase(Locale.ROOT);
        }

        public Role other() {
            return this == SOURCE ? TARGET : SOURCE;
        }
    }
}

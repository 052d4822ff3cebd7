package dev.eden.api.store;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.Objects;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.transaction.TransactionIsolationLevel;
import org.jspecify.annotations.Nullable;

/**
 * Walks the audit log's chain: entry by entry, each holding the hash of the one before. Who can write to the store past Eden can also
 * write a whole new chain: that shows only against a head kept elsewhere, which every verification answers.
 */
public final class AuditChain {
    private static final byte[] START = sha256("eden audit log".getBytes(StandardCharsets.UTF_8));
    private static final int FETCH = 1_000;

    /** The text that is hashed is put together here and not by the store's own function, which could have been replaced. */
    private static final String ENTRIES = """
            SELECT id, position, previous, hash,
                jsonb_build_array(position, id, (extract(epoch FROM at) * 1000000)::bigint, actor, event, subject, migration, phase, revision,
                    reason, before, after)::text AS text
            FROM audit_log ORDER BY position NULLS LAST, id""";

    private final Jdbi jdbi;

    public AuditChain(Jdbi jdbi) {
        this.jdbi = jdbi;
    }

    /**
     * @param entries how many were looked at
     * @param head hash of the last good entry, hexadecimal; null where there is none
     * @param brokenAt place of the first entry that is not as it was written; null where all are
     */
    public record Verification(
            boolean intact,
            long entries,
            @Nullable Long lastId,
            @Nullable String head,
            @Nullable Long brokenAt,
            @Nullable String problem) {}

    private record Link(long position, byte @Nullable [] previous, byte @Nullable [] hash, String text) {}

    private record Head(long position, byte[] hash) {}

    /** Reads the whole log in one snapshot. */
    public Verification verify() {
        return jdbi.inTransaction(TransactionIsolationLevel.REPEATABLE_READ, AuditChain::verify);
    }

    private static Verification verify(Handle handle) {
        Head head = handle.createQuery("SELECT position, hash FROM audit_head")
                .map((row, _) -> new Head(row.getLong("position"), row.getBytes("hash")))
                .one();
        byte[] running = START;
        long count = 0;
        try (var links = handle.createQuery(ENTRIES)
                .setFetchSize(FETCH)
                .map((row, _) -> new Link(
                        row.getLong("position"),
                        row.getBytes("previous"),
                        row.getBytes("hash"),
                        Objects.requireNonNull(row.getString("text"))))
                .iterator()) {
            for (Iterator<Link> each = links; each.hasNext(); ) {
                Link link = each.next();
                String problem = wrong(link, count + 1, running);
                if (problem != null) {
                    return broken(count, running, count + 1, problem);
                }
                running = Objects.requireNonNull(link.hash());
                count++;
            }
        }
        if (head.position() > count) {
            return broken(
                    count,
                    running,
                    count + 1,
                    "the end is cut off: " + head.position() + " entries were written, " + count + " are left");
        }
        if (head.position() < count || !MessageDigest.isEqual(head.hash(), running)) {
            return broken(count, running, head.position() + 1, "the recorded end is not the end of the chain");
        }
        return new Verification(true, count, last(count), shown(count, running), null, null);
    }

    private static @Nullable String wrong(Link link, long expected, byte[] running) {
        if (link.position() == 0) {
            return "an entry was put in past the chain";
        }
        if (link.position() != expected) {
            return "entry " + expected + " is missing";
        }
        if (!MessageDigest.isEqual(link.previous(), running)) {
            return "entry " + expected + " does not follow the one before it";
        }
        byte[] text = link.text().getBytes(StandardCharsets.UTF_8);
        return MessageDigest.isEqual(link.hash(), sha256(running, text))
                ? null
                : "entry " + expected + " is not as it was written";
    }

    private static Verification broken(long good, byte[] running, long at, String problem) {
        return new Verification(false, good, last(good), shown(good, running), at, problem);
    }

    private static @Nullable Long last(long count) {
        return count == 0 ? null : (Long) count;
    }

    private static @Nullable String shown(long count, byte[] hash) {
        return count == 0 ? null : HexFormat.of().formatHex(hash);
    }

    private static byte[] sha256(byte[]... parts) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (byte[] part : parts) {
                digest.update(part);
            }
            return digest.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("SHA-256 is not available", e);
        }
    }
}

package dev.eden.activities.redis.validation;

import dev.eden.activities.redis.Reply;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One key on one server.
 *
 * @param dump {@code DUMP}: type byte, body, RDB version (2 bytes), checksum (8 bytes); null when the key is not there
 * @param expireAtMillis Unix milliseconds, -1 without an expiry
 * @param encoding {@code OBJECT ENCODING}
 */
@SuppressWarnings("ArrayRecordComponent")
record KeyState(byte @Nullable [] dump, long expireAtMillis, String encoding) {
    private static final int FOOTER = 10;
    private static final int LONGEST_EMBEDDED = 44;
    private static final int LONGEST_NUMBER = 20;

    /** How a server is asked; {@code absolute}: it knows PEXPIRETIME (7.0), else TIME and PTTL stand in for it, good to some milliseconds. */
    record Reader(boolean absolute) {
        List<Object[]> commands(byte[] key) {
            List<Object[]> commands = new ArrayList<>(4);
            commands.add(new Object[] {"DUMP", key});
            commands.add(new Object[] {"OBJECT", "ENCODING", key});
            if (absolute) {
                commands.add(new Object[] {"PEXPIRETIME", key});
            } else {
                commands.add(new Object[] {"TIME"});
                commands.add(new Object[] {"PTTL", key});
            }
            return commands;
        }

        int replies() {
            return absolute ? 3 : 4;
        }

        KeyState parse(Iterator<Reply> replies) {
            Reply dump = replies.next();
            Reply encoding = replies.next();
            long expiry;
            if (absolute) {
                expiry = replies.next().number();
            } else {
                List<Reply> time = replies.next().items();
                long ttl = replies.next().number();
                expiry = ttl < 0
                        ? ttl
                        : time.get(0).number() * 1000 + time.get(1).number() / 1000 + ttl;
            }
            // 6.2 answers an error for the encoding of a key that is not there, 7.0 a null.
            return new KeyState(
                    dump.isNull() ? null : dump.bytes(),
                    Math.max(-1, expiry),
                    encoding.isError() || encoding.isNull() ? "" : encoding.text());
        }
    }

    boolean missing() {
        return dump == null;
    }

    long bytes() {
        return dump == null ? 0 : dump.length;
    }

    /** Same bytes; where the RDB versions differ, the same bytes apart from the footer. */
    boolean sameDump(KeyState other) {
        byte[] a = dump;
        byte[] b = other.dump;
        if (a == null || b == null) {
            return a == b;
        }
        return Arrays.equals(a, b)
                || (a.length == b.length && Arrays.equals(a, 0, a.length - FOOTER, b, 0, b.length - FOOTER));
    }

    /** The logical type by the RDB type byte (rdb.h of Redis 6.2 to 7.2). */
    String type() {
        byte[] bytes = dump;
        if (bytes == null) {
            return "none";
        }
        return switch (bytes[0]) {
            case 0 -> "string";
            case 1, 10, 14, 18 -> "list";
            case 2, 11, 20 -> "set";
            case 3, 5, 12, 17 -> "zset";
            case 4, 9, 13, 16, 22, 23, 24, 25 -> "hash";
            case 15, 19, 21, 26 -> "stream";
            default -> "other";
        };
    }

    /**
     * The encoding that a RESTORE of this string gives it: int, embstr up to 44 bytes, else raw. Empty where it takes more than a look at
     * the header (short plain strings that may be numbers), and for other types.
     */
    String encodingWhenRestored() {
        byte[] bytes = dump;
        if (bytes == null || bytes[0] != 0) {
            return "";
        }
        int first = bytes[1] & 0xff;
        return switch (first >> 6) {
            case 3 ->
                switch (first & 0x3f) {
                    case 0, 1, 2 -> "int";
                    default -> "";
                };
            case 0 -> (first & 0x3f) <= LONGEST_NUMBER ? "" : (first & 0x3f) <= LONGEST_EMBEDDED ? "embstr" : "raw";
            case 1, 2 -> "raw";
            default -> "";
        };
    }

    @Override
    public String toString() {
        byte[] bytes = dump;
        return "KeyState[" + type() + ", " + (bytes == null ? 0 : bytes.length) + " bytes, " + encoding + "]";
    }
}

package dev.eden.activities.redis.replication;

import dev.eden.activities.redis.EscapedKey;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * Reads an RDB as a stream and finds where each value ends without decoding it: a value's bytes are, with its type in front and version
 * and checksum behind, exactly what {@code RESTORE} takes (Redis source, rdb.c and cluster.c {@code createDumpPayload}). Knows every value
 * type of Redis 6.2 and 7.0 and those of 7.2.
 */
final class RdbParser {
    private static final int FUNCTION2 = 245;
    private static final int FUNCTION_PRE_GA = 246;
    private static final int MODULE_AUX = 247;
    private static final int IDLE = 248;
    private static final int FREQ = 249;
    private static final int AUX = 250;
    private static final int RESIZE_DB = 251;
    private static final int EXPIRE_TIME_MS = 252;
    private static final int EXPIRE_TIME = 253;
    private static final int SELECT_DB = 254;
    private static final int EOF = 255;

    private final StreamInput in;
    private final RdbStrings strings;
    private final RdbValues values;
    private final RdbHandler handler;
    private final int maxValueBytes;

    RdbParser(StreamInput in, RdbHandler handler, int maxValueBytes) {
        this.in = in;
        this.strings = new RdbStrings(in);
        this.values = new RdbValues(in, strings);
        this.handler = handler;
        this.maxValueBytes = maxValueBytes;
    }

    /** Reads up to and including the checksum. {@link RdbException} for content, another {@link IOException} for the stream. */
    void parse() throws IOException {
        in.startSum();
        String magic = new String(in.readBytes(9), StandardCharsets.ISO_8859_1);
        if (!magic.matches("REDIS\\d{4}")) {
            throw new RdbException(
                    "not an RDB: it begins with " + EscapedKey.quoted(magic.getBytes(StandardCharsets.ISO_8859_1)));
        }
        int version = Integer.parseInt(magic.substring(5));
        handler.version(version);
        int database = 0;
        long expireAt = -1;
        while (true) {
            int opcode = in.readByte();
            switch (opcode) {
                case EXPIRE_TIME_MS -> expireAt = in.readLittleEndian(8);
                case EXPIRE_TIME -> expireAt = in.readLittleEndian(4) * 1000;
                case FREQ -> in.skip(1);
                case IDLE -> strings.number();
                case SELECT_DB -> database = (int) Math.min(Integer.MAX_VALUE, strings.length());
                case RESIZE_DB -> {
                    strings.length();
                    strings.length();
                }
                case AUX -> handler.auxiliary(text(strings.read()), text(strings.read()));
                case FUNCTION2 -> handler.function(strings.read());
                case FUNCTION_PRE_GA ->
                    throw new RdbException("functions of a Redis 7.0 release candidate can't be copied");
                case MODULE_AUX -> values.skipModuleAux();
                case EOF -> {
                    checkSum(version);
                    return;
                }
                default -> {
                    entry(database, expireAt, opcode);
                    expireAt = -1;
                }
            }
        }
    }

    private void entry(int database, long expireAt, int type) throws IOException {
        byte[] key = strings.read();
        in.mark(maxValueBytes);
        try {
            values.skip(type);
        } catch (StreamInput.RunTooLongException e) {
            throw new RdbException("a value in database " + database + " has more than " + maxValueBytes
                    + " bytes: too large for one RESTORE");
        } catch (RdbException e) {
            throw new RdbException("a value in database " + database + ": " + e.getMessage());
        }
        int from = in.markPosition();
        handler.entry(database, key, expireAt, type, in.buffer(), from, in.position() - from);
        in.release();
    }

    /** Since version 5 the file ends in its checksum; 0 where the server was told not to compute it. */
    private void checkSum(int version) throws IOException {
        long computed = in.endSum();
        if (version < 5) {
            return;
        }
        long stored = in.readLittleEndian(8);
        if (stored != 0 && stored != computed) {
            throw new RdbException("the RDB's checksum is wrong");
        }
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}

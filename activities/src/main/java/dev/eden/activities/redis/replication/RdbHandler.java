package dev.eden.activities.redis.replication;

import java.io.IOException;

/** Receives what {@link RdbParser} finds, in file order, on the parser's thread. */
interface RdbHandler {

    /** How the file describes itself; {@code version} goes into every payload made from it. */
    void version(int version) throws IOException;

    void auxiliary(String name, String value) throws IOException;

    /** Source code of a function library (Redis 7.0 and later). */
    void function(byte[] code) throws IOException;

    /**
     * One key. The value is {@code type} followed by {@code length} bytes of {@code buffer} from {@code from}; they are only valid during
     * the call.
     *
     * @param expireAtMillis Unix time in milliseconds, or -1
     */
    void entry(int database, byte[] key, long expireAtMillis, int type, byte[] buffer, int from, int length)
            throws IOException;
}

package dev.eden.activities.redis.replication;

import java.io.IOException;

/** Walks over values by type (Redis source, rdb.h {@code RDB_TYPE_*} and rdb.c {@code rdbLoadObject}). */
final class RdbValues {
    private static final String MODULE_NAME = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    /** Why such a hash ends a load, and the log behind it. */
    static final String EXPIRING_FIELDS = "a hash of which single fields expire (HEXPIRE) can't be copied";

    private final StreamInput in;
    private final RdbStrings strings;

    RdbValues(StreamInput in, RdbStrings strings) {
        this.in = in;
        this.strings = strings;
    }

    void skip(int type) throws IOException {
        switch (type) {
            // string; zipmap, ziplist, intset and listpack containers are one string each
            case 0, 9, 10, 11, 12, 13, 16, 17, 20 -> strings.skip();
            // list, set, quicklist of ziplists
            case 1, 2, 14 -> skipStrings(strings.length());
            case 3 -> skipSortedSet();
            case 4 -> {
                long fields = strings.length();
                skipStrings(fields);
                skipStrings(fields);
            }
            case 5 -> {
                for (long left = strings.length(); left > 0; left--) {
                    strings.skip();
                    in.skip(8);
                }
            }
            case 6, 7 ->
                throw new RdbException("a value of module " + moduleName(strings.number()) + " can't be copied");
            case 15 -> skipStream(1);
            case 18 -> {
                for (long nodes = strings.length(); nodes > 0; nodes--) {
                    strings.length();
                    strings.skip();
                }
            }
            case 19 -> skipStream(2);
            case 21 -> skipStream(3);
            default ->
                throw new RdbException(
                        expiringFields(type) ? EXPIRING_FIELDS : "value type " + type + " of the RDB is unknown");
        }
    }

    /** Hashes of which single fields expire, of Redis 7.4 and its candidates. */
    static boolean expiringFields(int type) {
        return type >= 22 && type <= 25;
    }

    private void skipStrings(long count) throws IOException {
        for (long left = count; left > 0; left--) {
            strings.skip();
        }
    }

    /** Scores as text: a length byte, or 253 not a number, 254 and 255 the infinities. */
    private void skipSortedSet() throws IOException {
        for (long left = strings.length(); left > 0; left--) {
            strings.skip();
            int length = in.readByte();
            if (length < 253) {
                in.skip(length);
            }
        }
    }

    private void skipStream(int form) throws IOException {
        long nodes = strings.length();
        skipStrings(nodes);
        skipStrings(nodes);
        skipNumbers(3); // entries, last id
        if (form >= 2) {
            skipNumbers(5); // first id, greatest deleted id, entries ever added
        }
        for (long groups = strings.length(); groups > 0; groups--) {
            strings.skip();
            skipNumbers(form >= 2 ? 3 : 2); // last id, entries read
            for (long pending = strings.length(); pending > 0; pending--) {
                in.skip(16 + 8);
                strings.number();
            }
            for (long consumers = strings.length(); consumers > 0; consumers--) {
                strings.skip();
                in.skip(form >= 3 ? 16 : 8);
                for (long ids = strings.length(); ids > 0; ids--) {
                    in.skip(16);
                }
            }
        }
    }

    private void skipNumbers(int count) throws IOException {
        for (int i = 0; i < count; i++) {
            strings.number();
        }
    }

    /** What a module stores beside its values: typed parts up to a 0. */
    void skipModuleAux() throws IOException {
        strings.number();
        while (true) {
            int part = (int) Math.min(255, strings.length());
            switch (part) {
                case 0 -> {
                    return;
                }
                case 1, 2 -> strings.number();
                case 3 -> in.skip(4);
                case 4 -> in.skip(8);
                case 5 -> strings.skip();
                default -> throw new RdbException("malformed module data");
            }
        }
    }

    /** Nine characters of six bits, then ten bits of version (Redis source, module.c {@code moduleTypeNameByID}). */
    static String moduleName(long id) {
        StringBuilder name = new StringBuilder(9);
        for (int i = 0; i < 9; i++) {
            name.append(MODULE_NAME.charAt((int) (id >>> (58 - 6 * i)) & 63));
        }
        return name.toString();
    }
}

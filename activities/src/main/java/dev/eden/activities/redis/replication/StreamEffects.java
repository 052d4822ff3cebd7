package dev.eden.activities.redis.replication;

import dev.eden.activities.store.ReplicationLedger;
import dev.eden.proxy.Failpoints;
import dev.eden.proxy.redis.CommandTable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Decides per command of the stream what the expiry race needs (both servers expire keys by themselves, so a key can be gone on the
 * written side when its PERSIST arrives). A replication stream holds effects, never commands without one, hence what a reply must show.
 * Only for commands in order, by one thread.
 */
final class StreamEffects {
    /** Remembered names of keys that the source has just deleted: their absence is expected. */
    private static final int ABSENT = 1 << 16;

    private static final Set<String> NOT_APPLIED = Set.of("PING", "REPLCONF", "PUBLISH", "SPUBLISH", "SELECT");

    /** The old value of no key matters. */
    private static final Set<String> OVERWRITES = Set.of(
            "SETEX", "PSETEX", "MSET", "DEL", "UNLINK", "GETDEL", "GETSET", "FLUSHDB", "FLUSHALL", "SWAPDB", "SCRIPT");

    /** The first key is the destination and is overwritten; the others are read. */
    private static final Set<String> FIRST_IS_DESTINATION = Set.of(
            "SUNIONSTORE",
            "SINTERSTORE",
            "SDIFFSTORE",
            "ZUNIONSTORE",
            "ZINTERSTORE",
            "ZDIFFSTORE",
            "ZRANGESTORE",
            "GEOSEARCHSTORE",
            "BITOP");

    /** The last key is the destination and is overwritten. */
    private static final Set<String> LAST_IS_DESTINATION =
            Set.of("RENAME", "RENAMENX", "COPY", "SORT", "GEORADIUS", "GEORADIUSBYMEMBER");

    /** Were in the stream only because they changed something: 0, a null or an empty array shows that here they did not. */
    private static final Set<String> EFFECTIVE = Set.of(
            "PERSIST",
            "EXPIRE",
            "PEXPIRE",
            "EXPIREAT",
            "PEXPIREAT",
            "SREM",
            "HDEL",
            "ZREM",
            "LREM",
            "SADD",
            "HSETNX",
            "SETNX",
            "MSETNX",
            "MOVE",
            "COPY",
            "LINSERT",
            "XDEL",
            "XACK",
            "XTRIM",
            "SMOVE",
            "ZREMRANGEBYRANK",
            "ZREMRANGEBYSCORE",
            "ZREMRANGEBYLEX",
            "RENAMENX",
            "RPUSHX",
            "LPUSHX",
            "PFADD",
            "LPOP",
            "RPOP",
            "RPOPLPUSH",
            "LMOVE",
            "ZPOPMIN",
            "ZPOPMAX",
            "LMPOP",
            "ZMPOP",
            "SPOP",
            "HSETEX",
            "MSETEX",
            "XDELEX",
            "XACKDEL",
            "DELEX",
            "DELIFEQ");

    /** Of single fields of a hash, whatever becomes of them: the others come into the log as one of these. */
    private static final Set<String> EXPIRES_FIELDS =
            Set.of("HEXPIRE", "HPEXPIRE", "HEXPIREAT", "HPEXPIREAT", "HPERSIST", "HGETEX");

    /** A SET with one of these needs the old value; the last four are of Valkey 8.1 and Redis 8.4. */
    private static final List<String> COMPARING = List.of("XX", "IFEQ", "IFNE", "IFDEQ", "IFDNE");

    private static final Set<String> EXPIRES =
            Set.of("EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT", "SETEX", "PSETEX", "GETEX");

    private CommandTable commands;
    private final TtlFilter filter;
    private final Map<String, Boolean> understood = new HashMap<>();
    private final Map<DbKey, Boolean> absent = new LinkedHashMap<>(1024, 0.75f, false) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<DbKey, Boolean> eldest) {
            return size() > ABSENT;
        }
    };

    private final boolean blindToExpiry = Failpoints.mutant("expiry-race");
    private boolean databasesSwapped;

    /** {@code commands}: of the server whose log it is; what it does not know are changes that name no keys. */
    StreamEffects(CommandTable commands, TtlFilter filter) {
        this.commands = commands;
        this.filter = filter;
    }

    /** What comes next is read by this one. */
    void readBy(CommandTable told) {
        commands = told;
    }

    /** A SWAPDB has been seen. */
    boolean databasesSwapped() {
        return databasesSwapped;
    }

    Change classify(StreamCommand command, int database) {
        String name = command.name;
        if (NOT_APPLIED.contains(name)) {
            return new Change(command, database, List.of(), List.of(), false, false);
        }
        if (expiresFields(command)) {
            return Change.notCarried(command, database);
        }
        Optional<List<byte[]>> known = commands.keys(command.arguments());
        if (known.isEmpty()) {
            return new Change(command, database, null, List.of(), false, true);
        }
        List<byte[]> keys = known.get();
        if (!keys.isEmpty() && keys.stream().allMatch(ReplicationLedger::reserves)) {
            return new Change(command, database, keys, List.of(), false, false);
        }
        boolean conditional = false;
        List<byte[]> read = keys;
        if (OVERWRITES.contains(name)) {
            read = List.of();
        } else if (name.equals("SET")) {
            boolean comparing = comparing(command);
            conditional = comparing || option(command, 3, "NX");
            read = comparing || option(command, 3, "KEEPTTL") ? keys : List.of();
        } else if (name.equals("MSETEX")) {
            int options = 2 + 2 * keys.size();
            read = option(command, options, "KEEPTTL") || option(command, options, "XX") ? keys : List.of();
        } else if (name.equals("RESTORE")) {
            read = option(command, 4, "REPLACE") ? List.of() : keys;
        } else if (FIRST_IS_DESTINATION.contains(name) && keys.size() > 1) {
            read = keys.subList(1, keys.size());
        } else if (LAST_IS_DESTINATION.contains(name) && keys.size() > 1) {
            read = keys.subList(0, keys.size() - 1);
        }
        if (blindToExpiry) {
            return new Change(command, database, keys, List.of(), false, true);
        }
        List<byte[]> probes = probes(database, read);
        rememberExpiry(command, keys);
        rememberAbsence(name, database, keys);
        return new Change(
                command,
                database,
                keys,
                probes,
                conditional || EFFECTIVE.contains(name),
                true,
                true,
                understood.computeIfAbsent(name, StreamEffects::understood));
    }

    /** Of others (a module's, say) a server calls things keys that are none: copying them does not make up for a refusal. */
    private static boolean understood(String name) {
        return CommandTable.bundled().lookup(name).known() || EFFECTIVE.contains(name) || name.equals("MSETEX");
    }

    /** Of a SET; most have no options. */
    private static boolean comparing(StreamCommand command) {
        if (command.size() > 3) {
            for (int i = 0; i < COMPARING.size(); i++) {
                if (option(command, 3, COMPARING.get(i))) {
                    return true;
                }
            }
        }
        return false;
    }

    private List<byte[]> probes(int database, List<byte[]> read) {
        List<byte[]> probes = List.of();
        for (byte[] key : read) {
            if (filter.mayContain(key) && !absent.containsKey(new DbKey(database, key))) {
                if (probes.isEmpty()) {
                    probes = new ArrayList<>(read.size());
                }
                probes.add(key);
            }
        }
        return probes;
    }

    private void rememberExpiry(StreamCommand command, List<byte[]> keys) {
        if (keys.isEmpty()) {
            databasesSwapped |= command.name.equals("SWAPDB");
            return;
        }
        switch (command.name) {
            case "SET" -> {
                if (expiry(command, 3)) {
                    filter.add(keys.getFirst());
                }
            }
            case "MSETEX" -> {
                if (expiry(command, 2 + 2 * keys.size())) {
                    keys.forEach(filter::add);
                }
            }
            case "RESTORE" -> {
                if (!command.is(2, "0")) {
                    filter.add(keys.getFirst());
                }
            }
            case "RENAME", "RENAMENX", "COPY", "MOVE" -> {
                if (filter.mayContain(keys.getFirst())) {
                    filter.add(keys.getLast());
                }
            }
            case "EVAL", "EVALSHA", "FCALL" -> keys.forEach(filter::add);
            default -> {
                if (EXPIRES.contains(command.name)) {
                    filter.add(keys.getFirst());
                }
            }
        }
    }

    private void rememberAbsence(String name, int database, List<byte[]> keys) {
        switch (name) {
            case "DEL", "UNLINK", "GETDEL", "DELEX", "DELIFEQ" -> {
                for (byte[] key : keys) {
                    if (filter.mayContain(key)) {
                        absent.put(new DbKey(database, key), Boolean.TRUE);
                    }
                }
            }
            case "SWAPDB", "FLUSHALL", "FLUSHDB", "MOVE", "COPY" -> absent.clear();
            default -> {
                if (!absent.isEmpty()) {
                    keys.forEach(key -> absent.remove(new DbKey(database, key)));
                }
            }
        }
    }

    /** Of a single field: such hashes are not carried, neither by a load nor by the log. */
    private static boolean expiresFields(StreamCommand command) {
        return switch (command.name) {
            case "HSETEX" -> {
                int fields = 2;
                while (fields < command.size() && !command.is(fields, "FIELDS")) {
                    fields++;
                }
                yield expiry(command, 2, fields);
            }
            case "RESTORE" -> command.size() > 3 && RdbValues.expiringFields(command.firstByte(3));
            default -> EXPIRES_FIELDS.contains(command.name);
        };
    }

    private static boolean expiry(StreamCommand command, int from) {
        return expiry(command, from, command.size());
    }

    private static boolean expiry(StreamCommand command, int from, int to) {
        for (int i = from; i < to; i++) {
            if (command.is(i, "PXAT") || command.is(i, "PX") || command.is(i, "EX") || command.is(i, "EXAT")) {
                return true;
            }
        }
        return false;
    }

    private static boolean option(StreamCommand command, int from, String word) {
        for (int i = from; i < command.size(); i++) {
            if (command.is(i, word)) {
                return true;
            }
        }
        return false;
    }
}

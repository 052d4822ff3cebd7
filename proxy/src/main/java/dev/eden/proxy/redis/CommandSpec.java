package dev.eden.proxy.redis;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What a server says about one command (or subcommand, named {@code container|sub}): see
 * https://redis.io/docs/latest/commands/command/.
 *
 * @param name lower case
 * @param known false for a command no table has: to be treated as a write of unknown keys
 */
public record CommandSpec(
        String name,
        int arity,
        Set<String> flags,
        int firstKey,
        int lastKey,
        int step,
        List<KeySpec> specs,
        boolean known,
        Handling handling) {

    /** {@link CommandSpec#keyPositions}: positions whose value is replaced, read or changed are not told apart. */
    private static final String MOVABLE = "movablekeys";

    static CommandSpec of(
            String name, int arity, Set<String> flags, int firstKey, int lastKey, int step, List<KeySpec> specs) {
        return new CommandSpec(
                name, arity, flags, firstKey, lastKey, step, specs, true, Handling.of(name, flags, specs, firstKey));
    }

    static CommandSpec unknown(String name) {
        return new CommandSpec(name, -1, Set.of(), 0, 0, 0, List.of(), false, Handling.UNKNOWN);
    }

    public boolean readOnly() {
        return flags.contains("readonly");
    }

    /** May change data: flagged so, a script, or unknown. */
    public boolean mayWrite() {
        return flags.contains("write") || !known || handling == Handling.SCRIPT;
    }

    public boolean blocking() {
        return flags.contains("blocking");
    }

    /**
     * Positions of the keys in {@code arguments} (0 is the command's name; for a subcommand still the container), ascending and
     * without repeats; empty optional where they can't be known (unknown command, malformed arguments).
     */
    public Optional<List<Integer>> keyPositions(List<byte[]> arguments) {
        if (!known) {
            return Optional.empty();
        }
        List<Integer> found = new ArrayList<>(2);
        switch (name) {
            case "sort" -> sortKeys(arguments, found);
            case "migrate" -> migrateKeys(arguments, found);
            default -> {
                if (specs.isEmpty()) {
                    if (flags.contains(MOVABLE)) {
                        return Optional.empty();
                    }
                    legacyRange(arguments, found);
                }
                for (KeySpec spec : specs) {
                    if (spec.isKey() && !spec.find(arguments, found)) {
                        if (name.equals("sort_ro")) {
                            continue; // its second specification is BY and GET: keys by pattern, read only
                        }
                        return Optional.empty();
                    }
                }
            }
        }
        return Optional.of(found.stream().sorted().distinct().toList());
    }

    /** The keys themselves; see {@link #keyPositions}. */
    public Optional<List<byte[]>> keys(List<byte[]> arguments) {
        return keyPositions(arguments)
                .map(positions -> positions.stream().map(arguments::get).toList());
    }

    private void legacyRange(List<byte[]> arguments, List<Integer> found) {
        if (firstKey == 0) {
            return;
        }
        int last = lastKey < 0 ? arguments.size() + lastKey : lastKey;
        for (int at = firstKey; at <= last && at < arguments.size(); at += Math.max(1, step)) {
            found.add(at);
        }
    }

    /** {@code SORT key [BY p] [LIMIT o c] [GET p …] [STORE destination]}: the last STORE counts (sortGetKeys of Redis). */
    private static void sortKeys(List<byte[]> arguments, List<Integer> found) {
        if (arguments.size() < 2) {
            return;
        }
        found.add(1);
        int destination = -1;
        for (int at = 2; at < arguments.size(); at++) {
            byte[] word = arguments.get(at);
            if (Ascii.equalsIgnoreCase(word, "limit")) {
                at += 2;
            } else if (Ascii.equalsIgnoreCase(word, "get") || Ascii.equalsIgnoreCase(word, "by")) {
                at += 1;
            } else if (Ascii.equalsIgnoreCase(word, "store") && at + 1 < arguments.size()) {
                destination = ++at;
            }
        }
        if (destination > 0) {
            found.add(destination);
        }
    }

    /** {@code MIGRATE host port key|"" db timeout [COPY] [REPLACE] [AUTH …] [KEYS key …]}. */
    private static void migrateKeys(List<byte[]> arguments, List<Integer> found) {
        if (arguments.size() > 3 && arguments.get(3).length > 0) {
            found.add(3);
            return;
        }
        for (int at = 6; at < arguments.size(); at++) {
            if (Ascii.equalsIgnoreCase(arguments.get(at), "auth")) {
                at += 1;
            } else if (Ascii.equalsIgnoreCase(arguments.get(at), "auth2")) {
                at += 2;
            } else if (Ascii.equalsIgnoreCase(arguments.get(at), "keys")) {
                for (int key = at + 1; key < arguments.size(); key++) {
                    found.add(key);
                }
                return;
            }
        }
    }
}

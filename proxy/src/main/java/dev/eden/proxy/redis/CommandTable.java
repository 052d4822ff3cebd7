package dev.eden.proxy.redis;

import dev.eden.proxy.resp.RespValue;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * The commands a server knows. Immutable; safe for every thread. {@link #bundled} is Redis 7.0's; {@link #of} merges what a live server
 * answers to {@code COMMAND} over it. Whoever routes, records or applies commands takes flags and keys from here, so that there is
 * one opinion about what a command touches.
 */
public final class CommandTable {
    private static final CommandTable BUNDLED = load("commands-7.0.txt");
    /** Flags that servers before 7.0 do not have, so that their word without them says nothing. */
    private static final Set<String> NOT_TOLD =
            Set.of("blocking", "allow_busy", "no_async_loading", "no_mandatory_keys", "no_multi");

    private final Map<String, CommandSpec> commands;

    private CommandTable(Map<String, CommandSpec> commands) {
        this.commands = Map.copyOf(commands);
    }

    /** Redis 7.0.15's own table, and {@code WAITAOF} of 7.2, which a server need not tell of to have it. */
    public static CommandTable bundled() {
        return BUNDLED;
    }

    /**
     * The reply to {@code COMMAND}, over the bundled table: the server's word on flags and arity counts; key specifications and flags that
     * servers before 7.0 do not tell come from the bundled table. That a command blocks they tell as an ACL category only.
     */
    public static CommandTable of(RespValue commandReply) {
        Map<String, CommandSpec> merged = new HashMap<>(BUNDLED.commands);
        for (RespValue entry : commandReply.items()) {
            add(entry, merged);
        }
        return new CommandTable(merged);
    }

    /** Any case. A command the table does not have is {@linkplain CommandSpec#known() unknown}, never null. */
    public CommandSpec lookup(String name) {
        CommandSpec spec = commands.get(Ascii.lower(Ascii.bytes(name)));
        return spec == null ? CommandSpec.unknown(name) : spec;
    }

    /** The command of whole arguments; the subcommand ({@code xgroup|create}) where the command is a container that has it. */
    public CommandSpec lookup(List<byte[]> arguments) {
        if (arguments.isEmpty()) {
            return CommandSpec.unknown("");
        }
        String name = Ascii.lower(arguments.getFirst());
        CommandSpec spec = commands.get(name);
        if (spec == null) {
            return CommandSpec.unknown(name);
        }
        if (arguments.size() > 1 && spec.firstKey() == 0 && spec.specs().isEmpty()) {
            CommandSpec sub = commands.get(name + "|" + Ascii.lower(arguments.get(1)));
            if (sub != null) {
                return sub;
            }
        }
        return spec;
    }

    /** The keys of whole arguments (the command's name first); empty optional where they can't be known. */
    public Optional<List<byte[]>> keys(List<byte[]> arguments) {
        return lookup(arguments).keys(arguments);
    }

    Collection<CommandSpec> all() {
        return commands.values();
    }

    private static void add(RespValue entry, Map<String, CommandSpec> into) {
        List<RespValue> fields = entry.items();
        if (fields.size() < 6) {
            return;
        }
        String name = fields.get(0).text().toLowerCase(java.util.Locale.ROOT);
        Set<String> flags = new TreeSet<>();
        fields.get(2).items().forEach(flag -> flags.add(flag.text()));
        List<KeySpec> specs = new ArrayList<>();
        if (fields.size() > 8) {
            fields.get(8).items().forEach(spec -> specs.add(KeySpec.of(spec)));
        } else {
            CommandSpec known = into.get(name);
            if (known != null) {
                specs.addAll(known.specs());
                known.flags().stream().filter(NOT_TOLD::contains).forEach(flags::add);
            }
        }
        if (fields.size() > 6
                && fields.get(6).items().stream()
                        .anyMatch(category -> category.text().equals("@blocking"))) {
            flags.add("blocking");
        }
        into.put(
                name,
                CommandSpec.of(
                        name,
                        Integer.parseInt(fields.get(1).text()),
                        Set.copyOf(flags),
                        Integer.parseInt(fields.get(3).text()),
                        Integer.parseInt(fields.get(4).text()),
                        Integer.parseInt(fields.get(5).text()),
                        List.copyOf(specs)));
        if (fields.size() > 9) {
            fields.get(9).items().forEach(sub -> add(sub, into));
        }
    }

    // ---- bundled form: one line each, "name arity flags first last step specs"

    private static CommandTable load(String resource) {
        Map<String, CommandSpec> commands = new HashMap<>();
        try (InputStream in = CommandTable.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException("resource missing: " + resource);
            }
            BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.US_ASCII));
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                CommandSpec spec = parse(line);
                commands.put(spec.name(), spec);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new CommandTable(commands);
    }

    private static CommandSpec parse(String line) {
        String[] fields = line.split(" ", -1);
        List<KeySpec> specs = new ArrayList<>();
        if (!fields[6].equals("-")) {
            for (String spec : fields[6].split(";", -1)) {
                specs.add(KeySpec.parse(spec));
            }
        }
        return CommandSpec.of(
                fields[0],
                Integer.parseInt(fields[1]),
                fields[2].equals("-") ? Set.of() : Set.of(fields[2].split(",", -1)),
                Integer.parseInt(fields[3]),
                Integer.parseInt(fields[4]),
                Integer.parseInt(fields[5]),
                List.copyOf(specs));
    }

    /** The bundled form, sorted; the inverse of what is read from the resource. */
    List<String> render() {
        return commands.values().stream()
                .map(spec -> String.join(
                        " ",
                        spec.name(),
                        Integer.toString(spec.arity()),
                        spec.flags().isEmpty() ? "-" : String.join(",", new TreeSet<>(spec.flags())),
                        Integer.toString(spec.firstKey()),
                        Integer.toString(spec.lastKey()),
                        Integer.toString(spec.step()),
                        spec.specs().isEmpty()
                                ? "-"
                                : String.join(
                                        ";",
                                        spec.specs().stream()
                                                .map(KeySpec::render)
                                                .toList())))
                .sorted()
                .toList();
    }
}

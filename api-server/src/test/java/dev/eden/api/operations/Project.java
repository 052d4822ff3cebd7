package dev.eden.api.operations;

import dev.eden.api.cli.EdenCommand;
import dev.eden.api.cli.Terminal;
import dev.eden.api.config.Setting;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import picocli.CommandLine;

/** The project's files as tests look at them. */
public final class Project {
    static final Path ROOT = root();

    private static final Pattern VARIABLE = Pattern.compile("\\b(?:EDEN|TEMPORAL|OTEL)_[A-Z][A-Z_]*[A-Z]\\b");

    private Project() {}

    public static String text(String path) {
        try {
            return Files.readString(ROOT.resolve(path));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The files below a folder whose names end so, by path. */
    static List<Path> files(String folder, String ending) {
        try (Stream<Path> found = Files.walk(ROOT.resolve(folder))) {
            return found.filter(file -> file.toString().endsWith(ending))
                    .filter(file -> !file.toString().contains("/target/"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static String read(Path file) {
        return text(ROOT.relativize(file).toString());
    }

    static Map<String, Object> yaml(String path) {
        return parsedYaml(text(path));
    }

    static List<Object> documents(String path) {
        return parsed(text(path));
    }

    /** {@link #yaml} of a text instead of a file. */
    @SuppressWarnings("unchecked")
    static Map<String, Object> parsedYaml(String text) {
        return (Map<String, Object>) parsed(text).getFirst();
    }

    static List<Object> parsed(String text) {
        List<Object> documents = new ArrayList<>();
        new Yaml(new SafeConstructor(new LoaderOptions())).loadAll(text).forEach(documents::add);
        return documents;
    }

    /** A member that must be there. */
    @SuppressWarnings("unchecked")
    static Map<String, Object> map(Map<String, Object> parent, String key) {
        Object value = parent.get(key);
        if (!(value instanceof Map<?, ?>)) {
            throw new AssertionError("no mapping " + key + " in " + parent.keySet());
        }
        return (Map<String, Object>) value;
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> cast(Object member) {
        return (Map<String, Object>) member;
    }

    @SuppressWarnings("unchecked")
    static List<Object> list(Map<String, Object> parent, String key) {
        Object value = parent.get(key);
        return value == null ? List.of() : (List<Object>) value;
    }

    /** Every environment variable that code or launcher reads. */
    static Set<String> variables() {
        Set<String> names = new TreeSet<>();
        Stream.concat(
                        Stream.of(ROOT.resolve("eden")),
                        Stream.of("api-server", "embedded", "activities", "proxy", "workflows")
                                .flatMap(module -> files(module + "/src/main", ".java").stream()))
                .forEach(file -> {
                    Matcher matcher = VARIABLE.matcher(read(file));
                    while (matcher.find()) {
                        names.add(matcher.group());
                    }
                });
        return names;
    }

    /** {@code 0.1.0}, as the command line and the proxies say it. */
    static String version() {
        String[] version =
                EdenCommand.commandLine(Terminal.system()).getCommandSpec().version();
        return version[0].substring("eden ".length());
    }

    /** Fails where the command line would not understand the arguments, verb first; runs nothing. */
    static void parse(List<String> arguments) {
        EdenCommand.commandLine(Terminal.system()).parseArgs(arguments.toArray(String[]::new));
    }

    /** The verb's command line, for what it says of itself. */
    static CommandLine verb(String name) {
        CommandLine verb =
                EdenCommand.commandLine(Terminal.system()).getSubcommands().get(name);
        if (verb == null) {
            throw new AssertionError("eden has no verb " + name);
        }
        return verb;
    }

    /** What an option is when nobody says anything, e.g. {@code 8000} of {@code --api-port}. */
    static String defaultOf(String verb, String option) {
        return Setting.ofFlag(Setting.Verb.valueOf(verb.toUpperCase(java.util.Locale.ROOT)), option)
                .map(Setting::defaultValue)
                .orElseThrow(() -> new AssertionError("eden " + verb + " has no " + option));
    }

    /** Whether the machine has the program. */
    public static boolean installed(String program) {
        for (String folder : String.valueOf(System.getenv("PATH")).split(":")) {
            if (Files.isExecutable(Path.of(folder, program))) {
                return true;
            }
        }
        return false;
    }

    /** What a program says that must end well; it runs in the project's folder. */
    static String run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .directory(ROOT.toFile())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new AssertionError(String.join(" ", command) + ": " + output);
        }
        return output;
    }

    private static Path root() {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.exists(folder.resolve("docker-compose.yml"))) {
            Path parent = folder.getParent();
            if (parent == null) {
                throw new IllegalStateException("not below the project's folder");
            }
            folder = parent;
        }
        return folder;
    }
}

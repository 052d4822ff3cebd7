package dev.eden.api.config;

import dev.eden.api.problem.StartupException;
import dev.eden.proxy.Secret;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a process is told: flags win over the environment, the environment over the file, the file over the default. Everything that is wrong is said at once, before anything starts.
 */
public final class Configuration {
    private final Map<Setting, String> flags;
    private final Map<String, String> environment;
    private final ConfigFile file;

    private Configuration(Map<Setting, String> flags, Map<String, String> environment, ConfigFile file) {
        this.flags = flags;
        this.environment = environment;
        this.file = file;
    }

    /** {@code path} null: no file. Throws {@link StartupException} with every fault. */
    public static Configuration load(
            Setting.Verb verb, Map<Setting, String> flags, Map<String, String> environment, @Nullable Path path) {
        ConfigFile file = path == null ? ConfigFile.none() : ConfigFile.read(path);
        Configuration configuration = new Configuration(flags, environment, file);
        List<String> faults = new ArrayList<>();
        file.faults().forEach(fault -> faults.add(fault.toString()));
        for (Setting setting : Setting.of(verb)) {
            String flag = flags.get(setting);
            if (flag != null) {
                setting.kind().problem(flag).ifPresent(problem -> faults.add(setting.flag() + " " + problem));
            }
            String value = configuration.variable(setting);
            if (value != null) {
                setting.kind().problem(value).ifPresent(problem -> faults.add(setting.variable() + " " + problem));
            }
        }
        configuration.refuse(faults);
        return configuration;
    }

    /** Throws {@link StartupException} with all of them, and with misspelt variables, which may be why; nothing where there is none. */
    public void refuse(List<String> faults) {
        if (!faults.isEmpty()) {
            throw new StartupException(
                    Stream.concat(faults.stream(), unknownVariables().stream())
                            .collect(Collectors.joining("\n  ", "the configuration is not right:\n  ", "\n")),
                    "correct it; docs/configuration.md has every setting, and 'eden config check FILE' checks a file");
        }
    }

    /** A setting's value; null where it has none, not even by default. Not for secrets. */
    public @Nullable String text(Setting setting) {
        String flag = flags.get(setting);
        if (flag != null) {
            return flag;
        }
        String value = variable(setting);
        if (value != null) {
            return value;
        }
        ConfigFile.Value inFile = file.values().get(setting);
        return inFile != null ? inFile.text() : setting.defaultValue();
    }

    /** Where a setting's value was said: a flag, a variable, {@code FILE:LINE:COLUMN} or {@code default}; null where it has none. */
    public @Nullable String origin(Setting setting) {
        if (flags.containsKey(setting)) {
            return setting.flag();
        }
        if (variable(setting) != null) {
            return setting.variable();
        }
        String byFile = environment.get(setting.variable() + "_FILE");
        if (setting.kind() instanceof Kind.Secret && byFile != null && !byFile.isBlank()) {
            return setting.variable() + "_FILE";
        }
        ConfigFile.Value inFile = file.values().get(setting);
        return inFile != null ? file.place(inFile) : setting.defaultValue() == null ? null : "default";
    }

    /** A setting that has a default. */
    public String required(Setting setting) {
        String text = text(setting);
        if (text == null) {
            throw new IllegalStateException(setting.key() + " has no default");
        }
        return text;
    }

    public int number(Setting setting) {
        return Integer.parseInt(required(setting));
    }

    public boolean isTrue(Setting setting) {
        return Boolean.parseBoolean(text(setting));
    }

    public Duration duration(Setting setting) {
        String text = text(setting);
        return text == null ? Duration.ZERO : Kind.Time.parse(text);
    }

    public Networks networks(Setting setting) {
        String text = text(setting);
        return text == null ? Networks.NONE : Networks.parse(text);
    }

    public Set<String> names(Setting setting) {
        String text = text(setting);
        return text == null ? Set.of() : new LinkedHashSet<>(Kind.NameList.parse(text));
    }

    /**
     * A secret: the file that a flag names, the variable itself, the file that the variable with {@code _FILE} names, the file that the configuration names. Throws
     * {@link StartupException} where a named file can't be read.
     */
    public Optional<Secret> secret(Setting setting) {
        String flag = flags.get(setting);
        if (flag != null) {
            return Optional.of(secretIn(flag, String.valueOf(setting.flag())));
        }
        String given = variable(setting);
        if (given != null) {
            return Optional.of(new Secret(given.strip()));
        }
        String byVariable = environment.get(setting.variable() + "_FILE");
        if (byVariable != null && !byVariable.isBlank()) {
            return Optional.of(secretIn(byVariable.strip(), setting.variable() + "_FILE"));
        }
        ConfigFile.Value inFile = file.values().get(setting);
        return inFile == null ? Optional.empty() : Optional.of(secretIn(inFile.text(), file.place(inFile)));
    }

    /** Who may be told of migrations, by name; they are in the file alone. */
    public Set<String> receiverNames() {
        return file.receivers().names();
    }

    /** Where a receiver was said. */
    public String receiverOrigin(String name) {
        return file.receivers().place(name);
    }

    /** With what the files have that it names. Throws {@link StartupException}. */
    public Receiver receiver(String name) {
        return file.receivers().open(name);
    }

    /** The secret in a file; {@code where} says who named it. */
    public static Secret secretIn(String path, String where) {
        String secret;
        try {
            secret = Files.readString(Path.of(path)).strip();
        } catch (IOException e) {
            throw new StartupException(
                    where + ": the file " + path + " can't be read", "name a file that this process can read");
        }
        if (secret.isEmpty()) {
            throw new StartupException(where + ": the file " + path + " is empty", "put the secret into it");
        }
        return new Secret(secret);
    }

    /** A line for each variable of the environment that looks like a setting of Eden's and is none. */
    public List<String> unknownVariables() {
        return Variables.unknown(environment);
    }

    private @Nullable String variable(Setting setting) {
        String value = environment.get(setting.variable());
        return value == null || value.isBlank() ? null : value;
    }
}

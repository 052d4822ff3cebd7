package dev.eden.api.cli;

import dev.eden.api.EdenStore;
import dev.eden.api.ProxySettings;
import dev.eden.api.config.Configuration;
import dev.eden.api.config.Kind;
import dev.eden.api.config.Setting;
import dev.eden.api.problem.StartupException;
import dev.eden.proxy.Authorities;
import dev.eden.proxy.Secret;
import dev.eden.proxy.TlsFiles;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** The flags of {@code eden server} and {@code eden proxy}: made from {@link Setting}, so that each setting is described once. */
final class SettingOptions {
    private static final String CONFIG = "--config";

    private SettingOptions() {}

    static void declare(CommandSpec spec, Setting.Verb verb) {
        spec.addOption(OptionSpec.builder(CONFIG)
                .type(String.class)
                .paramLabel("FILE")
                .description("a YAML file with settings (EDEN_CONFIG); docs/configuration.md has all")
                .build());
        for (Setting setting : Setting.values()) {
            String flag = setting.flag();
            if (flag == null || !setting.isOf(verb)) {
                continue;
            }
            boolean bare = setting.kind() == Kind.BOOLEAN;
            OptionSpec.Builder option = OptionSpec.builder(flag)
                    .type(bare ? boolean.class : String.class)
                    .description(setting.help().replace("%", "%%"));
            if (!bare) {
                option.paramLabel(setting.kind() instanceof Kind.Secret ? "FILE" : "VALUE");
            }
            spec.addOption(option.build());
        }
    }

    /** What was said on the command line, then everything else; from then on this process trusts whom it says. Throws {@link StartupException} with every fault. */
    static Configuration read(CommandSpec spec, Setting.Verb verb, Terminal terminal) {
        var parsed = spec.commandLine().getParseResult();
        Map<Setting, String> flags = new EnumMap<>(Setting.class);
        parsed.matchedOptionsSet()
                .forEach(option -> Setting.ofFlag(verb, option.longestName())
                        .ifPresent(setting -> flags.put(setting, String.valueOf((Object) option.getValue()))));
        String given = parsed.matchedOptionValue(CONFIG, (String) null);
        Configuration configuration = checked(verb, flags, terminal, given == null ? null : Path.of(given));
        trust(configuration);
        return configuration;
    }

    /** Before anything is connected to. Throws {@link StartupException}. */
    static void trust(Configuration configuration) {
        authorities(configuration, Authorities::trust);
    }

    /** What {@link #trust} would refuse. */
    static void checkAuthorities(Configuration configuration) {
        authorities(configuration, Authorities::check);
    }

    @FunctionalInterface
    private interface OfAuthorities {
        void take(Path pem) throws Authorities.UnusableException;
    }

    private static void authorities(Configuration configuration, OfAuthorities what) {
        Path file = path(configuration, Setting.TLS_CA);
        if (file != null) {
            try {
                what.take(file);
            } catch (Authorities.UnusableException e) {
                throw new StartupException(
                        "the authorities' file " + e.getMessage(),
                        "correct tls.ca_file (EDEN_TLS_CA_FILE), a PEM file");
            }
        }
    }

    /** {@code given} null: the file that EDEN_CONFIG names, if any. Throws {@link StartupException} for all that would be refused. */
    static Configuration checked(
            Setting.Verb verb, Map<Setting, String> flags, Terminal terminal, @Nullable Path given) {
        Configuration configuration =
                Configuration.load(verb, flags, terminal.environment(), given == null ? named(terminal) : given);
        StartCheck.require(configuration, verb);
        return configuration;
    }

    /** The file that the environment names. */
    static @Nullable Path named(Terminal terminal) {
        String path = terminal.variable("EDEN_CONFIG");
        return path == null ? null : Path.of(path);
    }

    static String databaseUrl(Configuration configuration) {
        String url = configuration.text(Setting.DATABASE_URL);
        if (url == null) {
            throw new StartupException(
                    "Eden's database is not named",
                    "give --database-url or EDEN_DATABASE_URL; to try Eden with everything started for you: eden dev");
        }
        return url;
    }

    static EdenStore.Settings store(Configuration configuration, int defaultPool) {
        int pool = configuration.number(Setting.DATABASE_POOL);
        return new EdenStore.Settings(
                databaseUrl(configuration),
                configuration.text(Setting.DATABASE_USER),
                secret(configuration, Setting.DATABASE_PASSWORD),
                secret(configuration, Setting.ENCRYPTION_KEY),
                dataDirectory(configuration),
                pool > 0 ? pool : defaultPool,
                Duration.ofSeconds(5));
    }

    /** Throws {@link StartupException} where a certificate has no key or a key no certificate. */
    static ProxySettings proxies(Configuration configuration) {
        Path certificate = path(configuration, Setting.PROXY_TLS_CERT);
        Path key = path(configuration, Setting.PROXY_TLS_KEY);
        if ((certificate == null) != (key == null)) {
            throw new StartupException(
                    "TLS for clients of the proxies needs a certificate and its key",
                    "set both proxy.tls_cert_file (EDEN_PROXY_TLS_CERT_FILE) and proxy.tls_key_file"
                            + " (EDEN_PROXY_TLS_KEY_FILE), or neither");
        }
        return new ProxySettings(
                certificate == null || key == null ? null : new TlsFiles(certificate, key),
                configuration.names(Setting.PROXY_TRUSTED_USERS));
    }

    static Path dataDirectory(Configuration configuration) {
        String directory = configuration.text(Setting.DATA_DIR);
        return directory != null
                ? Path.of(directory)
                : Path.of(System.getProperty("user.home"), ".local", "state", "eden");
    }

    static @Nullable Secret secret(Configuration configuration, Setting setting) {
        return configuration.secret(setting).orElse(null);
    }

    static @Nullable Path path(Configuration configuration, Setting setting) {
        String text = configuration.text(setting);
        return text == null ? null : Path.of(text);
    }
}

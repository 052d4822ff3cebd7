package dev.eden.api.config;

import dev.eden.api.Version;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Every setting of {@code eden server} and {@code eden proxy}: the one place for its names, its default and what it means.
 * docs/configuration.md is made from it. A secret's key in the file names another file; the secret itself comes only from there or
 * from the environment.
 */
public enum Setting {
    DATABASE_URL(
            "database.url",
            "EDEN_DATABASE_URL",
            "--database-url",
            Kind.DATABASE,
            null,
            Use.BOTH,
            "Eden's own PostgreSQL: postgresql://user@host:port/database or jdbc:postgresql://…; required"),
    DATABASE_USER(
            "database.user",
            "EDEN_DATABASE_USER",
            "--database-user",
            Kind.TEXT,
            null,
            Use.BOTH,
            "its user, instead of in the URL"),
    DATABASE_PASSWORD(
            "database.password_file", "EDEN_DATABASE_PASSWORD", null, Kind.SECRET, null, Use.BOTH, "its password"),
    DATABASE_POOL(
            "database.pool",
            "EDEN_DATABASE_POOL",
            "--database-pool",
            Kind.integer(0, 1000),
            "0",
            Use.BOTH,
            "connections to it; 0: 16 for a server, 6 for a proxy"),
    ENCRYPTION_KEY(
            "encryption.key_file",
            "EDEN_ENCRYPTION_KEY",
            null,
            Kind.SECRET,
            null,
            Use.BOTH,
            "base64 of 32 bytes, the same for every process; of several, one a line, the first encrypts and all"
                    + " decrypt; without it the first server makes one in data_dir"),
    DATA_DIR(
            "data_dir",
            "EDEN_DATA_DIR",
            "--data-dir",
            Kind.FILE,
            null,
            Use.BOTH,
            "where the encryption key is kept if no other is given (~/.local/state/eden)"),
    TLS_CA(
            "tls.ca_file",
            "EDEN_TLS_CA_FILE",
            "--tls-ca-file",
            Kind.FILE,
            null,
            Use.BOTH,
            "authorities (PEM) that this process trusts beside those of the JDK, whatever it connects to: a company's own, a cloud's"),

    SERVER_LISTEN(
            "server.listen",
            "EDEN_LISTEN",
            "--listen",
            Kind.ADDRESS,
            null,
            Use.SERVER,
            "makes interlay redis_interlay and serves it here; it takes the first redis endpoint"),
    SERVER_LISTEN_POSTGRES(
            "server.listen_postgres",
            "EDEN_LISTEN_POSTGRES",
            "--listen-postgres",
            Kind.ADDRESS,
            null,
            Use.SERVER,
            "makes interlay postgres_interlay and serves it here; it takes the first postgresql endpoint"),
    SERVER_NO_PROXY(
            "server.no_proxy",
            "EDEN_NO_PROXY",
            "--no-proxy",
            Kind.BOOLEAN,
            "false",
            Use.SERVER,
            "only makes the interlays; proxies run elsewhere"),
    SERVER_PROXY_NAME(
            "server.proxy_name",
            "EDEN_PROXY_NAME",
            "--name",
            Kind.TEXT,
            "server",
            Use.SERVER,
            "of the proxies inside; unique, and the same over restarts"),
    API_HOST(
            "server.api_host",
            "EDEN_API_HOST",
            "--api-host",
            Kind.TEXT,
            "0.0.0.0",
            Use.SERVER,
            "where the API listens"),
    API_PORT(
            "server.api_port",
            "EDEN_API_PORT",
            "--api-port",
            Kind.integer(0, 65_535),
            "8000",
            Use.SERVER,
            "its port; 0: a free one"),
    API_CERT(
            "server.api_cert_file",
            "EDEN_API_CERT_FILE",
            "--api-cert-file",
            Kind.FILE,
            null,
            Use.SERVER,
            "the API's certificate chain (PEM); with server.api_key_file the API speaks TLS"),
    API_KEY(
            "server.api_key_file",
            "EDEN_API_KEY_FILE",
            "--api-key-file",
            Kind.FILE,
            null,
            Use.SERVER,
            "its key: unencrypted PKCS #8 (PEM)"),
    ADMIN_HOST(
            "server.admin_host",
            "EDEN_ADMIN_HOST",
            "--admin-host",
            Kind.TEXT,
            "0.0.0.0",
            Use.SERVER,
            "where /metrics and /health listen; they need no token"),
    ADMIN_PORT(
            "server.admin_port",
            "EDEN_ADMIN_PORT",
            "--admin-port",
            Kind.integer(0, 65_535),
            "8001",
            Use.SERVER,
            "their port; 0: a free one"),
    ADMIN_TOKEN(
            "server.admin_token_file",
            "EDEN_ADMIN_TOKEN",
            "--admin-token-file",
            Kind.SECRET,
            null,
            Use.SERVER,
            "an admin's token, 16 characters or more; without it the first start makes one and prints it, once"),
    SERVER_PORTS_FILE(
            "server.ports_file",
            "EDEN_PORTS_FILE",
            "--ports-file",
            Kind.FILE,
            null,
            Use.SERVER,
            "gets {\"api\":…,\"admin\":…,\"proxy\":…} once all is up"),
    REQUIRE_BACKUP(
            "server.require_backup",
            "EDEN_REQUIRE_BACKUP",
            "--require-backup",
            Kind.BOOLEAN,
            "false",
            Use.SERVER,
            "a migration without the label backup_verified does not start; else plan warns"),
    TRACES_ENDPOINT(
            "server.traces_endpoint",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "--traces-endpoint",
            Kind.URL,
            null,
            Use.SERVER,
            "a collector that takes OTLP over HTTP, for example http://collector:4318; without it no spans"),
    PUBLIC_URL(
            "server.public_url",
            "EDEN_PUBLIC_URL",
            "--public-url",
            Kind.URL,
            null,
            Use.SERVER,
            "this API as people reach it, for example https://eden.example: for links in Temporal's Web UI"),
    TRUSTED_PROXIES(
            "server.trusted_proxies",
            "EDEN_TRUSTED_PROXIES",
            "--trusted-proxies",
            Kind.NETWORKS,
            null,
            Use.SERVER,
            "balancers before the API, with commas between them (10.0.0.5, 10.1.0.0/16): whom they name in X-Forwarded-For is whose failed logins are counted"),
    MAX_VALUE_MIB(
            "server.max_value_mib",
            "EDEN_MAX_VALUE_MIB",
            "--max-value-mib",
            Kind.integer(1, 512),
            "64",
            Use.SERVER,
            "a value of a Redis that takes more, serialised, stops the load; a larger one blocks the target while it is written, and takes its size several times in the server's memory"),
    RETENTION_FINISHED(
            "retention.finished",
            "EDEN_RETENTION_FINISHED",
            "--retention-finished",
            Kind.DURATION,
            "0",
            Use.SERVER,
            "finished migrations are forgotten after that long (90d, 12h); the audit log stays; 0: never"),

    TEMPORAL_ADDRESS(
            "temporal.address",
            "TEMPORAL_ADDRESS",
            "--temporal-address",
            Kind.ADDRESS,
            "127.0.0.1:7233",
            Use.SERVER,
            "of Temporal's frontend"),
    TEMPORAL_NAMESPACE(
            "temporal.namespace",
            "TEMPORAL_NAMESPACE",
            "--temporal-namespace",
            Kind.TEXT,
            "default",
            Use.SERVER,
            "where migrations' workflows live"),
    TEMPORAL_UI(
            "temporal.ui",
            "EDEN_TEMPORAL_UI",
            "--temporal-ui",
            Kind.URL,
            null,
            Use.SERVER,
            "Temporal's Web UI: for links, and its pages may ask Eden to decode payloads"),
    TEMPORAL_ENCRYPT(
            "temporal.encrypt_payloads",
            "EDEN_TEMPORAL_ENCRYPT_PAYLOADS",
            "--temporal-encrypt-payloads",
            Kind.BOOLEAN,
            "false",
            Use.SERVER,
            "what Temporal keeps of a migration is encrypted; search attributes are not. What was encrypted is always"
                    + " read"),
    TEMPORAL_DEPLOYMENT(
            "temporal.deployment",
            "EDEN_TEMPORAL_DEPLOYMENT",
            "--temporal-deployment",
            Kind.TEXT,
            null,
            Use.SERVER,
            "name of the worker deployment; a running migration then stays with the version that started it. Without"
                    + " it workers have no version"),
    TEMPORAL_BUILD_ID(
            "temporal.build_id",
            "EDEN_TEMPORAL_BUILD_ID",
            "--temporal-build-id",
            Kind.TEXT,
            Version.EDEN,
            Use.SERVER,
            "of this server's workers within temporal.deployment"),
    TEMPORAL_ORPHAN_CHECK(
            "temporal.orphan_check",
            "EDEN_TEMPORAL_ORPHAN_CHECK",
            "--temporal-orphan-check",
            Kind.DURATION,
            "60s",
            Use.SERVER,
            "how often a server looks for migrations whose workflow is gone; 0: only at its start"),

    PROXY_NAME(
            "proxy.name",
            "EDEN_PROXY_NAME",
            "--name",
            Kind.TEXT,
            null,
            Use.PROXY,
            "of this proxy: unique, and the same over restarts; required"),
    PROXY_INTERLAY(
            "proxy.interlay",
            "EDEN_INTERLAY",
            "--interlay",
            Kind.TEXT,
            "redis_interlay",
            Use.PROXY,
            "the interlay it serves"),
    PROXY_LISTEN(
            "proxy.listen",
            "EDEN_LISTEN",
            "--listen",
            Kind.ADDRESS,
            "0.0.0.0:6379",
            Use.PROXY,
            "where applications find it; port 0: a free one"),
    PROXY_POOL(
            "proxy.pool",
            "EDEN_POOL",
            "--pool",
            Kind.integer(0, 10_000),
            "0",
            Use.PROXY,
            "shared connections to the database (PostgreSQL: for each user); 0: the interlay's, else 8 (Redis) or 20 (PostgreSQL)"),
    PROXY_TLS_CERT(
            "proxy.tls_cert_file",
            "EDEN_PROXY_TLS_CERT_FILE",
            "--proxy-tls-cert-file",
            Kind.FILE,
            null,
            Use.PROXIES,
            "the certificate chain that clients see (PEM); with proxy.tls_key_file those of a PostgreSQL may connect with TLS, those of a Redis must. Read again when it changes"),
    PROXY_TLS_KEY(
            "proxy.tls_key_file",
            "EDEN_PROXY_TLS_KEY_FILE",
            "--proxy-tls-key-file",
            Kind.FILE,
            null,
            Use.PROXIES,
            "its key: unencrypted PKCS #8 (PEM)"),
    PROXY_TRUSTED_USERS(
            "proxy.trusted_users",
            "EDEN_PROXY_TRUSTED_USERS",
            "--proxy-trusted-users",
            Kind.NAMES,
            null,
            Use.PROXIES,
            "PostgreSQL: users that every client of the proxy becomes without a password, with commas between them; servers must trust the proxy's address for them"),
    METRICS_HOST(
            "proxy.metrics_host",
            "EDEN_METRICS_HOST",
            "--metrics-host",
            Kind.TEXT,
            "0.0.0.0",
            Use.PROXY,
            "where /metrics, /health, /health/ready and /health/live listen"),
    METRICS_PORT(
            "proxy.metrics_port",
            "EDEN_METRICS_PORT",
            "--metrics-port",
            Kind.integer(0, 65_535),
            "0",
            Use.PROXY,
            "their port; 0: a free one"),
    DRAIN_SECONDS(
            "proxy.drain_seconds",
            "EDEN_DRAIN_SECONDS",
            "--drain-seconds",
            Kind.integer(0, 3600),
            "0",
            Use.PROXY,
            "at SIGTERM: not ready, but serves for up to that long until its clients have left"),
    PROXY_PORTS_FILE(
            "proxy.ports_file",
            "EDEN_PORTS_FILE",
            "--ports-file",
            Kind.FILE,
            null,
            Use.PROXY,
            "gets {\"proxy\":…,\"metrics\":…} once all is up"),

    LOG_FORMAT(
            "log.format",
            "EDEN_LOG",
            null,
            Kind.choice("text", "json"),
            "text",
            Use.BOTH,
            "lines for people, or one JSON object each"),
    LOG_LEVEL(
            "log.level",
            "EDEN_LOG_LEVEL",
            null,
            Kind.choice("error", "warn", "info", "debug"),
            "info",
            Use.BOTH,
            "of Eden's own messages");

    /** Which processes read a setting. */
    public enum Verb {
        SERVER,
        PROXY,
        /** Verbs that work on the store itself. */
        STORE
    }

    private static final class Use {
        static final Set<Verb> BOTH = EnumSet.allOf(Verb.class);
        static final Set<Verb> SERVER = EnumSet.of(Verb.SERVER);
        static final Set<Verb> PROXY = EnumSet.of(Verb.PROXY);
        /** Of whatever process a proxy is in. */
        static final Set<Verb> PROXIES = EnumSet.of(Verb.SERVER, Verb.PROXY);
    }

    private final String key;
    private final String variable;
    private final @Nullable String flag;
    private final Kind kind;
    private final @Nullable String defaultValue;
    private final Set<Verb> verbs;
    private final String meaning;

    Setting(
            String key,
            String variable,
            @Nullable String flag,
            Kind kind,
            @Nullable String defaultValue,
            Set<Verb> verbs,
            String meaning) {
        this.key = key;
        this.variable = variable;
        this.flag = flag;
        this.kind = kind;
        this.defaultValue = defaultValue;
        this.verbs = verbs;
        this.meaning = meaning;
    }

    /** Its place in the file, sections parted by dots. */
    public String key() {
        return key;
    }

    public String variable() {
        return variable;
    }

    public @Nullable String flag() {
        return flag;
    }

    public Kind kind() {
        return kind;
    }

    public @Nullable String defaultValue() {
        return defaultValue;
    }

    public String meaning() {
        return meaning;
    }

    public boolean isOf(Verb verb) {
        return verbs.contains(verb);
    }

    /** The setting of a process's flag. */
    public static Optional<Setting> ofFlag(Verb verb, String flag) {
        return Arrays.stream(values())
                .filter(setting -> setting.isOf(verb) && flag.equals(setting.flag))
                .findFirst();
    }

    public static List<Setting> of(Verb verb) {
        return Arrays.stream(values()).filter(setting -> setting.isOf(verb)).toList();
    }

    static Optional<Setting> ofKey(String key) {
        return Arrays.stream(values())
                .filter(setting -> setting.key.equals(key))
                .findFirst();
    }

    /** What {@code --help} says of it. */
    public String help() {
        return meaning + " (" + variable + (defaultValue == null ? "" : "; default: " + defaultValue) + ")";
    }
}

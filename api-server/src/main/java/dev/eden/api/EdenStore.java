package dev.eden.api;

import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.RouteLedger;
import dev.eden.api.route.PostgresReplicationLedger;
import dev.eden.api.route.PostgresRouteLedger;
import dev.eden.api.route.PostgresRouteRows;
import dev.eden.api.route.PostgresRouteStore;
import dev.eden.api.route.StoreChanges;
import dev.eden.api.store.AuditLog;
import dev.eden.api.store.Database;
import dev.eden.api.store.EncryptedServerRecords;
import dev.eden.api.store.EncryptionCheck;
import dev.eden.api.store.EncryptionKey;
import dev.eden.api.store.EndpointStore;
import dev.eden.api.store.InterlayUserStore;
import dev.eden.api.store.KeyRotation;
import dev.eden.api.store.MigrationStore;
import dev.eden.api.store.PayloadKeys;
import dev.eden.api.store.SecretCipher;
import dev.eden.api.store.TuningStore;
import dev.eden.proxy.RouteStore;
import dev.eden.proxy.Secret;
import dev.eden.proxy.WireVersion;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/** Eden's store as every process of Eden's needs it: the pool, the key, and the ports bound to them. */
public final class EdenStore implements AutoCloseable {
    private final Database database;
    private final SecretCipher cipher;
    private final StoreChanges changes;
    private final AuditLog audit;
    private final PostgresRouteRows routeRows;
    private final EndpointStore endpoints;
    private final EncryptedServerRecords records;
    private final InterlayUserStore users;

    private EdenStore(Database database, SecretCipher cipher, StoreChanges changes) {
        this.database = database;
        this.cipher = cipher;
        this.changes = changes;
        this.audit = new AuditLog(database.jdbi());
        this.routeRows = new PostgresRouteRows(database.jdbi());
        this.endpoints = new EndpointStore(database.jdbi(), cipher, audit, routeRows);
        this.records = new EncryptedServerRecords(database.jdbi(), cipher);
        this.users = new InterlayUserStore(database.jdbi(), cipher, audit);
    }

    /**
     * @param url {@code jdbc:postgresql://…} or {@code postgresql://[user:password@]host[:port]/database}
     * @param encryptionKey base64, of several the first seals; null: the file in {@code dataDirectory}
     */
    public record Settings(
            String url,
            @Nullable String user,
            @Nullable Secret password,
            @Nullable Secret encryptionKey,
            Path dataDirectory,
            int poolSize,
            Duration timeout) {}

    /**
     * {@code owner}: brings the schema up to date and makes the key where there is none (the server); else both must be there (a
     * proxy). Throws {@link dev.eden.api.problem.StartupException}.
     */
    public static EdenStore open(Settings settings, boolean owner) {
        DatabaseUrl url = DatabaseUrl.parse(settings.url(), settings.user(), settings.password());
        Secret given = settings.encryptionKey();
        List<byte[]> keys = EncryptionKey.load(given == null ? null : given.reveal(), settings.dataDirectory(), owner);
        Database.Settings connection =
                new Database.Settings(url.jdbc(), url.user(), url.password(), settings.poolSize(), settings.timeout());
        Database database = owner ? Database.open(connection) : Database.connect(connection);
        try {
            SecretCipher cipher = new SecretCipher(keys);
            EncryptionCheck.verify(database.jdbi(), cipher);
            if (owner) {
                database.jdbi()
                        .useHandle(handle -> handle.execute(
                                "UPDATE wire SET oldest = ?, newest = ? WHERE (oldest, newest) IS DISTINCT FROM (?, ?)",
                                WireVersion.OLDEST,
                                WireVersion.NEWEST,
                                WireVersion.OLDEST,
                                WireVersion.NEWEST));
            }
            return new EdenStore(
                    database,
                    cipher,
                    owner
                            ? StoreChanges.withRecords(url.jdbc(), properties(url))
                            : new StoreChanges(url.jdbc(), properties(url)));
        } catch (RuntimeException e) {
            database.close();
            throw e;
        }
    }

    public Database database() {
        return database;
    }

    SecretCipher cipher() {
        return cipher;
    }

    public AuditLog audit() {
        return audit;
    }

    public PostgresRouteRows routeRows() {
        return routeRows;
    }

    public EndpointStore endpoints() {
        return endpoints;
    }

    public EncryptedServerRecords records() {
        return records;
    }

    public InterlayUserStore users() {
        return users;
    }

    /** A ledger of its own for each user: it is cheap. */
    public RouteLedger routes() {
        return new PostgresRouteLedger(database.jdbi(), changes, cipher);
    }

    public ReplicationLedger replication() {
        return new PostgresReplicationLedger(database.jdbi(), tunings());
    }

    /** What operators have set of running copies. */
    public TuningStore tunings() {
        return new TuningStore(database.jdbi(), audit);
    }

    /** What Temporal's payloads are encrypted with. Each call reads the store. */
    public PayloadKeys payloadKeys() {
        return PayloadKeys.open(database.jdbi(), cipher);
    }

    /** What is sealed with which key, and sealing it anew. */
    public KeyRotation keys() {
        return new KeyRotation(database.jdbi(), cipher, audit);
    }

    /** Of a server's store. */
    MigrationStore.Records recorded() {
        return changes;
    }

    /** The proxies' port. */
    public RouteStore routeStore() {
        return new PostgresRouteStore(database.jdbi(), changes, endpoints, records, users);
    }

    @Override
    public void close() {
        changes.close();
        database.close();
    }

    private static Properties properties(DatabaseUrl url) {
        Properties properties = new Properties();
        if (url.user() != null) {
            properties.setProperty("user", url.user());
        }
        Secret password = url.password();
        if (password != null) {
            properties.setProperty("password", password.reveal());
        }
        properties.setProperty("connectTimeout", "5");
        properties.setProperty("tcpKeepAlive", "true");
        properties.setProperty("ApplicationName", "eden-changes");
        return properties;
    }
}

package dev.eden.activities.postgres;

import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.preparation.PostgresPreparation;
import dev.eden.activities.postgres.replication.PostgresReplicator;
import dev.eden.activities.redis.preparation.InMemoryServerRecords;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.embedded.EmbeddedPostgres;
import dev.eden.proxy.Backend;
import dev.eden.proxy.Secret;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.Strategy;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A source and a target with the store's ports in memory. Applications log in as {@code app} with the password {@code app}. */
public final class PostgresServers implements EndpointDirectory, AutoCloseable {
    public static final String MIGRATION = "m1";
    /** Tests run on machines that have better to do. */
    static final Duration LIMIT = Duration.ofMinutes(5);

    public final EmbeddedPostgres source;
    public final EmbeddedPostgres target;
    public final InMemoryServerRecords records = new InMemoryServerRecords();
    public final MemoryStore store = new MemoryStore();

    private PostgresServers(EmbeddedPostgres source, EmbeddedPostgres target) {
        this.source = source;
        this.target = target;
    }

    /** {@code settings}: more of them, for both. */
    public static PostgresServers start(int from, int to, String... settings) {
        return new PostgresServers(server(from, settings), server(to, settings));
    }

    /** The same servers, as if no migration had ever been. */
    PostgresServers again() {
        return new PostgresServers(source, target);
    }

    private static EmbeddedPostgres server(int version, String... settings) {
        return EmbeddedPostgres.start(EmbeddedPostgres.Options.defaults()
                .withVersion(version)
                .withSettings(Stream.concat(
                                Stream.of(
                                        "wal_level=logical",
                                        "max_worker_processes=16",
                                        "max_logical_replication_workers=8",
                                        "max_prepared_transactions=10",
                                        "wal_retrieve_retry_interval=500ms"),
                                Stream.of(settings))
                        .toArray(String[]::new)));
    }

    @Override
    public Endpoint endpoint(String id) {
        return endpoint(id, server(id));
    }

    static Endpoint endpoint(String id, EmbeddedPostgres server) {
        return new Endpoint(
                id,
                "postgres",
                server.host(),
                server.port(),
                false,
                new Backend.Login(server.user(), new Secret(server.password())),
                "eden");
    }

    public EmbeddedPostgres server(String id) {
        return switch (id) {
            case "source" -> source;
            case "target" -> target;
            default -> throw new NoSuchElementException(id);
        };
    }

    public Pair pair() {
        return new Pair(MIGRATION, "source", "target", this, records);
    }

    /** As the superuser that the endpoint names. */
    public PostgresSession own(String id) {
        return PostgresSession.connect(endpoint(id), "test", LIMIT);
    }

    /** The same, in another database of the server. */
    PostgresSession own(String id, String database) {
        Endpoint own = endpoint(id);
        return PostgresSession.connect(
                new Endpoint(id, own.engine(), own.host(), own.port(), own.tls(), own.login(), database),
                "test",
                LIMIT);
    }

    /** As Eden, fence or not. */
    public PostgresSession control(String id) {
        return pair().control(id.equals("source") ? Role.SOURCE : Role.TARGET, "test", LIMIT);
    }

    public Connection application(String id) throws SQLException {
        EmbeddedPostgres server = server(id);
        return DriverManager.getConnection(server.jdbcUrl() + "?connectTimeout=5&socketTimeout=60", "app", "app");
    }

    public static MigrationSpec spec() {
        return spec(null);
    }

    /** @param ddl {@code additive} or null */
    public static MigrationSpec spec(@Nullable String ddl) {
        return spec(ddl, 20_000);
    }

    static MigrationSpec spec(@Nullable String ddl, long deadlineMillis) {
        return spec(ddl, new MigrationSpec.CutoverBudget(deadlineMillis, 3));
    }

    static MigrationSpec spec(@Nullable String ddl, MigrationSpec.CutoverBudget budget) {
        return new MigrationSpec(
                MIGRATION,
                "",
                "postgres",
                "source",
                "target",
                List.of("front"),
                new Strategy(
                        "canary",
                        0,
                        "session",
                        5,
                        null,
                        new Strategy.WriteMode("dual_write", "old_authoritative", "source", null)),
                new MigrationSpec.Data("logical", "logical", "fail", ddl),
                new MigrationSpec.Gates(-1, -1, -1, 100, 1_000, "hold"),
                MigrationSpec.FailureHandling.PAUSE,
                budget,
                null);
    }

    public void prepare() {
        prepare(spec());
    }

    public void prepare(MigrationSpec spec) {
        new PostgresPreparation(this, records, store::read).prepare(spec, () -> {});
        store.attach(MIGRATION, "source", "target", List.of("front"));
    }

    public Running replicate() {
        return new Running(new PostgresReplicator(pair(), store, Clock.systemUTC()));
    }

    /** A replicator on its own thread. */
    public static final class Running implements AutoCloseable {
        final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        private final PostgresReplicator replicator;
        private final Thread thread;

        Running(PostgresReplicator replicator) {
            this.replicator = replicator;
            this.thread = Thread.ofPlatform().start(() -> {
                try {
                    replicator.run(progress -> {});
                } catch (Throwable e) {
                    failure.set(e);
                }
            });
        }

        @Override
        public void close() {
            replicator.close();
            try {
                thread.join();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    @Override
    public void close() {
        source.close();
        target.close();
    }
}

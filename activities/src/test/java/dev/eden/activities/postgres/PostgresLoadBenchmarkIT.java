package dev.eden.activities.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.postgres.cleanup.PostgresCleanup;
import dev.eden.activities.postgres.validation.PostgresValidation;
import dev.eden.activities.store.ValidationLedger.Report;
import dev.eden.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code -Dbench=rounds}: how fast three million rows get from one server to another, by Eden, by the servers' own initial synchronisation, by
 * {@code pg_dump | pg_restore} and, where it is installed, by {@code pgcopydb clone}, interleaved; and how fast they are compared. See docs/benchmarks/postgres-load.sh.
 */
@EnabledIfSystemProperty(named = "bench", matches = "[1-9][0-9]*")
class PostgresLoadBenchmarkIT {
    private static final Logger LOGGER = LoggerFactory.getLogger(PostgresLoadBenchmarkIT.class);
    private static final int ROWS = Integer.getInteger("bench.rows", 3_000_000);
    private static final String BIN = System.getProperty("bench.bin", "/usr/lib/postgresql/15/bin");
    private static final String PGCOPYDB = System.getProperty("bench.pgcopydb", "");
    private static final int VERSION = Integer.getInteger("bench.version", 15);
    private static final String WANTED = System.getProperty("bench.what", "eden native dump pgcopydb validation");
    private static final Duration LONG = Duration.ofMinutes(5);
    private static final String INDEXES =
            "CREATE INDEX accounts_bid ON shop.accounts (bid); CREATE INDEX accounts_balance ON shop.accounts (abalance, aid)";

    private final Map<String, List<Double>> seconds = new TreeMap<>();

    @Test
    void threeMillionRows() throws Exception {
        try (var servers = PostgresServers.start(
                VERSION, VERSION, "shared_buffers=2GB", "max_wal_size=4GB", "jit=off", "checkpoint_timeout=30min")) {
            fill(servers);
            for (String indexes : System.getProperty("bench.indexes", "0 2").split(" ")) {
                if (indexes.equals("2")) {
                    try (PostgresSession source = servers.own("source")) {
                        source.execute(INDEXES);
                    }
                }
                for (int round = 1; round <= Integer.getInteger("bench"); round++) {
                    for (String what : List.of("eden", "native", "dump", "pgcopydb")) {
                        if (WANTED.contains(what) && (!what.equals("pgcopydb") || !PGCOPYDB.isEmpty())) {
                            rest(servers);
                            double took = switch (what) {
                                case "eden" -> eden(servers.again(), round, indexes);
                                case "native" -> natively(servers, indexes.equals("2"));
                                case "dump" -> dumped(servers);
                                default -> cloned(servers);
                            };
                            note(what + ", " + indexes + " more indexes", took);
                        }
                    }
                }
            }
        }
        seconds.forEach((what, all) -> LOGGER.atWarn().log("{}: median {} rows/s", what, (long) (ROWS / median(all))));
    }

    private void note(String what, double took) {
        seconds.computeIfAbsent(what, _ -> new ArrayList<>()).add(took);
        // Above what tests log, so that Maven shows it.
        LOGGER.atWarn().log("{}: {} s, {} rows/s", what, took, (long) (ROWS / took));
    }

    private static double median(List<Double> all) {
        List<Double> sorted = all.stream().sorted().toList();
        int middle = sorted.size() / 2;
        return sorted.size() % 2 == 1 ? sorted.get(middle) : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
    }

    /** As {@code pgbench -i} makes them: 97 bytes a row as text. */
    private static void fill(PostgresServers servers) {
        try (PostgresSession source = servers.own("source")) {
            source.execute("CREATE SCHEMA shop");
            source.execute(
                    "CREATE TABLE shop.accounts (aid int NOT NULL, bid int, abalance int, filler char(84)) WITH (fillfactor = 100)");
            source.execute(
                    "INSERT INTO shop.accounts SELECT i, i / 100000, 0, '' FROM generate_series(1, " + ROWS + ") AS i");
            source.execute("ALTER TABLE shop.accounts ADD PRIMARY KEY (aid)");
            source.execute("VACUUM ANALYZE shop.accounts");
        }
    }

    private static void rest(PostgresServers servers) {
        for (String id : List.of("source", "target")) {
            try (PostgresSession session = servers.own(id)) {
                session.execute("CHECKPOINT");
            }
        }
    }

    /** From the start of replication to the end of the load: rows, keys, indexes, statistics. */
    private double eden(PostgresServers servers, int round, String indexes) throws IOException {
        servers.prepare();
        long before = System.nanoTime();
        double ownBefore = cpu(ProcessHandle.current().pid());
        double took;
        try (var running = servers.replicate()) {
            await().atMost(LONG).pollInterval(Duration.ofMillis(10)).until(() -> {
                assertThat(running.failure.get()).isNull();
                return servers.store.current(PostgresServers.MIGRATION).loaded();
            });
            took = (System.nanoTime() - before) / 1e9;
            LOGGER.atWarn().log("CPU of Eden: {} s", cpu(ProcessHandle.current().pid()) - ownBefore);
            if (WANTED.contains("validation")) {
                PostgresMigrationIT.awaitStreaming(servers);
                validate(servers, round, indexes);
            }
        }
        servers.store.detach(PostgresServers.MIGRATION);
        new PostgresCleanup(servers, servers.records).cleanUp(PostgresServers.spec(), false, true);
        return took;
    }

    private void validate(PostgresServers servers, int round, String indexes) throws IOException {
        double sourceBefore = cpuOfSessions(servers.source.pid());
        long before = System.nanoTime();
        Report report = new PostgresValidation(
                        servers, servers.records, servers.store, servers.store, Clock.systemUTC())
                .validate(PostgresServers.spec(), false, null, cursor -> {});
        note("validation, " + indexes + " more indexes", (System.nanoTime() - before) / 1e9);
        LOGGER.atWarn().log("CPU of the source: {} s", cpuOfSessions(servers.source.pid()) - sourceBefore);
        assertThat(report.differencesFound()).isZero();
        assertThat(report.keysCompared()).isGreaterThanOrEqualTo(ROWS);
        if (round == 1) {
            try (PostgresSession source = servers.own("source")) {
                long begun = System.nanoTime();
                source.text("SELECT md5(string_agg(t::text, '' ORDER BY aid)) FROM shop.accounts AS t");
                note(
                        "md5 aggregate by hand on one side, " + indexes + " more indexes",
                        (System.nanoTime() - begun) / 1e9);
            }
        }
    }

    private double natively(PostgresServers servers, boolean indexes) {
        try (PostgresSession source = servers.own("source");
                PostgresSession target = servers.own("target")) {
            target.execute("CREATE SCHEMA shop");
            target.execute(
                    "CREATE TABLE shop.accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84)) WITH (fillfactor = 100)");
            if (indexes) {
                target.execute(INDEXES);
            }
            source.execute("CREATE PUBLICATION bench FOR TABLE shop.accounts");
            var endpoint = servers.endpoint("source");
            String login = servers.source.password();
            long before = System.nanoTime();
            target.execute("CREATE SUBSCRIPTION bench CONNECTION 'host=127.0.0.1 port=" + endpoint.port()
                    + " dbname=eden user=" + servers.source.user() + " password=" + login + "' PUBLICATION bench");
            await().atMost(LONG)
                    .pollInterval(Duration.ofMillis(10))
                    .until(() -> target.is("SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel"));
            double took = (System.nanoTime() - before) / 1e9;
            target.execute("DROP SUBSCRIPTION bench");
            source.execute("DROP PUBLICATION bench");
            target.execute("DROP SCHEMA shop CASCADE");
            return took;
        }
    }

    private static double dumped(PostgresServers servers) throws IOException, InterruptedException {
        var dump = new ProcessBuilder(
                BIN + "/pg_dump",
                "-Fc",
                "-Z0",
                "-h",
                "127.0.0.1",
                "-p",
                "" + servers.source.port(),
                "-U",
                servers.source.user(),
                "-n",
                "shop",
                "eden");
        dump.environment().put("PGPASSWORD", servers.source.password());
        var restore = new ProcessBuilder(
                BIN + "/pg_restore",
                "-h",
                "127.0.0.1",
                "-p",
                "" + servers.target.port(),
                "-U",
                servers.target.user(),
                "-d",
                "eden");
        restore.environment().put("PGPASSWORD", servers.target.password());
        restore.redirectError(ProcessBuilder.Redirect.INHERIT);
        dump.redirectError(ProcessBuilder.Redirect.INHERIT);
        long before = System.nanoTime();
        for (Process process : ProcessBuilder.startPipeline(List.of(dump, restore))) {
            assertThat(process.waitFor()).isZero();
        }
        return arrived(servers, before);
    }

    private static double cloned(PostgresServers servers) throws IOException, InterruptedException {
        Path work = Files.createTempDirectory("pgcopydb");
        var clone = new ProcessBuilder(
                PGCOPYDB,
                "clone",
                "--dir",
                work.resolve("work").toString(),
                "--source",
                uri(servers.source),
                "--target",
                uri(servers.target),
                "--table-jobs",
                "2",
                "--index-jobs",
                "2");
        clone.environment().put("PATH", BIN + ":" + System.getenv("PATH"));
        clone.redirectErrorStream(true).redirectOutput(work.resolve("log").toFile());
        long before = System.nanoTime();
        assertThat(clone.start().waitFor())
                .as(() -> "what pgcopydb says in " + work)
                .isZero();
        double took = arrived(servers, before);
        try (var files = Files.walk(work)) {
            files.sorted(Comparator.reverseOrder())
                    .forEach(file -> file.toFile().delete());
        }
        return took;
    }

    private static String uri(EmbeddedPostgres server) {
        return "postgresql://" + server.user() + ":" + server.password() + "@127.0.0.1:" + server.port() + "/eden";
    }

    private static double arrived(PostgresServers servers, long before) {
        double took = (System.nanoTime() - before) / 1e9;
        try (PostgresSession target = servers.own("target")) {
            assertThat(target.number("SELECT count(*) FROM shop.accounts")).isEqualTo(ROWS);
            target.execute("DROP SCHEMA shop CASCADE");
        }
        return took;
    }

    /** Seconds of a process. */
    private static double cpu(long pid) {
        return ProcessHandle.of(pid)
                .flatMap(process -> process.info().totalCpuDuration())
                .map(time -> time.toMillis() / 1e3)
                .orElse(0.0);
    }

    /** Of a server with all its sessions, those that have ended included. */
    private static double cpuOfSessions(long pid) throws IOException {
        long ticks = 0;
        List<Long> all = new ArrayList<>(List.of(pid));
        ProcessHandle.of(pid).stream()
                .flatMap(ProcessHandle::children)
                .map(ProcessHandle::pid)
                .forEach(all::add);
        for (long process : all) {
            Path stat = Path.of("/proc/" + process + "/stat");
            if (Files.isReadable(stat)) {
                String text = Files.readString(stat);
                String[] fields = text.substring(text.lastIndexOf(')') + 2).split(" ");
                ticks += Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
                if (process == pid) {
                    ticks += Long.parseLong(fields[13]) + Long.parseLong(fields[14]);
                }
            }
        }
        return ticks / 100.0;
    }
}

package dev.eden.demo;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.eden.demo.engine.Databases;
import dev.eden.demo.engine.Workload;
import dev.eden.demo.load.LoadOptions;
import dev.eden.demo.postgres.PostgresDatabases;
import dev.eden.demo.postgres.PostgresWorkload;
import dev.eden.demo.redis.RedisDatabases;
import dev.eden.demo.redis.RedisWorkload;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code eden demo}: the whole of Eden on this machine, under load, with a verdict. Exit status 0 means that nothing was lost. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Moves a live database to another one under load, there, back and there again, and judges it.",
        footer = {"", "Examples:", "  eden demo", "  eden demo --postgres --seconds 90"})
public final class DemoCommand implements Callable<Integer> {
    /** What a shell reports for a program that Ctrl-C ended. */
    private static final int INTERRUPTED = 130;

    /** Each COMMIT waits for the disk, and two servers share one here. */
    private static final int STATEMENTS_A_SECOND = 1_200;
    /** Sessions and apply workers have to end inside the pause, and open transactions before it. */
    private static final int POSTGRES_DEADLINE_MILLIS = 1_500;

    private static final int PROXIES = 2;

    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @Option(
            names = "--seconds",
            defaultValue = "60",
            description = "how long the load runs (default: ${DEFAULT-VALUE})")
    private int seconds;

    @Mixin
    private final LoadArguments load = new LoadArguments(100_000, 24, 5_300, 100);

    @Option(
            names = "--damage",
            defaultValue = "0",
            paramLabel = "N",
            description = "damage N keys or rows of the target before the validation")
    private int damage;

    @Option(names = "--keep", description = "leave everything running at the end, until Ctrl-C")
    private boolean keep;

    @Option(names = "--postgres", description = "move a PostgreSQL instead of a Redis")
    private boolean postgres;

    @Option(names = "--all", description = "move a Redis, then a PostgreSQL")
    private boolean all;

    @Option(
            names = "--from",
            paramLabel = "14…18",
            defaultValue = "15",
            description = "version of the PostgreSQL that is moved (default: ${DEFAULT-VALUE})")
    private int from;

    @Option(
            names = "--to",
            paramLabel = "14…18",
            defaultValue = "18",
            description = "version of the PostgreSQL that it moves to (default: ${DEFAULT-VALUE})")
    private int to;

    @Option(
            names = "--proxies-from",
            paramLabel = "DIR",
            description =
                    "begin with the proxies of another build of Eden (its api-server/target/eden) and replace them by this one's while the data moves; their clients have to connect again")
    private @Nullable Path proxiesFrom;

    @Override
    public Integer call() {
        LoadArguments.require(spec, seconds >= 20 && seconds <= 3600, "--seconds must be between 20 and 3600");
        LoadArguments.require(spec, damage >= 0, "--damage must not be negative");
        LoadArguments.require(spec, from >= 14 && from <= 18, "--from must be between 14 and 18");
        LoadArguments.require(spec, to >= 14 && to <= 18, "--to must be between 14 and 18");
        LoadArguments.require(spec, !(all && keep), "--keep is for one database, --all for both");
        LoadArguments.require(
                spec,
                proxiesFrom == null || Files.isDirectory(proxiesFrom.resolve("lib")),
                "--proxies-from must be the folder of a build: there is no folder lib in it");
        load.check(spec);
        if (!all) {
            return run(postgres, json -> load.json() ? json.toString() : null);
        }
        ObjectNode both = new ObjectMapper().createObjectNode();
        int redisStatus = run(false, json -> remember(both, json));
        int postgresStatus = redisStatus == INTERRUPTED ? INTERRUPTED : run(true, json -> remember(both, json));
        int status = Math.max(redisStatus, postgresStatus);
        both.put("verdict", status == 0 ? "passed" : "failed");
        if (load.json()) {
            System.out.println(both);
            System.out.flush();
        }
        return status;
    }

    private static @Nullable String remember(ObjectNode both, ObjectNode json) {
        both.set(json.path("engine").asText(), json);
        return null;
    }

    /** Takes the verdict as JSON; gives the line that is shown of it, or null. */
    private interface Answer {
        @Nullable
        String of(ObjectNode json);
    }

    private int run(boolean ofPostgres, Answer answer) {
        int rate = ofPostgres && !spec.commandLine().getParseResult().hasMatchedOption("--rate")
                ? STATEMENTS_A_SECOND
                : load.rate();
        int deadline = ofPostgres && !spec.commandLine().getParseResult().hasMatchedOption("--deadline")
                ? POSTGRES_DEADLINE_MILLIS
                : load.deadlineMillis();
        DemoOptions options = new DemoOptions(
                seconds,
                load.keys(),
                load.clients(),
                rate,
                load.seed(),
                deadline,
                load.json(),
                damage,
                keep,
                proxiesFrom);
        LoadOptions clients = new LoadOptions(options.clients(), options.rate(), options.seed());
        if (ofPostgres) {
            PostgresDatabases databases = new PostgresDatabases(from, to);
            return run(options, databases, new PostgresWorkload(databases, options.keys(), clients), answer);
        }
        RedisDatabases databases = new RedisDatabases();
        return run(options, databases, new RedisWorkload(databases, options.keys(), clients), answer);
    }

    private int run(DemoOptions options, Databases databases, Workload workload, Answer answer) {
        PrintStream out = System.out;
        PrintStream errors = System.err;
        Cluster cluster = new Cluster(databases, PROXIES, false, options.proxiesFrom());
        Thread atExit = new Thread(cluster::close, "demo-exit");
        Runtime.getRuntime().addShutdownHook(atExit);
        // What the libraries of this process have to say belongs into the log, not into the view.
        Path log = cluster.directory().resolve("demo.log");
        try (PrintStream quiet = new PrintStream(log.toFile(), StandardCharsets.UTF_8)) {
            System.setOut(quiet);
            System.setErr(quiet);
            return run(options, cluster, workload, answer, out);
        } catch (IOException e) {
            throw new UncheckedIOException("can't write " + log, e);
        } finally {
            System.setOut(out);
            System.setErr(errors);
            cluster.close();
        }
    }

    private int run(DemoOptions options, Cluster cluster, Workload workload, Answer answer, PrintStream out) {
        DemoVerdict verdict;
        String title = "a live " + cluster.databases().source() + " moves to "
                + cluster.databases().target();
        try (Screen screen = new Screen(out, Terminal.ofThisProcess(options.json()), title, workload.units())) {
            verdict = new Demo(options, cluster, workload, screen).run();
        } catch (DemoException
                | RestClient.RefusedException
                | IOException
                | dev.eden.embedded.EmbeddedServerException e) {
            if (cluster.isClosed()) {
                return INTERRUPTED;
            }
            out.println("The demo could not run: " + e.getMessage());
            out.println("Logs: " + cluster.keepLogs());
            return 2;
        }
        if (cluster.isClosed()) {
            return INTERRUPTED;
        }
        verdict.words().forEach(out::println);
        if (!verdict.passed()) {
            out.println("Logs: " + cluster.keepLogs());
        }
        if (options.keep()) {
            out.println();
            cluster.addresses().forEach(out::println);
            out.println("Everything runs until Ctrl-C.");
        }
        String line = answer.of(verdict.json());
        if (line != null) {
            out.println(line);
        }
        out.flush();
        if (options.keep()) {
            awaitInterrupt();
        }
        return verdict.passed() ? 0 : 1;
    }

    private static void awaitInterrupt() {
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

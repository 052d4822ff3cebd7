package dev.eden.demo.chaos;

import dev.eden.demo.Cluster;
import dev.eden.demo.DemoException;
import dev.eden.demo.LoadArguments;
import dev.eden.demo.RestClient;
import dev.eden.demo.engine.Databases;
import dev.eden.demo.engine.Workload;
import dev.eden.demo.load.LoadOptions;
import dev.eden.demo.postgres.PostgresDatabases;
import dev.eden.demo.postgres.PostgresWorkload;
import dev.eden.demo.redis.RedisDatabases;
import dev.eden.demo.redis.RedisWorkload;
import dev.eden.embedded.EmbeddedServerException;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code eden chaos}: one migration under load, with a fault in each flip. Exit status 1 on any anomaly, 2 where
 * it could not run, 3 where nothing was found but a fault never struck. */
@Command(
        name = "chaos",
        hidden = true,
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Kills and stops Eden's processes at every step of the protocol, under load, and judges it.")
public final class ChaosCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @Option(
            names = "--points",
            split = ",",
            description = "failpoints, each in a flip of its own; settle.* are come to by killing the server first")
    private List<String> points = List.of();

    @Option(names = "--actions", split = ",", description = "kill, stop, cut (default: kill and stop)")
    private List<String> actions = List.of("kill", "stop");

    @Option(
            names = "--victims",
            split = ",",
            description =
                    "self, server, proxy-1, proxy-2, proxy-3, store, temporal, standby, and ways that can be cut: proxy-1~owner, proxy-1~standby, "
                            + "server~owner, server~standby, owner~standby (PostgreSQL): who is struck at each point (default: self)")
    private List<String> victims = List.of("self");

    @Option(
            names = "--faults",
            split = ",",
            paramLabel = "POINT:ACTION:PROCESS",
            description = "single faults, after those of --points; the point may be: random")
    private List<String> single = List.of();

    @Option(names = "--random", defaultValue = "0", description = "faults at random moments, after those at points")
    private int random;

    @Option(names = "--beginning", split = ",", description = "points of preparation and load, struck in the server")
    private List<String> beginning = List.of();

    @Option(names = "--ending", split = ",", description = "points of the cleanup, struck in the server")
    private List<String> ending = List.of();

    @Option(names = "--shuffle", description = "run the faults in an order that the seed gives")
    private boolean shuffle;

    @Option(names = "--seconds", defaultValue = "900", description = "after which no more faults are begun")
    private int seconds;

    @Mixin
    private final LoadArguments load = new LoadArguments(5_000, 16, 1_500, 300);

    @Option(names = "--share", defaultValue = "0", description = "of the eligible reads on the target while in canary")
    private double share;

    @Option(names = "--postgres", description = "strike the move of a PostgreSQL instead of a Redis")
    private boolean postgres;

    @Option(names = "--proxies", paramLabel = "2…3", defaultValue = "2", description = "how many")
    private int proxies;

    @Option(
            names = "--from",
            paramLabel = "14…18",
            defaultValue = "15",
            description = "version of the PostgreSQL that is moved")
    private int from;

    @Option(
            names = "--to",
            paramLabel = "14…18",
            defaultValue = "18",
            description = "version of the PostgreSQL that it moves to")
    private int to;

    @Override
    public Integer call() {
        load.check(spec);
        if (proxies < 2 || proxies > 3) {
            throw refused("--proxies is 2 or 3");
        }
        ChaosOptions options = new ChaosOptions(
                List.copyOf(beginning),
                actions.contains("kill"),
                faults(),
                List.copyOf(ending),
                load.seed(),
                seconds,
                load.keys(),
                load.clients(),
                load.rate(),
                share,
                load.deadlineMillis(),
                proxies);
        PrintStream out = System.out;
        PrintStream errors = System.err;
        LoadOptions clients = new LoadOptions(options.clients(), options.rate(), options.seed());
        if (postgres) {
            PostgresDatabases databases = new PostgresDatabases(from, to);
            return run(options, databases, new PostgresWorkload(databases, options.keys(), clients), out, errors);
        }
        RedisDatabases databases = RedisDatabases.durable();
        return run(options, databases, RedisWorkload.underFaults(databases, options.keys(), clients), out, errors);
    }

    private int run(ChaosOptions options, Databases databases, Workload workload, PrintStream out, PrintStream errors) {
        Cluster cluster = new Cluster(databases, options.proxies(), true);
        Runtime.getRuntime().addShutdownHook(new Thread(cluster::close, "chaos-exit"));
        Path log = cluster.directory().resolve("chaos.log");
        try (PrintStream quiet = new PrintStream(log.toFile(), StandardCharsets.UTF_8)) {
            System.setOut(quiet);
            System.setErr(quiet);
            return run(options, workload, cluster, out);
        } catch (IOException e) {
            throw new UncheckedIOException("can't write " + log, e);
        } finally {
            System.setOut(out);
            System.setErr(errors);
            cluster.close();
        }
    }

    private int run(ChaosOptions options, Workload workload, Cluster cluster, PrintStream out) {
        out.println("logs: " + cluster.directory());
        ChaosVerdict verdict;
        try {
            verdict = new ChaosRun(options, workload, cluster, out::println).run();
        } catch (DemoException | RestClient.RefusedException | IOException | EmbeddedServerException e) {
            out.println("The faults could not be run: " + e.getMessage());
            out.println("Logs: " + cluster.keepLogs());
            return 2;
        }
        verdict.words().forEach(out::println);
        if (!verdict.passed()) {
            out.println("Logs: " + cluster.keepLogs());
        }
        if (load.json()) {
            out.println(verdict.json());
        }
        out.flush();
        return verdict.exitStatus();
    }

    private List<Fault> faults() {
        Random choice = new Random(load.seed());
        List<Fault> faults = new ArrayList<>();
        for (String point : points) {
            for (String victim : victims) {
                for (String action : actions) {
                    faults.add(fault(point, action, victim, choice));
                }
            }
        }
        for (String each : single) {
            String[] parts = each.split(":", 3);
            if (parts.length != 3) {
                throw refused(each + " is not POINT:ACTION:PROCESS");
            }
            faults.add(fault(parts[0], parts[1], parts[2], choice));
        }
        if (shuffle) {
            java.util.Collections.shuffle(faults, choice);
        }
        List<Victim> atRandom = new ArrayList<>(List.of(Node.SERVER));
        atRandom.addAll(Node.proxies(proxies));
        atRandom.addAll(List.of(Node.STORE, Node.TEMPORAL));
        if (actions.contains(Blow.CUT.label())) {
            atRandom.addAll(Way.all(proxies, postgres));
        }
        for (int i = 0; i < random; i++) {
            Victim victim = atRandom.get(choice.nextInt(atRandom.size()));
            Blow drawn = Blow.of(actions.get(choice.nextInt(actions.size())));
            Blow blow = obstacle(drawn, victim) == null ? drawn : Blow.CUT;
            boolean flip = choice.nextInt(10) < 7;
            faults.add(new Fault(
                    null, flip, choice.nextInt(flip ? 600 : 1500), victim, blow, blow.millis(choice), proxies));
        }
        return faults;
    }

    private Fault fault(String point, String action, String struck, Random choice) {
        boolean anyMoment = point.equals("random");
        Blow blow;
        Victim victim;
        try {
            blow = Blow.of(action);
            victim = victim(point, struck);
        } catch (IllegalArgumentException unknown) {
            throw refused(String.valueOf(unknown.getMessage()));
        }
        String obstacle = obstacle(blow, victim);
        if (obstacle != null) {
            throw refused(action + " of " + victim.label() + " is not possible here: " + obstacle);
        }
        return new Fault(
                anyMoment ? null : point,
                true,
                anyMoment ? choice.nextInt(600) : 0,
                victim,
                blow,
                blow.millis(choice),
                proxies);
    }

    private @Nullable String obstacle(Blow blow, Victim victim) {
        if (victim.proxy() >= proxies) {
            return "there are " + proxies + " proxies";
        }
        return switch (victim) {
            case Node node -> blow == Blow.CUT && node == Node.STANDBY ? "it has no link to Eden's store" : null;
            case Way way ->
                blow != Blow.CUT
                        ? "a way can be cut and nothing else"
                        : Way.all(proxies, postgres).contains(way)
                                ? null
                                : "Eden carries what one Redis says to the other";
        };
    }

    private ParameterException refused(String words) {
        return new ParameterException(spec.commandLine(), words);
    }

    private static Victim victim(String point, String label) {
        if (!label.equals("self")) {
            return Victim.of(label);
        }
        return point.startsWith("proxy.") || point.startsWith("settle.") ? Node.PROXY_1 : Node.SERVER;
    }
}

package dev.eden.demo;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code eden demo}: the whole of Eden on this machine, under load, with a verdict. Exit status 0 means that nothing was lost. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Moves a live Redis to another one under load, there, back and there again, and judges it.")
public final class DemoCommand implements Callable<Integer> {
    /** What a shell reports for a program that Ctrl-C ended. */
    private static final int INTERRUPTED = 130;

    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @Option(
            names = "--seconds",
            defaultValue = "60",
            description = "how long the load runs (default: ${DEFAULT-VALUE})")
    private int seconds;

    @Option(names = "--keys", defaultValue = "100000", description = "keys in the source (default: ${DEFAULT-VALUE})")
    private int keys;

    @Option(names = "--clients", defaultValue = "24", description = "connections (default: ${DEFAULT-VALUE})")
    private int clients;

    @Option(names = "--rate", defaultValue = "6000", description = "operations a second (default: ${DEFAULT-VALUE})")
    private int rate;

    @Option(names = "--seed", defaultValue = "1", description = "what the clients do (default: ${DEFAULT-VALUE})")
    private long seed;

    @Option(
            names = "--deadline",
            paramLabel = "MILLIS",
            defaultValue = "100",
            description =
                    "how long a flip may hold requests before it aborts; more on a busy machine (default: ${DEFAULT-VALUE})")
    private long deadlineMillis;

    @Option(names = "--json", description = "plain lines, and as the last one a JSON object")
    private boolean json;

    @Option(
            names = "--damage",
            defaultValue = "0",
            paramLabel = "N",
            description = "damage N keys of the target before the validation")
    private int damage;

    @Option(names = "--keep", description = "leave everything running at the end, until Ctrl-C")
    private boolean keep;

    @Override
    public Integer call() {
        require(seconds >= 20 && seconds <= 3600, "--seconds must be between 20 and 3600");
        require(keys >= 1000 && keys <= 10_000_000, "--keys must be between 1000 and 10000000");
        require(clients >= 4 && clients <= 900, "--clients must be between 4 and 900");
        require(rate >= 1, "--rate must be positive");
        require(deadlineMillis >= 10 && deadlineMillis <= 10_000, "--deadline must be between 10 and 10000");
        require(damage >= 0, "--damage must not be negative");
        DemoOptions options = new DemoOptions(seconds, keys, clients, rate, seed, deadlineMillis, json, damage, keep);
        PrintStream out = System.out;
        PrintStream errors = System.err;
        Cluster cluster = new Cluster();
        Thread atExit = new Thread(cluster::close, "demo-exit");
        Runtime.getRuntime().addShutdownHook(atExit);
        // What the libraries of this process have to say belongs into the log, not into the view.
        Path log = cluster.directory().resolve("demo.log");
        try (PrintStream quiet = new PrintStream(log.toFile(), StandardCharsets.UTF_8)) {
            System.setOut(quiet);
            System.setErr(quiet);
            return run(options, cluster, out);
        } catch (IOException e) {
            throw new UncheckedIOException("can't write " + log, e);
        } finally {
            System.setOut(out);
            System.setErr(errors);
            cluster.close();
        }
    }

    private int run(DemoOptions options, Cluster cluster, PrintStream out) {
        DemoVerdict verdict;
        try (Screen screen = new Screen(out, Terminal.ofThisProcess(options.json()))) {
            verdict = new Demo(options, cluster, screen).run();
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
        if (options.json()) {
            out.println(verdict.json());
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

    private void require(boolean condition, String message) {
        if (!condition) {
            throw new ParameterException(spec.commandLine(), message);
        }
    }
}

package dev.eden.demo;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
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

    @Mixin
    private final LoadArguments load = new LoadArguments(100_000, 24, 5_300, 100);

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
        LoadArguments.require(spec, seconds >= 20 && seconds <= 3600, "--seconds must be between 20 and 3600");
        LoadArguments.require(spec, damage >= 0, "--damage must not be negative");
        load.check(spec);
        DemoOptions options = new DemoOptions(
                seconds,
                load.keys(),
                load.clients(),
                load.rate(),
                load.seed(),
                load.deadlineMillis(),
                load.json(),
                damage,
                keep);
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
}

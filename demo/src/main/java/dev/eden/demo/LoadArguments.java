package dev.eden.demo;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** The load and the attempts of a run, as the command line gives them; each command has defaults of its own. */
public final class LoadArguments {
    @Option(names = "--keys", description = "keys or rows in the source (default: ${DEFAULT-VALUE})")
    private int keys;

    @Option(names = "--clients", description = "connections (default: ${DEFAULT-VALUE})")
    private int clients;

    @Option(
            names = "--rate",
            description = "operations a second (default: ${DEFAULT-VALUE}; statements to a PostgreSQL: 1200)")
    private int rate;

    @Option(names = "--seed", description = "what the clients do, and every random choice (default: ${DEFAULT-VALUE})")
    private long seed = 1;

    @Option(
            names = "--deadline",
            paramLabel = "MILLIS",
            description =
                    "how long a flip may hold requests before it aborts; Eden's own default is 100, more on a busy machine"
                            + " (default: ${DEFAULT-VALUE}; of a PostgreSQL 1500)")
    private int deadlineMillis;

    @Option(names = "--json", description = "plain lines, and as the last one a JSON object")
    private boolean json;

    /** With these defaults; the seed's is 1. */
    public LoadArguments(int keys, int clients, int rate, int deadlineMillis) {
        this.keys = keys;
        this.clients = clients;
        this.rate = rate;
        this.deadlineMillis = deadlineMillis;
    }

    /** Throws {@link ParameterException} for the first one that makes no sense. */
    public void check(CommandSpec spec) {
        require(spec, keys >= 1000 && keys <= 10_000_000, "--keys must be between 1000 and 10000000");
        require(spec, clients >= 4 && clients <= 900, "--clients must be between 4 and 900");
        require(spec, rate >= 1, "--rate must be positive");
        require(
                spec,
                deadlineMillis >= 10 && deadlineMillis <= 10_000,
                "--deadline must be between 10 and 10000 milliseconds");
    }

    static void require(CommandSpec spec, boolean condition, String message) {
        if (!condition) {
            throw new ParameterException(spec.commandLine(), message);
        }
    }

    public int keys() {
        return keys;
    }

    public int clients() {
        return clients;
    }

    /** Operations a second. */
    public int rate() {
        return rate;
    }

    public long seed() {
        return seed;
    }

    public int deadlineMillis() {
        return deadlineMillis;
    }

    public boolean json() {
        return json;
    }
}

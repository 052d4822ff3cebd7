package dev.eden.api.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code eden temporal …}. */
@Command(
        mixinStandardHelpOptions = true,
        name = "temporal",
        description = "Temporal's dev server, which eden dev and eden demo use where it is.",
        footer = {"", "Example:", "  eden temporal install"})
final class TemporalCommand extends Group {
    /** Set by the launcher: the folder of Eden's sources. */
    static final String HOME = "eden.home";

    private final Terminal terminal;

    TemporalCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "install",
            description = {
                "Builds Temporal's durable dev server with its Web UI into Eden's cache; shows how far it is.",
                "Needs Go 1.26.4 or newer on the PATH; the first build takes about six minutes on two cores. Does nothing where this version"
                        + " is there already."
            },
            footer = {"", "Examples:", "  eden temporal install", "  eden temporal install --check"})
    int install(
            @Option(names = "--check", description = "only says whether it is there (exit code 0) or not (1)")
                    boolean check) {
        Path script = script(System.getProperty(HOME));
        List<String> command = new ArrayList<>(List.of("sh", script.toString()));
        if (check) {
            command.add("--check");
        }
        try {
            int code = run(command);
            if (code == 0) {
                new Page(terminal).next("eden dev");
                terminal.out().flush();
                return ExitCode.DONE.code();
            }
            throw new CliFailure(
                    ExitCode.FAILED,
                    check ? "Temporal's dev server is not there" : "Temporal's dev server could not be built",
                    check
                            ? "eden temporal install"
                            : "see the lines above (Go is at https://go.dev/dl); without it Eden uses Temporal's in-process test"
                                    + " server, which forgets everything, or the one of TEMPORAL_ADDRESS");
        } catch (IOException e) {
            throw new CliFailure(ExitCode.FAILED, "sh can't be started", "run " + script + " yourself");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return ExitCode.INTERRUPTED.code();
        }
    }

    /** The script redraws its progress where it sees a terminal; else its lines go where ours go. */
    private int run(List<String> command) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().clear();
        builder.environment().putAll(terminal.environment());
        if (terminal.interactive()) {
            builder.inheritIO();
        } else {
            builder.redirectErrorStream(true);
        }
        Process build = builder.start();
        Thread end = new Thread(build::destroy);
        Runtime.getRuntime().addShutdownHook(end);
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(build.getInputStream(), StandardCharsets.UTF_8))) {
            lines.lines().forEach(terminal.err()::println);
        }
        int code = build.waitFor();
        Runtime.getRuntime().removeShutdownHook(end);
        return code;
    }

    private static Path script(@Nullable String home) {
        Path script = home == null ? null : Path.of(home, "infra", "temporal", "build");
        if (script == null || !Files.exists(script)) {
            throw new CliFailure(
                    ExitCode.FAILED,
                    "the build script of Temporal's dev server is not here",
                    "run ./eden temporal install in Eden's sources, or set TEMPORAL_ADDRESS to a Temporal you have");
        }
        return script;
    }
}

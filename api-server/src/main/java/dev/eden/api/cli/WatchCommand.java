package dev.eden.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.time.LocalTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * Looks at a migration until it has ended, needs an operator, or is where {@code --until} says. On a terminal the picture is drawn
 * anew; elsewhere a line is written whenever something of note has changed.
 */
@Command(
        mixinStandardHelpOptions = true,
        name = "watch",
        description = "Shows progress, rate, time left, lag, blockers and canary until the migration has ended.",
        footer = {
            "",
            "Examples:",
            "  eden migration watch ec2_to_azure",
            "  eden migration watch ec2_to_azure --until ready --timeout 3600 && eden migration cutover ec2_to_azure --yes"
        })
final class WatchCommand implements Callable<Integer> {
    /** A line at least this often where nothing changes: a log that stands still looks like a hang. */
    private static final Duration SILENCE = Duration.ofSeconds(30);

    private static final DateTimeFormatter CLOCK = DateTimeFormatter.ofPattern("HH:mm:ss");
    private static final Set<String> BAD_ENDS = Set.of("rolled_back", "needs_operator");
    private static final Duration SERVER_AWAY = Duration.ofSeconds(60);

    @Mixin
    @SuppressWarnings("NullAway.Init")
    private ApiOptions api;

    @Parameters(paramLabel = "ID")
    private String id = "";

    @Option(
            names = "--until",
            paramLabel = "PHASE",
            description =
                    "ends well there: a phase such as canary or baking, or ready (for the cutover, in the last stage)")
    private @Nullable String until;

    @Option(names = "--timeout", paramLabel = "SECONDS", description = "ends with exit code 9 after that long")
    private long timeoutSeconds;

    @Option(
            names = "--interval",
            paramLabel = "MILLIS",
            defaultValue = "1000",
            description = "between two looks (default: ${DEFAULT-VALUE})")
    private long intervalMillis;

    private int drawn;
    private String lastLine = "";
    private long lastLineNanos;

    @Override
    public Integer call() throws InterruptedException {
        if (until != null) {
            PhaseNames.require("--until", until, "ready");
        }
        ApiClient client = api.client();
        long begun = System.nanoTime();
        long answered = begun;
        while (true) {
            JsonNode status = null;
            try {
                status = client.get(ApiClient.path("migrations", id, "status"));
                answered = System.nanoTime();
            } catch (CliFailure failure) {
                // A server that is restarted is no reason to stop watching.
                boolean everAnswered = answered != begun;
                if (failure.exitCode() != ExitCode.UNREACHABLE
                        || !everAnswered
                        || System.nanoTime() - answered > SERVER_AWAY.toNanos()) {
                    throw failure;
                }
            }
            if (status != null) {
                show(status);
                ExitCode end = end(status);
                if (end != null) {
                    finish(status, end);
                    return end.code();
                }
            }
            if (timeoutSeconds > 0 && System.nanoTime() - begun > timeoutSeconds * 1_000_000_000L) {
                throw new CliFailure(
                        ExitCode.TIMED_OUT,
                        "migration " + id + (until == null ? " has not ended" : " is not " + until) + " after "
                                + timeoutSeconds + " s",
                        "look where it stands: " + NextCommand.command("status", id));
            }
            Thread.sleep(Math.max(10, intervalMillis));
        }
    }

    private @Nullable ExitCode end(JsonNode status) {
        String phase = status.path("phase").asText();
        String wanted = until;
        if (wanted != null && (phase.equals(wanted) || wanted.equals("ready") && NextCommand.ready(status))) {
            return ExitCode.DONE;
        }
        if (BAD_ENDS.contains(phase)) {
            return ExitCode.ENDED_BADLY;
        }
        return StatusText.ended(status) ? wanted == null ? ExitCode.DONE : ExitCode.ENDED_BADLY : null;
    }

    private void show(JsonNode status) {
        if (api.json()) {
            line(status.toString(), StatusText.line(status));
        } else if (api.terminal().interactive()) {
            draw(status);
        } else {
            String text = StatusText.line(status);
            line(clock(LocalTime.now()) + "  " + text, text);
        }
    }

    /** A time's own text leaves out seconds that are zero. */
    static String clock(LocalTime time) {
        return CLOCK.format(time);
    }

    private void line(String text, String sameIf) {
        boolean silent = System.nanoTime() - lastLineNanos > SILENCE.toNanos();
        if (!sameIf.equals(lastLine) || silent) {
            api.terminal().out().println(text);
            api.terminal().out().flush();
            lastLine = sameIf;
            lastLineNanos = System.nanoTime();
        }
    }

    private void draw(JsonNode status) {
        boolean coloured = api.terminal().coloured();
        List<String> lines = new ArrayList<>(StatusText.lines(status, coloured));
        lines.add(Page.labelled("next", Style.CYAN.of(NextCommand.of(status), coloured), coloured));
        StringBuilder picture = new StringBuilder();
        if (drawn > 0) {
            picture.append("\u001b[").append(drawn).append('A');
        }
        // Lines that wrap would be counted wrong: they are cut off at the edge instead.
        picture.append("\u001b[?7l");
        lines.forEach(line -> picture.append("\r\u001b[K").append(line).append('\n'));
        picture.append("\u001b[J\u001b[?7h");
        drawn = lines.size();
        api.terminal().out().print(picture);
        api.terminal().out().flush();
    }

    private void finish(JsonNode status, ExitCode end) {
        if (api.json() || api.terminal().interactive()) {
            return;
        }
        if (end == ExitCode.ENDED_BADLY) {
            api.terminal().out().println("reason: " + status.path("last_reason").asText("-"));
        }
        new Page(api.terminal()).next(NextCommand.of(status));
        api.terminal().out().flush();
    }
}

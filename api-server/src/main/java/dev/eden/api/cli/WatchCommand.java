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
 * Looks at a migration until it has ended, goes on only once somebody helps, or is where {@code --until} says. On a terminal the picture is drawn
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
            "  eden migration watch ec2_to_azure --until ready --timeout 1h && eden migration cutover ec2_to_azure --yes"
        })
final class WatchCommand implements Callable<Integer> {
    /** A line at least this often where nothing changes: a log that stands still looks like a hang. */
    private static final Duration SILENCE = Duration.ofSeconds(30);

    private static final DateTimeFormatter CLOCK = DateTimeFormatter.ofPattern("HH:mm:ss");
    private static final Set<String> BAD_ENDS = Set.of("rolled_back", "needs_operator");

    private static final Duration SERVER_AWAY = Duration.ofSeconds(60);

    /** For one look: one that hangs is not to take all the time there is for a server that is away. */
    private static final Duration LOOK = Duration.ofSeconds(5);

    @Mixin
    @SuppressWarnings("NullAway.Init")
    private ApiOptions api;

    @Parameters(paramLabel = "ID")
    private String id = "";

    @Option(
            names = "--until",
            paramLabel = "PHASE",
            description =
                    "ends well there, or where that is over: a phase such as canary or baking, or ready (for the cutover, in the last stage)")
    private @Nullable String until;

    @Option(
            names = "--timeout",
            paramLabel = "DURATION",
            converter = Durations.Seconds.class,
            description = "ends with exit code 9 after that long: 90s, 10m, 2h; a number is seconds")
    private Duration timeout = Duration.ZERO;

    @Option(
            names = "--interval",
            paramLabel = "DURATION",
            defaultValue = "1s",
            converter = Durations.Millis.class,
            description = "between two looks (default: ${DEFAULT-VALUE}); a number is milliseconds")
    private Duration interval = Duration.ofSeconds(1);

    private @Nullable JsonNode known;
    private int drawn;
    private String lastLine = "";
    private long lastLineNanos;

    @Override
    public Integer call() throws InterruptedException {
        if (until != null) {
            PhaseNames.require("--until", until, Until.READY);
        }
        Until goal = until == null ? null : new Until(until);
        ApiClient client = api.client();
        long begun = System.nanoTime();
        long answered = begun;
        while (true) {
            JsonNode status = null;
            try {
                status = client.get(ApiClient.path("migrations", id, "status"), LOOK);
                answered = System.nanoTime();
            } catch (CliFailure failure) {
                // A server that is restarted is no reason to stop watching.
                boolean everAnswered = answered != begun;
                if (failure.exitCode() != ExitCode.UNREACHABLE
                        || !everAnswered
                        || System.nanoTime() - answered > SERVER_AWAY.toNanos()) {
                    throw failure;
                }
                unanswered(Duration.ofNanos(System.nanoTime() - answered));
            }
            if (status != null) {
                show(status);
                ExitCode end = end(status, goal != null && goal.reached(status, System.nanoTime()));
                if (end != null) {
                    finish(status, end, goal == null ? null : goal.over());
                    return end.code();
                }
            }
            if (!timeout.isZero() && System.nanoTime() - begun > timeout.toNanos()) {
                throw new CliFailure(
                        ExitCode.TIMED_OUT,
                        "migration " + id + (until == null ? " has not ended" : " is not " + until) + " after "
                                + Durations.text(timeout),
                        "look where it stands: " + api.where().in(NextCommand.command("status", id)));
            }
            Thread.sleep(Math.max(10, interval.toMillis()));
        }
    }

    private @Nullable ExitCode end(JsonNode status, boolean reached) {
        if (reached) {
            return ExitCode.DONE;
        }
        if (BAD_ENDS.contains(status.path("phase").asText())
                || status.path("failed").asBoolean()
                || status.path("allowed").equals(StatusText.LOST)) {
            return ExitCode.ENDED_BADLY;
        }
        return StatusText.ended(status) ? until == null ? ExitCode.DONE : ExitCode.ENDED_BADLY : null;
    }

    /** What was known stays; for a program there is nothing to say. */
    private void unanswered(Duration since) {
        String text = "no answer since " + StatusText.duration(since);
        if (api.json()) {
            return;
        }
        JsonNode before = known;
        if (api.terminal().interactive() && before != null) {
            draw(before, text);
        } else {
            line(clock(LocalTime.now()) + "  " + text, "no answer");
        }
    }

    private void show(JsonNode status) {
        if (api.json()) {
            line(status.toString(), StatusText.line(status));
        } else if (api.terminal().interactive()) {
            known = status;
            draw(status, "");
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
            api.terminal().flush();
            lastLine = sameIf;
            lastLineNanos = System.nanoTime();
        }
    }

    /** @param silence of the server, in words */
    private void draw(JsonNode status, String silence) {
        boolean coloured = api.terminal().coloured();
        List<String> lines = new ArrayList<>(StatusText.lines(status, coloured));
        if (!silence.isEmpty()) {
            lines.add(Page.labelled("server", Style.YELLOW.of(silence, coloured), coloured));
        }
        String next = api.where().in(NextCommand.of(status));
        lines.add(Page.labelled("next", Style.CYAN.of(next, coloured), coloured));
        List<String> rows = lines.stream()
                .flatMap(line -> Wrapped.lines(line, Page.LABEL).stream())
                .toList();
        StringBuilder picture = new StringBuilder();
        if (drawn > 0) {
            picture.append("\u001b[").append(drawn).append('A');
        }
        // In a narrower terminal they would wrap and be counted wrong: they are cut off at the edge instead.
        picture.append("\u001b[?7l");
        rows.forEach(line -> picture.append("\r\u001b[K").append(line).append('\n'));
        picture.append("\u001b[J\u001b[?7h");
        drawn = rows.size();
        api.terminal().out().print(picture);
        api.terminal().flush();
    }

    /** @param over why a wait for a phase has ended that is not the present one */
    private void finish(JsonNode status, ExitCode end, @Nullable String over) {
        if (api.json()) {
            return;
        }
        if (end == ExitCode.DONE && over != null) {
            api.terminal().out().println(over);
        }
        if (api.terminal().interactive()) {
            return;
        }
        if (end == ExitCode.ENDED_BADLY) {
            String reason = StatusText.text(status, "last_reason");
            api.terminal()
                    .out()
                    .println("reason: "
                            + (reason.equals("-") || reason.isEmpty()
                                    ? "the phase is " + StatusText.text(status, "phase")
                                    : reason));
        }
        new Page(api.terminal()).next(api.where().in(NextCommand.of(status)));
        api.terminal().out().flush();
    }
}

package dev.eden.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.json.Json;
import java.time.Duration;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A migration's events to the end of the migration, each once, over connections that break and servers that are replaced meanwhile. */
final class EventFollower {
    /** How long no server may answer, once one has. docs/cli.md says so. */
    static final Duration PATIENCE = Duration.ofMinutes(5);

    /** A server is silent for 5 s at most. */
    private static final Duration SILENCE = Duration.ofSeconds(30);

    private static final Duration FIRST_PAUSE = Duration.ofMillis(500);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);
    private static final int TOO_MANY = 429;

    private final ApiClient client;
    private final Terminal terminal;
    private final Duration patience;
    private @Nullable String last;
    private boolean connected;
    private boolean ended;
    private long heardNanos;

    /** @param after the last event that is known; null: none is */
    EventFollower(ApiClient client, Terminal terminal, Duration patience, @Nullable String after) {
        this.client = client;
        this.terminal = terminal;
        this.patience = patience;
        this.last = after;
    }

    /** Throws {@link CliFailure} where the first connection fails, the server refuses, or none has answered for too long. */
    void follow(String path, Consumer<JsonNode> data) {
        Duration pause = FIRST_PAUSE;
        boolean said = false;
        while (true) {
            long before = heardNanos;
            CliFailure broken = read(path, data);
            if (ended) {
                return;
            }
            if (heardNanos != before) {
                pause = FIRST_PAUSE;
                said = false;
            }
            if (!connected || !passing(broken) || System.nanoTime() - heardNanos >= patience.toNanos()) {
                throw broken;
            }
            if (!said) {
                terminal.err()
                        .println("the stream of events broke off; connecting again, for " + patience.toMinutes()
                                + " minutes at most");
                terminal.err().flush();
                said = true;
            }
            sleep(pause);
            pause = pause.multipliedBy(2).compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause.multipliedBy(2);
        }
    }

    /** Why it did not come to its end. */
    private CliFailure read(String path, Consumer<JsonNode> data) {
        try {
            Event event = new Event();
            client.stream(path, last, SILENCE, line -> heard(line, event, data));
            return new CliFailure(
                    ExitCode.UNREACHABLE, "the server has ended the stream of events", "follow it again with --after");
        } catch (CliFailure failure) {
            return failure;
        }
    }

    private void heard(String line, Event event, Consumer<JsonNode> data) {
        connected = true;
        heardNanos = System.nanoTime();
        if (line.startsWith("id: ")) {
            event.id = line.substring(4);
        } else if (line.equals("event: end")) {
            ended = true;
        } else if (line.startsWith("data: {\"")) {
            event.data = line.substring(6);
        } else if (line.isEmpty() && event.data != null) {
            // Whole: one that breaks off before this comes again.
            data.accept(Json.tree(event.data));
            last = event.id == null ? last : event.id;
            event.data = null;
        }
    }

    private static final class Event {
        private @Nullable String id;
        private @Nullable String data;
    }

    private static boolean passing(CliFailure failure) {
        JsonNode problem = failure.problem();
        return failure.exitCode() == ExitCode.UNREACHABLE
                || failure.exitCode() == ExitCode.FAILED
                || problem != null && problem.path("status").asInt() == TOO_MANY;
    }

    private static void sleep(Duration pause) {
        try {
            Thread.sleep(pause);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliFailure(ExitCode.INTERRUPTED, "interrupted", "the migration goes on");
        }
    }
}

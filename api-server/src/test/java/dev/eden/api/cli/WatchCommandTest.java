package dev.eden.api.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.eden.api.json.Json;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.LocalTime;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A watch of a server that says what it is told to, one status a look, the last one again and again. */
class WatchCommandTest {
    /** Instead of a status: the server hears the question and says nothing. */
    private static final String SILENCE = "";

    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final CountDownLatch over = new CountDownLatch(1);
    private final AtomicInteger looks = new AtomicInteger();
    private volatile List<String> told = List.of();
    private HttpServer server;

    @TempDir
    private Path home;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", this::answer);
        server.start();
    }

    @AfterEach
    void stop() {
        over.countDown();
        server.stop(0);
        threads.close();
    }

    @Test
    void everyLineBeginsWithATimeOfOneWidth() {
        assertThat(WatchCommand.clock(LocalTime.of(3, 4))).isEqualTo("03:04:00");
        assertThat(WatchCommand.clock(LocalTime.of(13, 4, 5, 678_000_000))).isEqualTo("13:04:05");
    }

    @Test
    void whatHasFailedEndsItWithTheReason() {
        FakeTerminal.Result failed = shell(
                        status("replicating", ""),
                        status("replicating", ", \"paused\": true, \"failed\": true, \"last_reason\": \"disk full\""))
                .run("migration", "watch", "m", "--interval", "10");
        assertThat(failed.code()).isEqualTo(ExitCode.ENDED_BADLY.code());
        assertThat(failed.out()).contains("failed: disk full", "reason: disk full");
    }

    @Test
    void aPauseOfSomebodysIsWaitedOut() {
        FakeTerminal.Result resumed = shell(
                        status("replicating", ", \"paused\": true"), status("canary", ""), status("canary", ""))
                .run("migration", "watch", "m", "--until", "canary", "--interval", "10");
        assertThat(resumed.code()).as(resumed.err()).isZero();
    }

    @Test
    void whereItsWorkflowIsLostItEnds() {
        FakeTerminal.Result lost = shell(status("replicating", ", \"allowed\": [\"recover\"]"))
                .run("migration", "watch", "m", "--interval", "10");
        assertThat(lost.code()).isEqualTo(ExitCode.ENDED_BADLY.code());
        assertThat(lost.lastLine()).isEqualTo("next: eden migration recover m");
    }

    @Test
    void aPhaseThatWasOverBeforeTheNextLookIsReached() {
        assertThat(shell(status("replicating", ""), status("baking", ""))
                        .run("migration", "watch", "m", "--until", "canary", "--interval", "10", "--timeout", "20")
                        .code())
                .isZero();
    }

    /** A script that is begun again would wait for ever. */
    @ParameterizedTest
    @CsvSource({"validating, baking", "canary, completed", "cutting_over, baking", "created, canary"})
    void whatIsOverBeforeTheFirstLookIsReachedAndSaidToBeOver(String until, String phase) {
        FakeTerminal.Result over = shell(status(phase, ""))
                .run("migration", "watch", "m", "--until", until, "--interval", "10ms", "--timeout", "20s");
        assertThat(over.code()).as(over.err()).isZero();
        assertThat(over.out()).contains(until + " is over: the phase is " + phase);
        assertThat(looks.get()).isEqualTo(1);
    }

    /** The rollback that was sent a moment ago does not show yet. */
    @Test
    void theCanaryThatComesAgainIsNotTheOneThatIsOver() {
        FakeTerminal.Result back = shell(
                        status("baking", ""), status("baking", ""), status("rolling_back", ""), status("canary", ""))
                .run("migration", "watch", "m", "--until", "canary", "--interval", "10ms", "--timeout", "20s");
        assertThat(back.code()).as(back.err()).isZero();
        assertThat(looks.get()).isEqualTo(4);

        Until ready = new Until(Until.READY);
        JsonNode baking = Json.tree(status("baking", ""));
        assertThat(ready.reached(baking, 1)).isFalse();
        assertThat(ready.reached(baking, 4_999_999_999L)).isFalse();
        assertThat(ready.reached(baking, 5_000_000_001L)).as("nothing comes").isTrue();

        Until passed = new Until("canary");
        assertThat(passed.reached(Json.tree(status("validating", "")), 1)).isFalse();
        assertThat(passed.reached(baking, 2)).as("between two looks").isTrue();
    }

    @Test
    void whatComesAgainAfterARollbackIsWaitedFor() {
        FakeTerminal.Result back = shell(status("rolling_back", ""), status("rolling_back", ""), status("canary", ""))
                .run("migration", "watch", "m", "--until", "canary", "--interval", "10ms", "--timeout", "20s");
        assertThat(back.code()).as(back.err()).isZero();
        assertThat(back.out()).doesNotContain("is over");
        assertThat(looks.get()).isEqualTo(3);
    }

    @Test
    void whatCannotComeAnyMoreSaysWhy() {
        FakeTerminal.Result ended = shell(
                        status("completed", ", \"last_reason\": \"\"").replace("null", "\"2026-12-01T14:00:00Z\""))
                .run("migration", "watch", "m", "--until", "rolled_back", "--interval", "10ms", "--timeout", "20s");
        assertThat(ended.code()).isEqualTo(ExitCode.ENDED_BADLY.code());
        assertThat(ended.out()).contains("reason: the phase is completed");
    }

    @ParameterizedTest
    @CsvSource({"1, 1 s", "1s, 1 s", "300ms, 300 ms"})
    void aTimeoutIsANumberOfSecondsOrADuration(String timeout, String told) {
        FakeTerminal.Result late = shell(status("replicating", ""))
                .run("migration", "watch", "m", "--until", "canary", "--interval", "10", "--timeout", timeout);
        assertThat(late.code()).isEqualTo(ExitCode.TIMED_OUT.code());
        assertThat(late.err()).contains("is not canary after " + told);
    }

    @Test
    void whatIsNoDurationIsRefusedWithWhatIsOne() {
        FakeTerminal.Result wrong =
                shell(status("canary", "")).run("migration", "watch", "m", "--timeout", "5 minutes");
        assertThat(wrong.code()).isEqualTo(ExitCode.USAGE.code());
        assertThat(wrong.err()).contains("'5 minutes' is no duration", "90s");
    }

    @Test
    void aLookWithoutAnAnswerIsSaidAndTheNextOneCounts() {
        FakeTerminal.Result answered = shell(status("replicating", ""), SILENCE, status("canary", ""))
                .run("migration", "watch", "m", "--until", "canary", "--interval", "10");
        assertThat(answered.code()).as(answered.err()).isZero();
        assertThat(answered.out()).contains("no answer since 5 s");
    }

    @Test
    void aReaderThatHasGoneEndsIt() {
        FakeTerminal.Result gone = shell(status("replicating", ""))
                .writing(new Unwritable("Broken pipe"), "migration", "watch", "m", "--interval", "10");
        assertThat(gone.code()).isEqualTo(ExitCode.INTERRUPTED.code());
        assertThat(gone.err()).isEmpty();
        FakeTerminal.Result full = shell(status("replicating", ""))
                .writing(new Unwritable("No space left on device"), "migration", "watch", "m", "--interval", "10");
        assertThat(full.code()).isEqualTo(ExitCode.FAILED.code());
    }

    /** On 80 columns the phase that a migration is to end in, its pause and what blocks it were cut off. */
    @Test
    void thePictureFitsATerminalAndSaysAllOfIt() {
        String blocker =
                "the way back is not proven: " + "nobody has written to the source since replication began, ".repeat(2);
        FakeTerminal.Result drawn = shell(
                        status("canary", ", \"paused\": true, \"blockers\": [\"" + blocker + "so try again\"]"),
                        status("completed", ""))
                .with("NO_COLOR", "1")
                .typing("", "migration", "watch", "m", "--until", "completed", "--interval", "10");
        assertThat(drawn.code()).as(drawn.err()).isZero();
        List<String> lines = drawn.out()
                .replaceAll("\u001b\\[[?0-9]*[A-Za-z]", "")
                .replace("\r", "")
                .lines()
                .toList();
        assertThat(lines).allMatch(line -> line.length() <= 80);
        assertThat(String.join(" ", lines)).contains("completed  paused", "so try again");
    }

    private FakeTerminal shell(String... statuses) {
        looks.set(0);
        told = List.of(statuses);
        return new FakeTerminal(home)
                .with("EDEN_URL", "http://127.0.0.1:" + server.getAddress().getPort())
                .with("EDEN_TOKEN", "token");
    }

    private void answer(HttpExchange exchange) throws IOException {
        String status = told.get(Math.min(looks.getAndIncrement(), told.size() - 1));
        if (status.equals(SILENCE)) {
            try {
                over.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return;
        }
        byte[] bytes = status.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(200, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    /** @param more members, each with a comma before it */
    private static String status(String phase, String more) {
        return "{\"id\": \"m\", \"phase\": \"" + phase + "\", \"ended_at\": null" + more + "}";
    }
}

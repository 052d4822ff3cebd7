package dev.eden.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServerProcessTest {
    private static final Duration LONG = Duration.ofSeconds(20);

    @TempDir
    private Path dir;

    @Test
    void thePidIsTheCommandsOwn() {
        try (ServerProcess process = sh("echo $$ $GREETING; exec sleep 60")) {
            process.awaitReady(LONG, () -> !process.logTail(1).isEmpty());
            assertThat(process.logTail(1)).isEqualTo(process.pid() + " hello");
        }
    }

    @Test
    void anOperatorsSettingsAreNoneOfAnEmbeddedServers() {
        Map<String, String> environment = new HashMap<>(Map.of(
                "PATH", "/bin", "EDEN_URL", "x", "TEMPORAL_ADDRESS", "x", "OTEL_SERVICE_NAME", "x", "MY_EDEN_", "y"));
        ServerProcess.withoutSettings(environment);
        assertThat(environment).containsOnlyKeys("PATH", "MY_EDEN_");
    }

    @Test
    void killTakesTheChildrenAlong() {
        ServerProcess process = sh("sleep 60 & sleep 60 & wait");
        ProcessHandle handle = ProcessHandle.of(process.pid()).orElseThrow();
        await().until(() -> handle.descendants().count() == 2);
        List<ProcessHandle> children = handle.descendants().toList();
        process.suspend();
        process.kill();
        assertThat(process.isAlive()).isFalse();
        await().untilAsserted(() -> assertThat(children).noneMatch(ProcessHandle::isAlive));
    }

    @Test
    void whatIgnoresSigtermIsKilledInTheEnd() {
        ServerProcess process = sh("trap '' TERM; echo up; while :; do sleep 0.1; done");
        process.awaitReady(LONG, () -> process.logTail(1).equals("up"));
        process.stop(Duration.ofMillis(200));
        assertThat(process.isAlive()).isFalse();
        assertThat(process.exitCode()).isEqualTo(128 + 9);
    }

    @Test
    void aSuspendedProcessCanBeStopped() {
        ServerProcess process = sh("trap 'exit 7' TERM; echo up; while :; do sleep 0.1; done");
        process.awaitReady(LONG, () -> process.logTail(1).equals("up"));
        process.suspend();
        process.stop(LONG);
        assertThat(process.exitCode()).isEqualTo(7);
    }

    @Test
    void anEndBeforeReadinessIsReportedWithTheLog() {
        ServerProcess process = sh("echo no such port; exit 3");
        assertThatThrownBy(() -> process.awaitReady(LONG, () -> false))
                .isInstanceOf(EmbeddedServerException.class)
                .hasMessageContaining("exit code 3")
                .hasMessageContaining("no such port");
    }

    @Test
    void theLogsTailIsBounded() {
        try (ServerProcess process =
                sh("i=0; while [ $i -lt 5000 ]; do echo line-$i-padding-padding; i=$((i + 1)); done")) {
            assertThat(process.awaitExit(LONG)).isTrue();
            assertThat(process.logTail(3))
                    .isEqualTo(String.join(
                            "\n",
                            IntStream.of(4997, 4998, 4999)
                                    .mapToObj(i -> "line-" + i + "-padding-padding")
                                    .toList()));
            assertThat(process.logTail(100_000).length()).isLessThanOrEqualTo(65_536);
        }
    }

    private ServerProcess sh(String script) {
        return ServerProcess.start(new ServerProcess.Spec(
                "sh", List.of("sh", "-c", script), dir, Map.of("GREETING", "hello"), dir.resolve("sh.log")));
    }
}

package dev.eden.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedRedisIT {
    @Test
    void restartsOnTheSamePortWithItsData(@TempDir Path dir) throws Exception {
        var options = EmbeddedRedis.Options.defaults().withDir(dir).withConfig("appendonly yes", "appendfsync always");
        try (var redis = EmbeddedRedis.start(options)) {
            assertThat(ask(redis, "SET k v")).isEqualTo("+OK");
            long first = redis.pid();
            redis.kill();
            assertThat(redis.isAlive()).isFalse();
            assertThatThrownBy(() -> ask(redis, "PING")).isInstanceOf(IOException.class);

            redis.restart();

            assertThat(redis.pid()).isNotEqualTo(first);
            assertThat(ask(redis, "STRLEN k")).isEqualTo(":1");
            redis.stop();
            redis.restart();
            assertThat(ask(redis, "STRLEN k")).isEqualTo(":1");
        }
    }

    @Test
    void suspendedAnswersNothingUntilResumed() throws Exception {
        try (var redis = EmbeddedRedis.start()) {
            redis.suspend();
            assertThatThrownBy(() -> ask(redis, "PING")).isInstanceOf(SocketTimeoutException.class);
            redis.resume();
            assertThat(ask(redis, "PING")).isEqualTo("+PONG");
        }
    }

    @Test
    void speaksTheVersionAskedFor() throws Exception {
        try (var six = EmbeddedRedis.start(EmbeddedRedis.Options.defaults().withVersion("6.2"));
                var seven = EmbeddedRedis.start()) {
            // LMPOP came with 7.0.
            assertThat(ask(six, "LMPOP 1 k LEFT")).startsWith("-ERR unknown command");
            assertThat(ask(seven, "LMPOP 1 k LEFT")).isEqualTo("*-1");
        }
    }

    @Test
    void aTemporaryServerLeavesNothing() {
        var redis = EmbeddedRedis.start();
        redis.suspend();
        redis.close();
        assertThat(redis.isAlive()).isFalse();
        assertThat(redis.directory()).doesNotExist();
    }

    @Test
    void aBadSettingIsReportedInTheServersWords() {
        var options = EmbeddedRedis.Options.defaults().withConfig("no-such-setting yes");
        assertThatThrownBy(() -> EmbeddedRedis.start(options))
                .isInstanceOf(EmbeddedServerException.class)
                .hasMessageContaining("no-such-setting");
    }

    @Test
    void diesWithAKilledLauncherAndTakesItsDirectoryAlong(@TempDir Path dir) throws Exception {
        Path log = dir.resolve("launcher.log");
        try (var launcher = Launched.start("EmbeddedRedis", log)) {
            long server = launcher.serverPid();
            assertThat(ProcessHandle.of(server)).isPresent();
            Signal.KILL.send(launcher.process().pid());
            await().untilAsserted(() -> assertThat(ProcessHandle.of(server).filter(ProcessHandle::isAlive))
                    .isEmpty());
            await().untilAsserted(() -> assertThat(launcher.directory()).doesNotExist());
        }
    }

    @Test
    void aDetachedServerOutlivesAKilledLauncher(@TempDir Path dir) throws Exception {
        Path log = dir.resolve("launcher.log");
        try (var launcher = Launched.start("EmbeddedRedis.detached", log)) {
            long server = launcher.serverPid();
            Signal.KILL.send(launcher.process().pid());
            try {
                assertThat(ask(launcher.port(), "PING")).isEqualTo("+PONG");
                assertThat(launcher.directory()).exists();
            } finally {
                Signal.KILL.send(server);
                Cache.delete(launcher.directory());
            }
        }
        assertThat(Files.exists(log)).isTrue();
    }

    static String ask(EmbeddedRedis redis, String command) throws IOException {
        return ask(redis.port(), command);
    }

    private static String ask(int port, String command) throws IOException {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(1_000);
            socket.getOutputStream().write((command + "\r\n").getBytes(StandardCharsets.US_ASCII));
            return new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII))
                    .readLine();
        }
    }
}

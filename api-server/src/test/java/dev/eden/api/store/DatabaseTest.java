package dev.eden.api.store;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.api.problem.StartupException;
import dev.eden.proxy.Secret;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** What a person reads who starts Eden while its database is not there: which of the things it can be. */
class DatabaseTest {
    @Test
    void aRefusedConnectionIsTold() throws Exception {
        int port;
        try (ServerSocket once = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = once.getLocalPort();
        }
        says("127.0.0.1:" + port, "the connection is refused");
    }

    @Test
    void anUnknownHostIsTold() {
        says("no-such-host.invalid", "the host is unknown");
    }

    @Test
    void aServerThatDoesNotAnswerIsNotCalledAway() throws Exception {
        try (ServerSocket mute = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            says("127.0.0.1:" + mute.getLocalPort(), "does not answer in time");
        }
    }

    private static void says(String address, String reason) {
        var settings = new Database.Settings(
                "jdbc:postgresql://" + address + "/eden", "eden", new Secret("any"), 1, Duration.ofSeconds(1));
        assertThatThrownBy(() -> Database.connect(settings))
                .isInstanceOf(StartupException.class)
                .hasMessageContaining(reason);
    }
}

package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code WAIT} before servers from 7.2 on, where it asks for what its own connection has had replicated. */
class RedisWaitIT {
    private static final String NO_CHANNEL = "-NOPERM No permissions to access a channel\r\n";

    @Test
    void whereTheConnectionHasHadNothingReplicatedNobodyHasConfirmed() throws IOException {
        assertThat(wait("7.2.4", "standalone", ":0\r\n", ":2\r\n")).isEqualTo(":2");
        assertThat(wait("7.2.4", "standalone", NO_CHANNEL, ":2\r\n")).isEqualTo(":0");
        assertThat(wait("7.2.4", "cluster", ":0\r\n", ":2\r\n"))
                .as("the message goes over the cluster's bus")
                .isEqualTo(":0");
        assertThat(wait("7.0.15", "standalone", NO_CHANNEL, ":2\r\n")).isEqualTo(":2");
        assertThat(wait("6.2.14", "standalone", "-ERR unknown command `SPUBLISH`\r\n", ":2\r\n"))
                .isEqualTo(":2");
    }

    @Test
    void anErrorIsTheClients() throws IOException {
        String replica = "-ERR WAIT cannot be used with replica instances";
        assertThat(wait("7.2.4", "standalone", NO_CHANNEL, replica + "\r\n")).isEqualTo(replica);
    }

    private static String wait(String version, String mode, String published, String answer) throws IOException {
        return ask(version, mode, published, answer, "WAIT", "1", "100");
    }

    private static String ask(
            String version, String mode, String published, String answer, String... command)
            throws IOException {
        try (ScriptedRedis server =
                        new ScriptedRedis((request, _) -> answer(request, version, mode, published, answer));
                RedisProxy proxy = RedisProxy.start(
                        RedisFixture.config("p1"),
                        new MemoryRouteStore(
                                MemoryRouteStore.route(MemoryRouteStore.backend("s", server.port()), null)),
                        new SimpleMeterRegistry());
                Wire client = new Wire(proxy.port())) {
            assertThat(client.call("SET", "a", "1")).isEqualTo("+OK");
            return client.call(command);
        }
    }

    private static String answer(
            List<String> request, String version, String mode, String published, String answer) {
        return switch (request.getFirst()) {
            case "HELLO" ->
                "*6\r\n" + bulk("version") + bulk(version) + bulk("id") + ":7\r\n" + bulk("mode") + bulk(mode);
            case "SPUBLISH" -> published;
            case "PING" -> "+PONG\r\n";
            case "WAIT" -> answer;
            default -> "+OK\r\n";
        };
    }

    private static String bulk(String text) {
        return "$" + text.length() + "\r\n" + text + "\r\n";
    }
}

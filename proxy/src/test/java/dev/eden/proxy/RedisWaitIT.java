package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code WAIT} and {@code WAITAOF} before servers from 7.2 on, where they ask for what their own connection has had replicated. */
class RedisWaitIT {
    private static final String BACKLOG = bulk("# Replication\r\nrole:master\r\nrepl_backlog_active:1\r\n");
    private static final String NO_BACKLOG = bulk("# Replication\r\nrole:master\r\nrepl_backlog_active:0\r\n");
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

    @Test
    void onDiskIsSaidOnlyWhereTheMarkWasCounted() throws IOException {
        assertThat(waitAof(BACKLOG, ":0\r\n")).isEqualTo("[:1, :0]");
        assertThat(waitAof(NO_BACKLOG, ":0\r\n")).isEqualTo("[:0, :0]");
        assertThat(waitAof("-NOPERM this user has no permissions to run the 'info' command\r\n", ":0\r\n"))
                .isEqualTo("[:0, :0]");
        assertThat(waitAof(BACKLOG, NO_CHANNEL)).isEqualTo("[:0, :0]");
    }

    private static String wait(String version, String mode, String published, String answer) throws IOException {
        return ask(version, mode, published, BACKLOG, answer, "WAIT", "1", "100");
    }

    private static String waitAof(String info, String published) throws IOException {
        return ask("7.2.4", "standalone", published, info, "*2\r\n:1\r\n:0\r\n", "WAITAOF", "1", "0", "100");
    }

    private static String ask(
            String version, String mode, String published, String info, String answer, String... command)
            throws IOException {
        try (ScriptedRedis server =
                        new ScriptedRedis((request, _) -> answer(request, version, mode, published, info, answer));
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
            List<String> request, String version, String mode, String published, String info, String answer) {
        return switch (request.getFirst()) {
            case "HELLO" ->
                "*6\r\n" + bulk("version") + bulk(version) + bulk("id") + ":7\r\n" + bulk("mode") + bulk(mode);
            case "SPUBLISH" -> published;
            case "INFO" -> info;
            case "PING" -> "+PONG\r\n";
            case "WAIT", "WAITAOF" -> answer;
            default -> "+OK\r\n";
        };
    }

    private static String bulk(String text) {
        return "$" + text.length() + "\r\n" + text + "\r\n";
    }
}

package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.embedded.EmbeddedRedis;
import dev.eden.embedded.FreePort;
import dev.eden.embedded.JavaProcess;
import dev.eden.embedded.ServerProcess;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process that has no memory left for buffers. */
class RedisMemoryIT {
    @Test
    void endsRatherThanToBeHalfAlive(@TempDir Path folder) throws Exception {
        int port = FreePort.find();
        List<Socket> clients = new ArrayList<>();
        try (EmbeddedRedis server = EmbeddedRedis.start();
                ServerProcess proxy = proxy(port, server, folder)) {
            proxy.awaitReady(Duration.ofSeconds(60), () -> answers(port));
            byte[] part = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000000\r\n".getBytes(StandardCharsets.US_ASCII);
            try {
                for (int i = 0; i < 16; i++) {
                    Socket client = new Socket("127.0.0.1", port);
                    clients.add(client);
                    client.getOutputStream().write(part);
                    client.getOutputStream().write(new byte[900_000]);
                }
            } catch (IOException e) {
                // It has ended already.
            }
            assertThat(proxy.awaitExit(Duration.ofSeconds(60)))
                    .as(proxy.logTail(30))
                    .isTrue();
            assertThat(proxy.exitCode()).as(proxy.logTail(30)).isEqualTo(3);
        } finally {
            for (Socket client : clients) {
                client.close();
            }
        }
    }

    /** Who has not logged in can send half of what has to be seen whole, and stop. */
    @Test
    void collectsNoMoreThanAWordIsLong(@TempDir Path folder) throws Exception {
        int port = FreePort.find();
        List<Socket> clients = new ArrayList<>();
        try (EmbeddedRedis server = EmbeddedRedis.start();
                ServerProcess proxy = proxy(port, server, folder)) {
            proxy.awaitReady(Duration.ofSeconds(60), () -> answers(port));
            byte[] part = "*2\r\n$4\r\nAUTH\r\n$16000000\r\n".getBytes(StandardCharsets.US_ASCII);
            for (int i = 0; i < 8; i++) {
                Socket client = new Socket("127.0.0.1", port);
                clients.add(client);
                try {
                    client.getOutputStream().write(part);
                    client.getOutputStream().write(new byte[1_500_000]);
                    assertThat(client.getInputStream().read()).as("a refusal").isIn((int) '-', -1);
                } catch (IOException e) {
                    // It was closed while this was sent.
                }
            }
            assertThat(answers(port)).as(proxy.logTail(30)).isTrue();
        } finally {
            for (Socket client : clients) {
                client.close();
            }
        }
    }

    /** With 8 MiB for buffers. */
    private static ServerProcess proxy(int port, EmbeddedRedis server, Path folder) {
        return JavaProcess.start(
                "dev.eden.proxy.ProxyMain",
                List.of("-Xmx64m", "-XX:MaxDirectMemorySize=8m", "-XX:+UseSerialGC"),
                List.of(Integer.toString(port), "127.0.0.1:" + server.port(), "1", "1"),
                Map.of(),
                folder.resolve("proxy.log"));
    }

    private static boolean answers(int port) {
        try (Socket socket = new Socket("127.0.0.1", port)) {
            socket.getOutputStream().write("PING\r\n".getBytes(StandardCharsets.US_ASCII));
            return socket.getInputStream().read() == '+';
        } catch (IOException e) {
            return false;
        }
    }
}

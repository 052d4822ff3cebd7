package dev.eden.api;

import dev.eden.embedded.FreePort;
import dev.eden.embedded.ServerProcess;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** A real haproxy with one of the project's configurations, on a free port. */
record Haproxy(ServerProcess process, int port) implements AutoCloseable {

    /** {@code config}: with addresses of this machine for the names in it; where it listens is replaced here. */
    static Haproxy start(Path directory, String config, Map<String, String> environment) throws IOException {
        int port = FreePort.find();
        Path file = Files.writeString(
                directory.resolve("haproxy.cfg"),
                config.replaceFirst("(?m)^ *bind :\\d+$", "    bind 127.0.0.1:" + port));
        ServerProcess process = ServerProcess.start(new ServerProcess.Spec(
                "haproxy",
                List.of("haproxy", "-f", file.toString()),
                directory,
                environment,
                directory.resolve("haproxy.log")));
        process.awaitReady(Duration.ofSeconds(20), () -> answers(port));
        return new Haproxy(process, port);
    }

    private static boolean answers(int port) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress("127.0.0.1", port), 1_000);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public void close() {
        process.close();
    }
}

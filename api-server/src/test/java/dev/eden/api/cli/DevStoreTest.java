package dev.eden.api.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DevStoreTest {
    @Test
    void thePortIsThatOfBeforeUnlessSomebodyHasIt(@TempDir Path data) throws Exception {
        Path kept = data.resolve("postgres.port");
        int first = DevStore.port(data);
        assertThat(Files.readString(kept).strip()).isEqualTo(Integer.toString(first));

        int other;
        try (ServerSocket taken = bound()) {
            other = taken.getLocalPort();
            Files.writeString(kept, other + "\n");
            assertThat(DevStore.port(data)).as("somebody has it").isNotEqualTo(other);
        }
        Files.writeString(kept, other + "\n");
        assertThat(DevStore.port(data)).as("it is free again").isEqualTo(other);

        Files.writeString(kept, "nonsense");
        assertThat(DevStore.port(data)).isPositive();
    }

    /** Below the ports that outgoing connections get. */
    private static ServerSocket bound() throws IOException {
        while (true) {
            try {
                int port = ThreadLocalRandom.current().nextInt(11_000, 32_000);
                return new ServerSocket(port, 1, InetAddress.getLoopbackAddress());
            } catch (BindException e) {
                // Another one.
            }
        }
    }
}

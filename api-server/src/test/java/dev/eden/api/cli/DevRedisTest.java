package dev.eden.api.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.api.problem.StartupException;
import dev.eden.embedded.EmbeddedRedis;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.Jedis;

class DevRedisTest {
    /** A server that was ended has given its port back, but this JVM keeps it reserved: the second start is another process's. */
    @Test
    void dataOutliveAStopAndAPortThatIsTakenIsNamed(@TempDir Path folder) throws Exception {
        Path directory = folder.resolve("source");
        EmbeddedRedis first = DevRedis.start(directory);
        try (Jedis jedis = new Jedis(first.host(), first.port())) {
            jedis.set("kept", "yes");
        } finally {
            DevRedis.stop(first);
        }
        assertThat(Files.readString(directory.resolve("port")).strip()).isEqualTo(Integer.toString(first.port()));
        assertThat(directory.resolve("dump.rdb")).exists();
        assertThatThrownBy(() -> DevRedis.start(directory))
                .isInstanceOf(StartupException.class)
                .hasMessageContaining("port " + first.port() + " is taken");
    }
}

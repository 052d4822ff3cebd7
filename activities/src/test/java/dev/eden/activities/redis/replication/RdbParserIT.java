package dev.eden.activities.redis.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.activities.redis.EscapedKey;
import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.ServerInfo;
import dev.eden.activities.store.Endpoint;
import dev.eden.embedded.EmbeddedRedis;
import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RdbParserIT {
    private static final int LIMIT = 64 << 20;

    @TempDir
    private Path directory;

    /** What the file holds, as DUMP would give it. */
    private static final class Collected implements RdbHandler {
        final Map<String, String> payloads = new TreeMap<>();
        final Map<String, Long> expiries = new TreeMap<>();
        byte[] function = {};
        int version;

        @Override
        public void version(int rdbVersion) {
            version = rdbVersion;
        }

        @Override
        public void auxiliary(String name, String value) {
            assertThat(name).isNotEmpty();
        }

        @Override
        public void function(byte[] code) {
            function = code;
        }

        @Override
        public void entry(int database, byte[] key, long expireAt, int type, byte[] buffer, int from, int length) {
            RespBuffer payload =
                    new RespBuffer(64).put(type).raw(buffer, from, length).littleEndian(version, 2);
            payload.littleEndian(Crc64.update(0, payload.bytes(), 0, payload.size()), 8);
            String name = database + ":" + EscapedKey.of(key);
            payloads.put(name, HexFormat.of().formatHex(payload.bytes(), 0, payload.size()));
            expiries.put(name, expireAt);
        }
    }

    /** Gives at most so many bytes at once. */
    private static final class Dripping extends FilterInputStream {
        private final int most;

        Dripping(InputStream in, int most) {
            super(in);
            this.most = most;
        }

        @Override
        public int read(byte[] to, int from, int length) throws IOException {
            return super.read(to, from, Math.min(length, most));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"7.0", "6.2"})
    void payloadsAreWhatTheServerDumps(String version) throws IOException {
        try (EmbeddedRedis server = EmbeddedRedis.start(
                        EmbeddedRedis.Options.defaults().withVersion(version).withDir(directory));
                RespConnection connection = connect(server)) {
            Types.fill(connection);
            boolean functions = ServerInfo.read(connection, "server").atLeast(7, 0);
            if (functions) {
                connection.call(
                        "FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('f', function() return 1 end)");
            }
            connection.call("SAVE");
            byte[] file = Files.readAllBytes(directory.resolve("dump.rdb"));
            Collected whole = parse(new ByteArrayInputStream(file));
            assertThat(whole.payloads).hasSizeGreaterThan(25).isEqualTo(dumps(connection));
            assertThat(whole.expiries)
                    .containsEntry("0:expires", 4_102_444_800_123L)
                    .containsEntry("0:raw", -1L);
            if (functions) {
                assertThat(new String(whole.function, StandardCharsets.UTF_8)).contains("name=lib");
            }
            assertThat(file)
                    .as("a value kept compressed")
                    .satisfies(bytes -> assertThat(new String(bytes, StandardCharsets.ISO_8859_1))
                            .doesNotContain("abcabcabcabcabcabcabcabcabc"));
            for (int most : new int[] {1, 2, 3, 7, 100, 65_537}) {
                assertThat(parse(new Dripping(new ByteArrayInputStream(file), most)).payloads)
                        .isEqualTo(whole.payloads);
            }
        }
    }

    @Test
    void damageIsNoticed() throws IOException {
        try (EmbeddedRedis server =
                        EmbeddedRedis.start(EmbeddedRedis.Options.defaults().withDir(directory));
                RespConnection connection = connect(server)) {
            Types.fill(connection);
            connection.call("SAVE");
        }
        byte[] file = Files.readAllBytes(directory.resolve("dump.rdb"));
        Random random = new Random(1);
        for (int round = 0; round < 400; round++) {
            byte[] damaged = file.clone();
            int at = random.nextInt(file.length - 8);
            damaged[at] ^= (byte) (1 << random.nextInt(8));
            assertThatThrownBy(() -> parse(new ByteArrayInputStream(damaged)))
                    .as("bit flipped at %s", at)
                    .isInstanceOf(IOException.class);
            assertThatThrownBy(() -> parse(new ByteArrayInputStream(Arrays.copyOf(file, at))))
                    .as("cut at %s", at)
                    .isInstanceOf(IOException.class);
        }
    }

    @Test
    void aValueOverTheLimitIsToldWithoutItsKey() throws IOException {
        try (EmbeddedRedis server =
                        EmbeddedRedis.start(EmbeddedRedis.Options.defaults().withDir(directory));
                RespConnection connection = connect(server)) {
            connection.call("SET", "too\nlarge", Types.random(10_000));
            connection.call("SAVE");
        }
        byte[] file = Files.readAllBytes(directory.resolve("dump.rdb"));
        assertThatThrownBy(() ->
                        new RdbParser(new StreamInput(new ByteArrayInputStream(file)), new Collected(), 9_000).parse())
                .isInstanceOf(RdbException.class)
                .hasMessageContaining("database 0")
                .hasMessageContaining("9000 bytes")
                .hasMessageNotContainingAny("large\"", "key");
    }

    private static Collected parse(InputStream in) throws IOException {
        Collected collected = new Collected();
        new RdbParser(new StreamInput(in), collected, LIMIT).parse();
        return collected;
    }

    private static Map<String, String> dumps(RespConnection connection) {
        Map<String, String> dumps = new TreeMap<>();
        for (int database : new int[] {0, 7}) {
            connection.call("SELECT", database);
            for (Reply key : connection.call("KEYS", "*").items()) {
                dumps.put(
                        database + ":" + EscapedKey.of(key.bytes()),
                        HexFormat.of()
                                .formatHex(connection.call("DUMP", key.bytes()).bytes()));
            }
        }
        connection.call("SELECT", 0);
        return dumps;
    }

    private static RespConnection connect(EmbeddedRedis server) {
        return RespConnection.connect(
                new Endpoint("s", "redis", server.host(), server.port(), false, null), "test", Duration.ofSeconds(10));
    }
}

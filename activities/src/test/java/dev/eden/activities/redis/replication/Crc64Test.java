package dev.eden.activities.redis.replication;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class Crc64Test {
    private static final String CHECKSUM = "0bfc49b9a6c7a034";

    @Test
    void checkValue() {
        // The check value of CRC-64 (Jones) as in Redis' own self test.
        assertThat(whole("123456789".getBytes(StandardCharsets.US_ASCII))).isEqualTo(0xe9c6d914c4b8d9caL);
    }

    @Test
    void payloadOfARealServer() {
        // DUMP of a string "hello world" by Redis 7.0.15: type, value, version 10, checksum.
        byte[] payload = HexFormat.of().parseHex("000b68656c6c6f20776f726c640a00" + CHECKSUM);
        long stored = 0;
        for (int i = 7; i >= 0; i--) {
            stored = stored << 8 | payload[payload.length - 8 + i] & 0xff;
        }
        assertThat(Crc64.update(0, payload, 0, payload.length - 8)).isEqualTo(stored);
    }

    @Test
    void anyCutGivesTheSame() {
        byte[] bytes = new byte[100];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (i * 37);
        }
        long expected = whole(bytes);
        for (int cut = 0; cut <= bytes.length; cut++) {
            long crc = Crc64.update(0, bytes, 0, cut);
            assertThat(Crc64.update(crc, bytes, cut, bytes.length)).isEqualTo(expected);
        }
    }

    private static long whole(byte[] bytes) {
        return Crc64.update(0, bytes, 0, bytes.length);
    }
}

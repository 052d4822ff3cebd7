package dev.eden.activities.redis.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Values that no server of today writes, by hand. */
class RdbValuesTest {

    @ParameterizedTest
    @CsvSource({
        "1, 0201610162", // list of a, b
        "2, 010161", // set
        "3, 03 0161 03 312e35 0162 fe 0163 fd", // sorted set with text scores: 1.5, infinity, not a number
        "4, 01 0166 0176", // hash
        "5, 01 0161 000000000000f03f", // sorted set with binary scores
        "9, 0401610162", // zipmap: one string
        "10, 03616263", // ziplist
        "14, 02 0161 0162", // quicklist of ziplists
        "18, 02 02 0161 01 80 00000002 7a7a", // quicklist with kinds of nodes, a 32 bit length
        "0, c0ff", // 8 bit integer
        "0, c1ffff",
        "0, c2ffffffff",
        "0, c3 04 0a 00612000", // compressed
        "0, 81 0000000000000001 61", // 64 bit length
        "0, 4003616263", // 14 bit length
        // stream: one node, 1 entry, ids, a group with one pending entry and one consumer
        "15, 01 0161 0162 01 0101 01 0167 0101 01 000102030405060708090a0b0c0d0e0f 0011223344556677 01 "
                + "01 0163 0011223344556677 01 000102030405060708090a0b0c0d0e0f",
        "19, 01 0161 0162 01 0101 0101 0101 01 01 0167 0101 01 00 00",
        "21, 01 0161 0162 01 0101 0101 0101 01 01 0167 0101 01 00 01 0163 00112233445566770011223344556677 00",
    })
    void endsWhereTheNextBegins(int type, String hex) throws IOException {
        byte[] value = HexFormat.of().parseHex((hex + "77").replace(" ", ""));
        StreamInput in = new StreamInput(new ByteArrayInputStream(value));
        new RdbValues(in, new RdbStrings(in)).skip(type);
        assertThat(in.readByte()).isEqualTo(0x77);
        assertThat(in.consumed()).isEqualTo(value.length);
    }

    @Test
    void aModulesValueIsRefusedByName() {
        // "ReJSON-RL" version 3, as its 64 bit id.
        long id = 0;
        for (char c : "ReJSON-RL".toCharArray()) {
            id = id << 6 | "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".indexOf(c);
        }
        id = id << 10 | 3;
        byte[] value = HexFormat.of().parseHex("81" + HexFormat.of().toHexDigits(id));
        StreamInput in = new StreamInput(new ByteArrayInputStream(value));
        RdbValues values = new RdbValues(in, new RdbStrings(in));
        assertThatThrownBy(() -> values.skip(7))
                .isInstanceOf(RdbException.class)
                .hasMessageContaining("ReJSON-RL");
        assertThatThrownBy(() -> values.skip(25))
                .isInstanceOf(RdbException.class)
                .hasMessageContaining("HEXPIRE");
        assertThatThrownBy(() -> values.skip(99))
                .isInstanceOf(RdbException.class)
                .hasMessageContaining("99");
    }

    @Test
    void decompresses() throws IOException {
        byte[] compressed = HexFormat.of().parseHex("0061e000000161".replace(" ", "") + "61");
        // one literal, then 7 + 0 + 2 bytes one back, then two literals
        assertThat(new String(RdbStrings.decompress(compressed, 12), StandardCharsets.US_ASCII))
                .isEqualTo("a".repeat(12));
        assertThatThrownBy(() -> RdbStrings.decompress(compressed, 13)).isInstanceOf(RdbException.class);
        assertThatThrownBy(() -> RdbStrings.decompress(new byte[] {31, 1}, 3)).isInstanceOf(RdbException.class);
    }
}

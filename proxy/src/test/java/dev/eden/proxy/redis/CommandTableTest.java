package dev.eden.proxy.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.proxy.resp.RespValue;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CommandTableTest {
    private final CommandTable table = CommandTable.bundled();

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "GET a | a",
                "set a 1 PX 100 | a",
                "MSET a 1 b 2 c 3 | a b c",
                "DEL a b c | a b c",
                "EVAL script 2 k1 k2 x | k1 k2",
                "EVALSHA sha 0 x |",
                "FCALL f 1 k x y | k",
                "XREAD COUNT 2 STREAMS s1 s2 0 0 | s1 s2",
                "XREADGROUP GROUP g c BLOCK 0 STREAMS s1 s2 > > | s1 s2",
                "ZUNIONSTORE d 2 a b WEIGHTS 1 2 | d a b",
                "ZUNION 2 a b | a b",
                "SORT a BY w_* GET # STORE d | a d",
                "SORT a BY store | a",
                "SORT_RO a BY w_* | a",
                "MIGRATE h 1 a 0 10 | a",
                "MIGRATE h 1 '' 0 10 AUTH keys KEYS a b | a b",
                "GEORADIUS g 1 2 3 km STORE d | g d",
                "GEORADIUS g 1 2 3 km | g",
                "GEOSEARCHSTORE d g FROMMEMBER m BYRADIUS 1 km | d g",
                "XGROUP CREATE s g $ | s",
                "OBJECT ENCODING k | k",
                "XINFO STREAM k | k",
                "LMPOP 2 a b LEFT | a b",
                "BLMPOP 0 2 a b LEFT | a b",
                "BITOP AND d a b | d a b",
                "RENAME a b | a b",
                "COPY a b DB 1 | a b",
                "SPUBLISH ch m |",
                "PUBLISH ch m |",
                "BLPOP a b 0 | a b",
                "PFMERGE d a b | d a b",
                "PING |",
            })
    void findsKeys(String command, String keys) {
        List<byte[]> arguments = Arrays.stream(command.strip().split(" "))
                .map(word -> Ascii.bytes(word.equals("''") ? "" : word))
                .toList();
        List<String> expected = keys == null ? List.of() : List.of(keys.strip().split(" "));
        assertThat(table.keys(arguments).orElseThrow().stream().map(String::new).toList())
                .isEqualTo(expected);
    }

    @Test
    void doesNotGuess() {
        assertThat(table.keys(List.of(Ascii.bytes("BF.ADD"), Ascii.bytes("k")))).isEmpty();
        assertThat(table.keys(List.of(Ascii.bytes("EVAL"), Ascii.bytes("s"), Ascii.bytes("many"))))
                .isEmpty();
        CommandSpec unknown = table.lookup("bf.add");
        assertThat(unknown.known()).isFalse();
        assertThat(unknown.mayWrite()).isTrue();
        assertThat(unknown.readOnly()).isFalse();
    }

    @Test
    void knowsWhatMayWrite() {
        assertThat(table.lookup("eval").mayWrite()).isTrue();
        assertThat(table.lookup("eval_ro").mayWrite()).isFalse();
        assertThat(table.lookup("GET").readOnly()).isTrue();
        assertThat(table.lookup("set").mayWrite()).isTrue();
        assertThat(table.lookup("blpop").blocking()).isTrue();
    }

    /** An answer of 6.2: seven fields, and no flag that says that a command blocks. */
    @Test
    void knowsWhatBlocksFromServersThatDoNotFlagIt() {
        CommandTable old = CommandTable.of(new RespValue.Sequence(List.of(
                entry("blpop", -3, List.of("write", "noscript"), 1, -2, "@write", "@list", "@slow", "@blocking"),
                entry("xread", -4, List.of("readonly", "movablekeys"), 0, 0, "@read", "@stream", "@slow", "@blocking"),
                entry("bzpopmin", -3, List.of("write", "noscript", "fast"), 1, -2, "@write"),
                entry("queue.take", -2, List.of("write"), 1, 1, "@blocking"),
                entry("get", 2, List.of("readonly", "fast"), 1, 1, "@read", "@string", "@fast"))));
        assertThat(List.of("blpop", "xread", "bzpopmin", "queue.take"))
                .allMatch(name -> old.lookup(name).handling() == Handling.BLOCKING);
        assertThat(old.lookup("get").handling()).isEqualTo(Handling.READ);
        assertThat(old.keys(Arrays.stream("XREAD BLOCK 0 STREAMS s 0".split(" "))
                        .map(Ascii::bytes)
                        .toList()))
                .hasValueSatisfying(keys -> assertThat(keys).hasSize(1));
    }

    private static RespValue entry(
            String name, int arity, List<String> flags, int first, int last, String... categories) {
        return new RespValue.Sequence(List.of(
                new RespValue.Bulk(Ascii.bytes(name)),
                new RespValue.Int(arity),
                lines(flags),
                new RespValue.Int(first),
                new RespValue.Int(last),
                new RespValue.Int(1),
                lines(List.of(categories))));
    }

    private static RespValue lines(List<String> texts) {
        return new RespValue.Sequence(
                texts.stream().<RespValue>map(RespValue.Line::new).toList());
    }
}

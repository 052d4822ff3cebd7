package dev.eden.activities.redis.replication;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.proxy.redis.CommandTable;
import dev.eden.proxy.resp.RespValue;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Commands that the embedded servers do not have, by what newer ones say of them. */
class StreamEffectsTest {
    private static final CommandTable NEWER = CommandTable.of(sequence(
            oneKey("hsetex"),
            oneKey("hpexpireat"),
            oneKey("hpersist"),
            oneKey("hgetex"),
            oneKey("xdelex"),
            oneKey("xackdel"),
            oneKey("delex"),
            oneKey("ft.create"),
            msetex()));

    private final TtlFilter filter = new TtlFilter(4_096);
    private final StreamEffects effects = new StreamEffects(NEWER, filter);

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HPEXPIREAT k 1900000000000 FIELDS 1 f",
                "HPERSIST k FIELDS 1 f",
                "HGETEX k PERSIST FIELDS 1 f",
                "HSETEX k PXAT 1900000000000 FIELDS 1 f v",
                "HSETEX k FNX EX 10 FIELDS 1 f v",
                "RESTORE k 0 \u0018payload",
                "RESTORE k 0 \u0019payload REPLACE"
            })
    void expiriesOfFieldsAreNotCarried(String command) {
        assertThat(of(command).carried()).isFalse();
        assertThat(new Unit(List.of(of(command)), 1, 0, 1).keyless()).isTrue();
        assertThat(new Unit(List.of(of("INCR n"), of(command)), 1, 0, 1).notCarried())
                .isNotNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HSETEX k FIELDS 1 f PX",
                "HSETEX k KEEPTTL FIELDS 2 f EX g PXAT",
                "RESTORE k 0 \u0004payload",
                "HSET k FIELDS PX"
            })
    void fieldsWithoutAnExpiryAre(String command) {
        assertThat(of(command).carried()).isTrue();
        assertThat(of(command).keyless()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HSETEX k FIELDS 1 f v",
                "XDELEX k IDS 1 1-1",
                "XACKDEL k group IDS 1 1-1",
                "MSETEX 1 k v KEEPTTL",
                "MSETEX 1 k v XX",
                "DELEX k IFEQ v",
                "SET k v IFEQ w",
                "SET k v IFDNE w"
            })
    void aKeyThatMayHaveExpiredIsLookedAt(String command) {
        assertThat(of(command).probes()).isEmpty();
        filter.add(bytes("k"));
        Change change = of(command);
        assertThat(change.probes()).containsExactly(bytes("k"));
        assertThat(change.effective()).isTrue();
        assertThat(new Unit(List.of(change), 1, 0, 1).keyless()).isFalse();
    }

    @Test
    void whatGivesKeysAnExpiryIsRemembered() {
        of("MSETEX 2 k v l w PXAT 1900000000000");
        assertThat(of("INCR k").probes()).containsExactly(bytes("k"));
        assertThat(of("INCR l").probes()).containsExactly(bytes("l"));
        assertThat(of("MSETEX 2 k v l w").probes()).isEmpty();
        of("MSETEX 2 m PX n EX");
        assertThat(of("INCR m").probes()).isEmpty();
    }

    /** Gone at the source and made again there, while the target may have another of that name, or none. */
    @Test
    void whatMakesAKeyIsRemembered() {
        filter.add(bytes("k"));
        of("DEL k");
        assertThat(of("HSET k f v").probes()).isEmpty();
        assertThat(of("PERSIST k").probes()).containsExactly(bytes("k"));
        of("DELEX k IFEQ v");
        assertThat(of("HSETEX k FIELDS 1 f v").probes()).isEmpty();
        assertThat(of("PERSIST k").probes()).containsExactly(bytes("k"));
    }

    /** What a module calls a key may be something else, so that no copy makes up for a refusal. */
    @Test
    void anUnknownCommandsKeysAreTheServersWordOnly() {
        filter.add(bytes("idx"));
        Change change = of("FT.CREATE idx SCHEMA t TEXT");
        assertThat(change.keyless()).isTrue();
        assertThat(change.probes()).containsExactly(bytes("idx"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "FLUSHALL ASYNC",
                "SCRIPT LOAD x",
                "script flush",
                "FUNCTION LOAD REPLACE x",
                "FUNCTION RESTORE x FLUSH",
                "FUNCTION FLUSH"
            })
    void whatIsDoneTwiceIsAsDoneOnce(String command) {
        assertThat(of(command).repeatable()).isTrue();
        assertThat(of(command).keyless()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"SWAPDB 1 2", "FUNCTION LOAD x", "FUNCTION DELETE x", "FUNCTION RESTORE x", "FT.CREATE i"})
    void whatIsNotIsNot(String command) {
        assertThat(of(command).repeatable()).isFalse();
    }

    @Test
    void whatTheServerDoesNotKnowNamesNoKeys() {
        assertThat(of("NEVERHEARD k").keyless()).isTrue();
        assertThat(new StreamEffects(CommandTable.bundled(), filter)
                        .classify(Logged.command("XDELEX", "k", "IDS", "1", "1-1"), 0)
                        .keyless())
                .isTrue();
    }

    private Change of(String command) {
        return effects.classify(Logged.command(command.split(" ")), 0);
    }

    private static RespValue oneKey(String name) {
        return sequence(line(name), number(-2), sequence(line("write")), number(1), number(1), number(1));
    }

    /** As Redis 8.4 tells it. */
    private static RespValue msetex() {
        RespValue spec = sequence(
                line("flags"),
                sequence(line("OW"), line("update")),
                line("begin_search"),
                sequence(line("type"), line("index"), line("spec"), sequence(line("index"), number(1))),
                line("find_keys"),
                sequence(
                        line("type"),
                        line("keynum"),
                        line("spec"),
                        sequence(
                                line("keynumidx"),
                                number(0),
                                line("firstkey"),
                                number(1),
                                line("keystep"),
                                number(2))));
        return sequence(
                line("msetex"),
                number(-4),
                sequence(line("write"), line("movablekeys")),
                number(0),
                number(0),
                number(0),
                sequence(),
                sequence(),
                sequence(spec),
                sequence());
    }

    private static RespValue sequence(RespValue... items) {
        return new RespValue.Sequence(Stream.of(items).toList());
    }

    private static RespValue line(String text) {
        return new RespValue.Line(text);
    }

    private static RespValue number(long value) {
        return new RespValue.Int(value);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}

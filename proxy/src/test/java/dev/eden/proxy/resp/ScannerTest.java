package dev.eden.proxy.resp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ScannerTest {
    @Test
    void findsTheEndOfEveryReplyCutAnywhere() {
        for (String reply : Samples.REPLIES) {
            byte[] bytes = (reply + "+NEXT\r\n").getBytes(StandardCharsets.ISO_8859_1);
            for (int cut = 1; cut < reply.length(); cut++) {
                ReplyScanner scanner = new ReplyScanner();
                ByteBuf in = Unpooled.wrappedBuffer(bytes);
                int at = scanner.scan(in, 0, cut);
                assertThat(at).isEqualTo(cut);
                assertThat(scanner.complete()).as("%s cut at %d", reply, cut).isFalse();
                at = scanner.scan(in, at, bytes.length);
                assertThat(scanner.complete()).isTrue();
                assertThat(at).as("%s cut at %d", reply, cut).isEqualTo(reply.length());
                at = scanner.scan(in, at, bytes.length);
                assertThat(scanner.complete()).isTrue();
                assertThat(scanner.type()).isEqualTo((byte) '+');
                assertThat(at).isEqualTo(bytes.length);
            }
        }
    }

    @Test
    void tellsTheTypeBehindAttributes() {
        ReplyScanner scanner = new ReplyScanner();
        ByteBuf in = Unpooled.copiedBuffer("|1\r\n+a\r\n+b\r\n-ERR\r\n", StandardCharsets.US_ASCII);
        scanner.scan(in, 0, in.writerIndex());
        assertThat(scanner.complete()).isTrue();
        assertThat(scanner.type()).isEqualTo((byte) '-');
    }

    @ParameterizedTest
    @ValueSource(strings = {"x1\r\n", "$x\r\n", "$999999999999999999999\r\n", "*\r\n", "\r\n"})
    void refusesWhatIsNoReply(String bytes) {
        ByteBuf in = Unpooled.copiedBuffer(bytes, StandardCharsets.US_ASCII);
        assertThatThrownBy(() -> new ReplyScanner().scan(in, 0, in.writerIndex()))
                .isInstanceOf(ProtocolError.class);
    }

    @Test
    void findsRequestsInBuffersMadeOfPieces() {
        byte[] bytes = "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$7\r\nva\r\nlue\r\n*1\r\n$4\r\nPING\r\n"
                .getBytes(StandardCharsets.US_ASCII);
        int first = bytes.length - 14;
        for (int cut = 1; cut < first; cut++) {
            RequestScanner scanner = new RequestScanner(1 << 20);
            CompositeByteBuf in = Unpooled.compositeBuffer();
            in.addComponent(true, Unpooled.copiedBuffer(bytes, 0, cut));
            assertThat(scanner.scan(in, 0)).isEqualTo(RequestScanner.Status.PARTIAL);
            in.addComponent(true, Unpooled.copiedBuffer(bytes, cut, bytes.length - cut));
            assertThat(scanner.scan(in, 0)).isEqualTo(RequestScanner.Status.COMPLETE);
            assertThat(scanner.length()).isEqualTo(first);
            assertThat(scanner.count()).isEqualTo(3);
            assertThat(in.toString(scanner.offset(1), scanner.argumentLength(1), StandardCharsets.US_ASCII))
                    .isEqualTo("key");
            assertThat(RequestScanner.arguments(in, 0).get(2)).asString().isEqualTo("va\r\nlue");
            scanner.reset();
            assertThat(scanner.scan(in, first)).isEqualTo(RequestScanner.Status.COMPLETE);
            assertThat(scanner.count()).isEqualTo(1);
        }
    }

    @Test
    void saysLikeRedisWhatIsWrong() {
        assertThat(error("*x\r\n")).isEqualTo("invalid multibulk length");
        assertThat(error("*1048577\r\n")).isEqualTo("invalid multibulk length");
        assertThat(error("*9999999999999999999\r\n")).isEqualTo("invalid multibulk length");
        assertThat(error("*1\r\n:1\r\n")).isEqualTo("expected '$', got ':'");
        assertThat(error("*1\r\n$536870913\r\n")).isEqualTo("invalid bulk length");
        assertThat(error("*1\r\n$99999999999999999999\r\n")).isEqualTo("invalid bulk length");
        assertThat(error("*1\r\n$-0\r\n\r\n")).isEqualTo("invalid bulk length");
        assertThat(error("*1\r\n$04\r\nPING\r\n")).isEqualTo("invalid bulk length");
        assertThat(error("*-0\r\n")).isEqualTo("invalid multibulk length");
        assertThat(error("x".repeat(70_000))).isEqualTo("too big inline request");
        assertThatThrownBy(() -> InlineArguments.split("set \"a")).hasMessage("unbalanced quotes in request");
        assertThatThrownBy(() -> InlineArguments.split("set 'a'b")).hasMessage("unbalanced quotes in request");
        assertThat(InlineArguments.split(" set \"a\\x41\\n\" 'it\\'s'  ").stream()
                        .map(String::new))
                .containsExactly("set", "aA\n", "it's");
    }

    /** Numbers that a server never sends, and that would make a length negative. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "$9223372036854775807\r\n",
                "$9999999999999999999\r\n",
                "%5000000000000000000\r\n",
                "*99999999999999999999\r\n"
            })
    void noNumberOverflows(String reply) {
        ByteBuf in = Unpooled.copiedBuffer(reply, StandardCharsets.US_ASCII);
        assertThatThrownBy(() -> new ReplyScanner().scan(in, 0, in.writerIndex()))
                .isInstanceOf(ProtocolError.class)
                .hasMessage("number too long in reply");
    }

    private static String error(String bytes) {
        ByteBuf in = Unpooled.copiedBuffer(bytes, StandardCharsets.US_ASCII);
        try {
            new RequestScanner(1 << 20).scan(in, 0);
            return "";
        } catch (ProtocolError e) {
            return String.valueOf(e.getMessage());
        }
    }

    @Test
    void knowsEarlyThatARequestIsLarge() {
        RequestScanner scanner = new RequestScanner(1000);
        ByteBuf in = Unpooled.copiedBuffer("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5000\r\nxx", StandardCharsets.US_ASCII);
        assertThat(scanner.scan(in, 0)).isEqualTo(RequestScanner.Status.LARGE);
        assertThat(scanner.known()).isEqualTo(3);
    }

    /** Mutated frames: only ever progress, a wait for more, or a protocol error. */
    @Test
    void survivesMutations() {
        long seed = Long.getLong("fuzz.seed", System.nanoTime());
        int rounds = 1_000_000;
        Random random = new Random(seed);
        String requests = "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n*1\r\n$4\r\nPING\r\nGET x\r\n";
        for (int round = 0; round < rounds; round++) {
            String base =
                    random.nextBoolean() ? requests : Samples.REPLIES[random.nextInt(Samples.REPLIES.length)].repeat(2);
            byte[] bytes = base.getBytes(StandardCharsets.ISO_8859_1);
            for (int i = random.nextInt(4); i >= 0; i--) {
                bytes[random.nextInt(bytes.length)] = (byte)
                        (random.nextBoolean()
                                ? "*$+-:_%~>|0123456789\r\n".charAt(random.nextInt(22))
                                : random.nextInt());
            }
            ByteBuf in = Unpooled.wrappedBuffer(bytes);
            try {
                requests(in, random);
            } catch (ProtocolError e) {
                check(!String.valueOf(e.getMessage()).isBlank(), "message");
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError("seed " + seed + " round " + round, e);
            }
            try {
                replies(in, random);
            } catch (ProtocolError e) {
                check(!String.valueOf(e.getMessage()).isBlank(), "message");
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError("seed " + seed + " round " + round, e);
            }
        }
    }

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    private static void requests(ByteBuf in, Random random) {
        RequestScanner scanner = new RequestScanner(1 << 20);
        int start = 0;
        int end = 1 + random.nextInt(in.capacity());
        while (start < in.capacity()) {
            in.setIndex(0, end);
            RequestScanner.Status status = scanner.scan(in, start);
            if (status == RequestScanner.Status.COMPLETE) {
                check(scanner.length() > 0 && scanner.length() <= end - start, "length");
                if (scanner.inline()) {
                    scanner.inlineArguments(in, start);
                } else {
                    check(RequestScanner.arguments(in, start).size() == scanner.count(), "count");
                }
                start += (int) scanner.length();
                scanner.reset();
                end = Math.max(end, start);
            } else if (end == in.capacity()) {
                return;
            } else {
                end++;
            }
        }
    }

    private static void replies(ByteBuf in, Random random) {
        in.setIndex(0, in.capacity());
        ReplyScanner scanner = new ReplyScanner();
        int at = 0;
        while (at < in.capacity()) {
            int to = Math.min(in.capacity(), at + 1 + random.nextInt(8));
            int next = scanner.scan(in, at, to);
            check(next > at && next <= to, "progress");
            at = next;
        }
    }
}

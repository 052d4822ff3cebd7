package dev.eden.proxy.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FrameScannerTest {

    /** Wants Z, C and S whole, drops S and N, cuts after Z. */
    private static final class Recorder implements FrameScanner.Sink {
        final List<String> seen = new ArrayList<>();
        final ByteArrayOutputStream passed = new ByteArrayOutputStream();
        int cuts;
        int passedAtCut;

        @Override
        public boolean whole(byte type) {
            return type == 'Z' || type == 'C' || type == 'S';
        }

        @Override
        public FrameScanner.Verdict message(byte type, ByteBuf buffer, int index, int total) {
            seen.add((char) type + ByteBufUtil.hexDump(buffer, index + Message.HEADER, total - Message.HEADER));
            return switch (type) {
                case 'Z' -> FrameScanner.Verdict.PASS_THEN_CUT;
                case 'S' -> FrameScanner.Verdict.DROP;
                default -> FrameScanner.Verdict.PASS;
            };
        }

        @Override
        public FrameScanner.Verdict streamed(byte type, int total) {
            seen.add((char) type + "/" + total);
            return type == 'N' ? FrameScanner.Verdict.DROP : FrameScanner.Verdict.PASS;
        }

        @Override
        public void pass(ByteBuf slice) {
            passed.writeBytes(ByteBufUtil.getBytes(slice));
            slice.release();
        }

        @Override
        public void cut() {
            cuts++;
            passedAtCut = passed.size();
        }
    }

    private static void frame(ByteBuf out, char type, int body) {
        out.writeByte(type).writeInt(4 + body);
        for (int i = 0; i < body; i++) {
            out.writeByte(type + i);
        }
    }

    private static byte[] stream() {
        ByteBuf out = Unpooled.buffer();
        frame(out, 'T', 9);
        frame(out, 'D', 30);
        frame(out, 'D', 0);
        frame(out, 'S', 11);
        frame(out, 'D', 3);
        frame(out, 'N', 17);
        frame(out, 'C', 8);
        frame(out, 'Z', 1);
        return ByteBufUtil.getBytes(out);
    }

    private static Recorder whole(byte[] bytes) {
        Recorder recorder = new Recorder();
        new FrameScanner().read(Unpooled.wrappedBuffer(bytes), recorder);
        return recorder;
    }

    @Test
    void theSameHoweverTheNetworkCuts() {
        byte[] bytes = stream();
        Recorder expected = whole(bytes);
        assertThat(expected.cuts).isEqualTo(1);
        assertThat(expected.passedAtCut).isEqualTo(bytes.length - 16 - 22);
        for (int first = 0; first <= bytes.length; first++) {
            for (int second = first; second <= bytes.length; second++) {
                Recorder recorder = new Recorder();
                FrameScanner scanner = new FrameScanner();
                scanner.read(Unpooled.copiedBuffer(bytes, 0, first), recorder);
                scanner.read(Unpooled.copiedBuffer(bytes, first, second - first), recorder);
                scanner.read(Unpooled.copiedBuffer(bytes, second, bytes.length - second), recorder);
                scanner.release();
                assertThat(recorder.seen).isEqualTo(expected.seen);
                assertThat(recorder.passed.toByteArray()).isEqualTo(expected.passed.toByteArray());
                assertThat(recorder.passedAtCut).isEqualTo(expected.passedAtCut);
            }
        }
    }

    @Test
    void oneByteAtATime() {
        byte[] bytes = stream();
        Recorder recorder = new Recorder();
        FrameScanner scanner = new FrameScanner();
        for (byte one : bytes) {
            scanner.read(Unpooled.copiedBuffer(new byte[] {one}), recorder);
        }
        assertThat(recorder.seen).isEqualTo(whole(bytes).seen);
        assertThat(recorder.passed.toByteArray()).isEqualTo(whole(bytes).passed.toByteArray());
    }

    @Test
    void impossibleLengthsAreNoProtocol() {
        for (int length : new int[] {-1, 0, 3, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
            ByteBuf bytes = Unpooled.buffer().writeByte('Z').writeInt(length).writeByte('I');
            assertThatThrownBy(() -> new FrameScanner().read(bytes, new Recorder()))
                    .isInstanceOf(ProtocolViolation.class);
            assertThat(bytes.refCnt()).isZero();
        }
    }

    @Test
    void mutatedStreamsEndInOrderOrInAViolation() {
        byte[] original = stream();
        Random random = new Random(7);
        for (int i = 0; i < 50_000; i++) {
            byte[] bytes = original.clone();
            for (int n = random.nextInt(4); n >= 0; n--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            FrameScanner scanner = new FrameScanner();
            Recorder recorder = new Recorder();
            int cut = 1 + random.nextInt(bytes.length - 1);
            ByteBuf first = Unpooled.copiedBuffer(bytes, 0, cut);
            ByteBuf second = Unpooled.copiedBuffer(bytes, cut, bytes.length - cut);
            try {
                scanner.read(first, recorder);
                scanner.read(second, recorder);
            } catch (ProtocolViolation expected) {
                if (second.refCnt() > 0) {
                    second.release();
                }
            }
            scanner.release();
            assertThat(first.refCnt()).isZero();
            assertThat(second.refCnt()).isZero();
        }
    }
}

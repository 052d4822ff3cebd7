package dev.eden.proxy.resp;

import dev.eden.proxy.fuzz.FuzzedDecoder;
import io.netty.buffer.ByteBuf;
import java.util.Random;

/** What a Redis answers: where each reply ends, as it is passed on while it arrives. */
public final class FuzzedReplies extends FuzzedDecoder {
    private static final String[] SAMPLES = {
        "+OK\r\n",
        "-ERR no\r\n",
        ":-12\r\n",
        "$5\r\nhello\r\n",
        "$0\r\n\r\n",
        "$-1\r\n",
        "*-1\r\n",
        "*0\r\n",
        "_\r\n",
        "#t\r\n",
        ",1.5e3\r\n",
        "(123456789012345678901234567890\r\n",
        "!5\r\nERR x\r\n",
        "=7\r\ntxt:abc\r\n",
        "*2\r\n$1\r\na\r\n*2\r\n:1\r\n*0\r\n",
        "%1\r\n+k\r\n*1\r\n$3\r\na\r\n\r\n",
        "~2\r\n:1\r\n_\r\n",
        ">3\r\n$7\r\nmessage\r\n+c\r\n+m\r\n",
        "|1\r\n+ttl\r\n:3\r\n$1\r\nx\r\n",
        "*2\r\n|1\r\n+a\r\n+b\r\n:1\r\n:2\r\n",
    };

    public FuzzedReplies() {
        super("redis replies", 20);
    }

    @Override
    protected byte[] sample(Random random) {
        return Samples.of(SAMPLES, random);
    }

    @Override
    protected byte[] frame(Random random) {
        return Samples.bulks(random);
    }

    @Override
    protected byte[] lie(byte[] valid, long length, Random random) {
        return Samples.lie(valid, length, random);
    }

    @Override
    protected Verdict read(byte[] input, int[] cuts) {
        ReplyScanner scanner = new ReplyScanner();
        StringBuilder seen = new StringBuilder();
        ByteBuf in = piece(input, 0, input.length);
        int at = 0;
        try {
            for (int cut : cuts) {
                while (at < cut) {
                    int next = scanner.scan(in, at, cut);
                    if (next <= at || next > cut || next < cut && !scanner.complete()) {
                        throw new AssertionError("from " + at + " to " + next + " of " + cut);
                    }
                    at = next;
                    if (scanner.complete()) {
                        seen.append((char) scanner.type()).append(at).append(' ');
                    }
                }
            }
        } catch (ProtocolError e) {
            return new Verdict(Outcome.REFUSED, seen.append(e.getMessage()).toString());
        } finally {
            in.release();
        }
        return new Verdict(scanner.atStart() ? Outcome.READ : Outcome.UNFINISHED, seen.toString());
    }
}

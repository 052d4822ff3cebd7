package dev.eden.proxy.resp;

import io.netty.buffer.ByteBuf;

/** What a Redis answers: where each reply ends, as it is passed on while it arrives. */
public final class FuzzedReplies extends FuzzedResp {
    public FuzzedReplies() {
        super("redis replies", Samples.REPLIES);
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

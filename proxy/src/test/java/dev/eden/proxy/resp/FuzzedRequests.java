package dev.eden.proxy.resp;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/** What a client of Redis asks. */
public final class FuzzedRequests extends FuzzedResp {
    private static final int LARGE = 64 << 20;
    private static final String[] SAMPLES = {
        "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n",
        "*1\r\n$4\r\nPING\r\n",
        "*2\r\n$3\r\nGET\r\n$0\r\n\r\n",
        "*5\r\n$4\r\nMSET\r\n$1\r\na\r\n$2\r\n\r\n\r\n$1\r\nb\r\n$3\r\nccc\r\n",
        "*0\r\n",
        "*-1\r\n",
        "PING\r\n",
        "set \"a\\x41\\n\" 'it\\'s'\r\n",
        "\r\n",
    };

    public FuzzedRequests() {
        super("redis requests", SAMPLES);
    }

    @Override
    protected Verdict read(byte[] input, int[] cuts) {
        RequestScanner scanner = new RequestScanner(LARGE);
        StringBuilder seen = new StringBuilder();
        ByteBuf in = Unpooled.directBuffer(Math.max(1, input.length));
        int start = 0;
        int from = 0;
        RequestScanner.Status last = RequestScanner.Status.PARTIAL;
        try {
            for (int cut : cuts) {
                in.writeBytes(input, from, cut - from);
                from = cut;
                while (start < cut) {
                    last = scanner.scan(in, start);
                    if (last != RequestScanner.Status.COMPLETE) {
                        break;
                    }
                    int length = (int) scanner.length();
                    if (length <= 0 || length > cut - start) {
                        throw new AssertionError("a request of " + length + " of " + (cut - start) + " bytes");
                    }
                    tell(seen, scanner, in, start);
                    start += length;
                    scanner.reset();
                }
            }
        } catch (ProtocolError e) {
            return new Verdict(Outcome.REFUSED, seen.append(e.getMessage()).toString());
        } finally {
            in.release();
        }
        boolean all = start == input.length;
        return new Verdict(
                all ? Outcome.READ : Outcome.UNFINISHED,
                seen.append(all ? "" : last + " " + scanner.length()).toString());
    }

    private static void tell(StringBuilder seen, RequestScanner scanner, ByteBuf in, int start) {
        boolean inline = scanner.inline();
        List<byte[]> arguments = inline ? scanner.inlineArguments(in, start) : RequestScanner.arguments(in, start);
        if (!inline && arguments.size() != scanner.count()) {
            throw new AssertionError(arguments.size() + " arguments of " + scanner.count());
        }
        for (int i = 0; i < scanner.known(); i++) {
            byte[] told = new byte[scanner.argumentLength(i)];
            in.getBytes(start + scanner.offset(i), told);
            if (!Arrays.equals(told, arguments.get(i))) {
                throw new AssertionError("argument " + i);
            }
        }
        for (byte[] argument : arguments) {
            seen.append(new String(argument, StandardCharsets.ISO_8859_1)).append(',');
        }
        seen.append(';');
    }
}

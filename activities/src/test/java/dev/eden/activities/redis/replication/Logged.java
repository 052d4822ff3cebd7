package dev.eden.activities.redis.replication;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Commands as they come out of a log. */
final class Logged {
    private Logged() {}

    static StreamCommand command(String... words) {
        byte[][] arguments = new byte[words.length][];
        for (int i = 0; i < words.length; i++) {
            arguments[i] = words[i].getBytes(StandardCharsets.ISO_8859_1);
        }
        ByteArrayOutputStream raw = new ByteArrayOutputStream();
        int[] spans = new int[2 * words.length];
        raw.writeBytes(("*" + words.length + "\r\n").getBytes(StandardCharsets.US_ASCII));
        for (int i = 0; i < words.length; i++) {
            raw.writeBytes(("$" + arguments[i].length + "\r\n").getBytes(StandardCharsets.US_ASCII));
            spans[2 * i] = raw.size();
            spans[2 * i + 1] = arguments[i].length;
            raw.writeBytes(arguments[i]);
            raw.writeBytes(new byte[] {'\r', '\n'});
        }
        return new StreamCommand(raw.toByteArray(), spans);
    }
}

package dev.eden.proxy.resp;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** Bytes of RESP, right and wrong, for the fuzzed decoders. */
final class Samples {
    private static final Pattern LENGTH = Pattern.compile("(?<=[*$!=~%>|])-?\\d+(?=\r\n)");

    private Samples() {}

    static byte[] of(String[] samples, Random random) {
        StringBuilder all = new StringBuilder();
        for (int more = random.nextInt(4); more >= 0; more--) {
            all.append(samples[random.nextInt(samples.length)]);
        }
        return bytes(all.toString());
    }

    /** An array of strings of anything. */
    static byte[] bulks(Random random) {
        int count = random.nextInt(5);
        StringBuilder all = new StringBuilder("*" + count + "\r\n");
        for (int i = 0; i < count; i++) {
            byte[] content = new byte[random.nextInt(40)];
            random.nextBytes(content);
            all.append('$').append(content.length).append("\r\n");
            all.append(new String(content, StandardCharsets.ISO_8859_1)).append("\r\n");
        }
        return bytes(all.toString());
    }

    static byte[] lie(byte[] valid, long length, Random random) {
        String text = new String(valid, StandardCharsets.ISO_8859_1);
        MatchResult[] lengths = LENGTH.matcher(text).results().toArray(MatchResult[]::new);
        if (lengths.length == 0) {
            return valid;
        }
        MatchResult one = lengths[random.nextInt(lengths.length)];
        String told = random.nextInt(16) == 0 ? "999999999999999999999" : Long.toString(length);
        return bytes(text.substring(0, one.start()) + told + text.substring(one.end()));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }
}

package dev.eden.proxy.resp;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** Bytes of RESP, right and wrong, for the fuzzed decoders. */
final class Samples {
    /** Of each kind one at least. */
    static final String[] REPLIES = {
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

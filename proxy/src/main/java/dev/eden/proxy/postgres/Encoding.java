package dev.eden.proxy.postgres;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a session's {@code client_encoding} makes of bytes, where the proxy reads what a server says or says something itself. What cannot be read for sure has
 * {@link #UNREADABLE} in it.
 */
final class Encoding {
    static final String UTF8 = "UTF8";
    static final char UNREADABLE = '\uFFFD';

    private static final Map<String, Charset> CHARSETS = new HashMap<>();

    static {
        add(UTF8, "UTF-8");
        add("UNICODE", "UTF-8");
        add("SQL_ASCII", "ISO-8859-1"); // bytes that mean nothing, as servers take them
        for (int i = 1; i <= 10; i++) {
            // LATIN5 is ISO 8859-9, and so on
            add("LATIN" + i, "ISO-8859-" + new int[] {1, 2, 3, 4, 9, 10, 13, 14, 15, 16}[i - 1]);
        }
        for (int i = 5; i <= 8; i++) {
            add("ISO_8859_" + i, "ISO-8859-" + i);
        }
        for (int i = 1250; i <= 1258; i++) {
            add("WIN" + i, "windows-" + i);
        }
        add("WIN866", "IBM866");
        add("WIN874", "x-windows-874");
        add("KOI8R", "KOI8-R");
        add("KOI8U", "KOI8-U");
        add("EUC_JP", "EUC-JP");
        add("EUC_KR", "EUC-KR");
        add("EUC_CN", "GB2312");
        add("SJIS", "windows-31j");
        add("BIG5", "Big5");
        add("GBK", "GBK");
        add("GB18030", "GB18030");
        add("UHC", "x-windows-949");
    }

    private Encoding() {}

    private static void add(String name, String charset) {
        if (Charset.isSupported(charset)) {
            CHARSETS.put(canonical(name), Charset.forName(charset));
        }
    }

    /** Servers take names in any case, with or without what is no letter and no digit. */
    private static String canonical(String name) {
        StringBuilder plain = new StringBuilder(name.length());
        for (char c : name.toLowerCase(Locale.ROOT).toCharArray()) {
            if (Character.isLetterOrDigit(c)) {
                plain.append(c);
            }
        }
        return plain.toString();
    }

    /** Null: none that is known to be the same. */
    private static @Nullable Charset charset(@Nullable String encoding) {
        return encoding == null ? StandardCharsets.UTF_8 : CHARSETS.get(canonical(encoding));
    }

    static boolean isUtf8(@Nullable String encoding) {
        return encoding == null || encoding.equals(UTF8);
    }

    static boolean ascii(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) >= 0x80) {
                return false;
            }
        }
        return true;
    }

    static boolean unreadable(String text) {
        return text.indexOf(UNREADABLE) >= 0;
    }

    /** True where a session with this encoding understands the text. */
    static boolean writes(@Nullable String encoding, String text) {
        Charset charset = charset(encoding);
        return charset != null && charset.newEncoder().canEncode(text);
    }

    static String read(ByteBuf in, int from, int length, @Nullable String encoding) {
        if (isUtf8(encoding)) {
            return in.toString(from, length, StandardCharsets.UTF_8);
        }
        byte[] bytes = ByteBufUtil.getBytes(in, from, length);
        String ascii = new String(bytes, StandardCharsets.US_ASCII);
        if (!unreadable(ascii)) {
            return ascii;
        }
        Charset charset = charset(encoding);
        if (charset == null) {
            return ascii;
        }
        String text = new String(bytes, charset);
        return Arrays.equals(text.getBytes(charset), bytes) ? text : ascii;
    }

    /** The text and a zero. What the encoding does not know becomes a question mark. */
    static void write(ByteBuf out, String text, @Nullable String encoding) {
        Charset charset = isUtf8(encoding) ? StandardCharsets.UTF_8 : charset(encoding);
        out.writeCharSequence(text, charset == null ? StandardCharsets.US_ASCII : charset);
        out.writeByte(0);
    }
}

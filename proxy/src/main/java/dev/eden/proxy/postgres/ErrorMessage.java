package dev.eden.proxy.postgres;

import io.netty.buffer.ByteBuf;
import java.util.LinkedHashMap;
import java.util.Map;

/** An ErrorResponse: a server's, to be read, or the proxy's own, to be written. Servers' errors reach clients as they came; this is only for those that the proxy must understand. */
record ErrorMessage(Map<Character, String> fields) {

    static ErrorMessage of(String severity, String sqlState, String message) {
        Map<Character, String> fields = new LinkedHashMap<>();
        fields.put('S', severity);
        fields.put('V', severity);
        fields.put('C', sqlState);
        fields.put('M', message);
        return new ErrorMessage(fields);
    }

    static ErrorMessage error(String sqlState, String message) {
        return of("ERROR", sqlState, message);
    }

    static ErrorMessage fatal(String sqlState, String message) {
        return of("FATAL", sqlState, message);
    }

    ErrorMessage hint(String hint) {
        return with('H', hint);
    }

    ErrorMessage detail(String detail) {
        return with('D', detail);
    }

    /** The server's function that raised it, by which drivers tell some errors apart. */
    ErrorMessage routine(String routine) {
        return with('R', routine);
    }

    private ErrorMessage with(char field, String value) {
        Map<Character, String> more = new LinkedHashMap<>(fields);
        more.put(field, value);
        return new ErrorMessage(more);
    }

    /** The same in another severity, as when a server's refusal to log in ends one request but not the client. */
    ErrorMessage as(String severity) {
        Map<Character, String> more = new LinkedHashMap<>(fields);
        more.put('S', severity);
        more.put('V', severity);
        return new ErrorMessage(more);
    }

    /** Reads the message whose type byte is at {@code index}. */
    static ErrorMessage read(ByteBuf in, int index, int total) {
        Map<Character, String> fields = new LinkedHashMap<>();
        int at = index + Message.HEADER;
        int limit = index + total;
        while (at < limit && in.getByte(at) != 0) {
            char field = (char) in.getUnsignedByte(at);
            int end = Message.endOfString(in, at + 1, limit);
            if (end < 0) {
                break;
            }
            fields.put(field, Message.text(in, at + 1, end));
            at = end + 1;
        }
        return new ErrorMessage(fields);
    }

    void write(ByteBuf out) {
        int at = Message.begin(out, 'E');
        fields.forEach((field, value) -> {
            out.writeByte(field);
            Message.string(out, value);
        });
        out.writeByte(0);
        Message.end(out, at);
    }

    String sqlState() {
        return fields.getOrDefault('C', "");
    }

    String message() {
        return fields.getOrDefault('M', "");
    }

    boolean fatal() {
        String severity = fields.getOrDefault('V', fields.getOrDefault('S', ""));
        return severity.equals("FATAL") || severity.equals("PANIC");
    }
}

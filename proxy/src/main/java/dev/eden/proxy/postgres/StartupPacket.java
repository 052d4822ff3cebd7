package dev.eden.proxy.postgres;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a client says first (PostgreSQL manual, StartupMessage).
 *
 * @param minor protocol 3.{@code minor} as the proxy will speak it
 * @param settings of those that are tracked, by {@link Settings} index
 * @param options all others, which every connection to a server must share
 * @param unknown protocol options ({@code _pq_.…}) that nobody here knows
 */
record StartupPacket(
        int requestedMinor,
        int minor,
        String user,
        String database,
        Map<Integer, String> settings,
        Map<String, String> options,
        List<String> unknown) {

    /** The newest minor version of protocol 3 that the proxy speaks. */
    static final int NEWEST = 2;

    private static final int LONGEST_NAME = 63;

    /** Reads the parameters from the reader index to {@code end}. Throws {@link StartupRefused}. */
    static StartupPacket read(ByteBuf in, int end, int version) {
        int major = version >>> 16;
        int requestedMinor = version & 0xffff;
        if (major != 3) {
            throw new StartupRefused(ErrorMessage.fatal(
                    "0A000",
                    "unsupported frontend protocol " + major + "." + requestedMinor + ": server supports 3.0 to 3."
                            + NEWEST));
        }
        Map<Integer, String> settings = new TreeMap<>();
        Map<String, String> options = new TreeMap<>();
        List<String> unknown = new ArrayList<>();
        Map<String, String> own = new LinkedHashMap<>();
        int at = in.readerIndex();
        while (at < end && in.getByte(at) != 0) {
            int nameEnd = Message.endOfString(in, at, end);
            int valueEnd = nameEnd < 0 ? -1 : Message.endOfString(in, nameEnd + 1, end);
            if (valueEnd < 0) {
                throw malformed();
            }
            String name = Message.text(in, at, nameEnd);
            String value = Message.text(in, nameEnd + 1, valueEnd);
            at = valueEnd + 1;
            int tracked = Settings.index(name);
            if (name.startsWith("_pq_.")) {
                unknown.add(name);
            } else if (tracked >= 0) {
                settings.put(tracked, value);
            } else if (name.equals("user") || name.equals("database") || name.equals("replication")) {
                own.put(name, value);
            } else {
                options.put(name, value);
            }
        }
        if (at != end - 1) {
            throw malformed();
        }
        String replication = own.getOrDefault("replication", "false").toLowerCase(Locale.ROOT);
        if (!List.of("false", "off", "no", "0", "f", "n").contains(replication)) {
            throw new StartupRefused(
                    ErrorMessage.fatal("0A000", "eden: replication connections do not go through the proxy")
                            .detail(
                                    "A replication stream is bound to one server's log, and the proxy may move the interlay to another server.")
                            .hint("Connect to the server itself."));
        }
        String user = own.getOrDefault("user", "");
        if (user.isEmpty()) {
            throw new StartupRefused(
                    ErrorMessage.fatal("28000", "no PostgreSQL user name specified in startup packet"));
        }
        return new StartupPacket(
                requestedMinor,
                Math.min(requestedMinor, NEWEST),
                clipped(user),
                clipped(own.getOrDefault("database", user)),
                Map.copyOf(settings),
                Map.copyOf(options),
                unknown);
    }

    /** As the server takes it: no name is longer than 63 bytes (NAMEDATALEN). */
    private static String clipped(String name) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        return bytes.length <= LONGEST_NAME ? name : new String(bytes, 0, LONGEST_NAME, StandardCharsets.UTF_8);
    }

    private static StartupRefused malformed() {
        return new StartupRefused(
                ErrorMessage.fatal("08P01", "invalid startup packet layout: expected terminator as last byte"));
    }

    /** True where the client has to hear what the proxy does not know. */
    boolean negotiates() {
        return requestedMinor > NEWEST || !unknown.isEmpty();
    }

    void negotiate(ByteBuf out) {
        int at = Message.begin(out, 'v');
        out.writeInt(3 << 16 | minor).writeInt(unknown.size());
        unknown.forEach(name -> Message.string(out, name));
        Message.end(out, at);
    }

    /** Ends a connection that has not begun. */
    static final class StartupRefused extends RuntimeException {
        final transient ErrorMessage error;

        StartupRefused(ErrorMessage error) {
            super(error.message(), null, false, false);
            this.error = error;
        }
    }
}

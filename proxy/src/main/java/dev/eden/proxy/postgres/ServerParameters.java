package dev.eden.proxy.postgres;

import dev.eden.proxy.postgres.Expectations.Kind;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import org.jspecify.annotations.Nullable;

/** What a server reports of its session's settings (ParameterStatus), when they are first told and when they change. */
final class ServerParameters {
    private final ServerConnection connection;
    /** A search_path that is no ASCII: it comes before or after the client_encoding that it is in. */
    private byte @Nullable [] path;

    ServerParameters(ServerConnection connection) {
        this.connection = connection;
    }

    /** A ParameterStatus, from its type byte; {@code by}: what is expected next. True: it is for the client. */
    boolean told(ByteBuf in, int index, int total, @Nullable Kind by) {
        int from = index + Message.HEADER;
        int nameEnd = Message.endOfString(in, from, index + total);
        int valueEnd = Message.endOfString(in, nameEnd + 1, index + total);
        if (nameEnd < 0 || valueEnd < 0) {
            throw new ProtocolViolation("malformed ParameterStatus");
        }
        String name = Message.text(in, from, nameEnd);
        int length = valueEnd - nameEnd - 1;
        String value = Encoding.read(in, nameEnd + 1, length, connection.settings.encoding());
        connection.reported.put(name, value);
        int tracked = Settings.index(name);
        if (tracked == Settings.SEARCH_PATH && !connection.loggingIn()) {
            path = Encoding.ascii(value) ? null : ByteBufUtil.getBytes(in, nameEnd + 1, length);
        }
        boolean waits = tracked == Settings.SEARCH_PATH && path != null;
        if (tracked >= 0 && !waits) {
            changed(tracked, value, by);
        }
        ClientSession holder = ofClient(by);
        return holder != null && !holder.settings.conceals(tracked, value, connection);
    }

    /** Everything that has changed has been told. */
    void ready(@Nullable Kind by) {
        byte[] told = path;
        if (told != null) {
            path = null;
            String value = Encoding.read(Unpooled.wrappedBuffer(told), 0, told.length, connection.settings.encoding());
            connection.reported.put(Settings.NAMES[Settings.SEARCH_PATH], value);
            changed(Settings.SEARCH_PATH, value, by);
        }
    }

    private void changed(int setting, String value, @Nullable Kind by) {
        Settings before = connection.settings.reading();
        connection.has(setting, value);
        connection.defaults.hear();
        if (connection.settings.reading() != before) {
            connection.statements.settingsChanged();
        }
        ClientSession aside = connection.client;
        if (by == Kind.EXCHANGE && aside != null && !aside.preparation.running() && !aside.standbyRead.running()) {
            aside.settings.changedAside(setting, value);
        }
        ClientSession holder = ofClient(by);
        if (holder != null) {
            holder.changed(setting, value);
            if (Encoding.unreadable(value)) {
                holder.pins.hides(); // no other session could be given it
            }
        }
    }

    /** Whose settings have changed; null: the standby's, which are its own business, or by the proxy's own doing. */
    private @Nullable ClientSession ofClient(@Nullable Kind by) {
        ClientSession holder = connection.client;
        return holder == null || by == Kind.EXCHANGE || holder.standbyRead.running() ? null : holder;
    }
}

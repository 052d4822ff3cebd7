package dev.eden.proxy.redis;

import dev.eden.proxy.Backend;
import dev.eden.proxy.Secret;
import dev.eden.proxy.resp.RespValue;
import dev.eden.proxy.resp.RespWriter;
import io.netty.buffer.ByteBuf;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The first words on a backend connection: log in, protocol, database, name (a coordinator finds a proxy's connections by it) and the
 * connection's id (for {@code CLIENT UNBLOCK}; Redis before 6 does not know {@code HELLO}, and not everybody may {@code CLIENT ID}). A refusal of login, protocol or database ends the attempt with the server's own words;
 * a refused name or id does not matter.
 */
final class Handshake {
    private final BackendConnection connection;
    private int outstanding;
    private @Nullable String refusal;

    private Handshake(BackendConnection connection) {
        this.connection = connection;
    }

    static void start(BackendConnection connection, ProxyLoop loop) {
        new Handshake(connection).send(loop);
    }

    /** {@code user} null: the one-argument AUTH, which means the default user. */
    @SuppressWarnings("ArrayRecordComponent")
    record Credentials(byte @Nullable [] user, byte[] password) {
        Credentials(@Nullable String user, Secret password, Charset charset) {
            this(user == null ? null : user.getBytes(charset), password.reveal().getBytes(charset));
        }

        @Override
        public String toString() {
            return "‹redacted›";
        }
    }

    /** What connections of this identity log in with; null where they do not. */
    static @Nullable Credentials credentials(Identity identity, ServerAddress server, ProxyLoop loop) {
        return switch (identity) {
            case Identity.Anonymous _ -> credentials(loop.login(server, false));
            case Identity.Eden _ -> credentials(loop.login(server, true));
            case Identity.Named client ->
                new Credentials(client.user(), client.password(), StandardCharsets.ISO_8859_1);
        };
    }

    private static @Nullable Credentials credentials(Backend.@Nullable Login login) {
        return login == null ? null : new Credentials(login.user(), login.password(), StandardCharsets.UTF_8);
    }

    /**
     * Changes protocol and login of a connection at once. Without credentials it becomes what a new connection is: the default user,
     * who takes any password where it needs none, and where it needs one the refusal is right.
     */
    static List<byte[]> hello(int protocol, @Nullable Credentials credentials) {
        byte[] user = credentials == null ? null : credentials.user();
        return List.of(
                Ascii.bytes("HELLO"),
                Ascii.bytes(Integer.toString(protocol)),
                Ascii.bytes("AUTH"),
                user == null ? Ascii.bytes("default") : user,
                credentials == null ? new byte[0] : credentials.password());
    }

    private void send(ProxyLoop loop) {
        BackendPool pool = connection.pool;
        PoolKey key = pool.key;
        Credentials credentials = credentials(key.identity(), key.server(), loop);
        if (key.protocol() == 3) {
            if (credentials != null) {
                essential(hello(3, credentials));
            } else {
                essential(List.of(Ascii.bytes("HELLO"), Ascii.bytes("3")));
            }
        } else if (credentials != null) {
            byte[] user = credentials.user();
            essential(
                    user == null
                            ? List.of(Ascii.bytes("AUTH"), credentials.password())
                            : List.of(Ascii.bytes("AUTH"), user, credentials.password()));
        }
        if (key.database() != 0) {
            command(this::selected, "SELECT", Integer.toString(key.database()));
        }
        command(
                _ -> {},
                "CLIENT",
                "SETNAME",
                "eden:" + loop.context.config.identity().name());
        command(this::identified, "CLIENT", "ID");
        command(this::introduced, "HELLO", Integer.toString(key.protocol())); // not a matter of a user's rights
    }

    private void essential(List<byte[]> arguments) {
        command(
                answer -> {
                    if (answer instanceof RespValue.Failure failure && refusal == null) {
                        refusal = failure.message();
                    }
                },
                arguments);
    }

    private void selected(RespValue answer) {
        if (answer instanceof RespValue.Failure failure) {
            if (failure.message().startsWith("NOPERM") && !connection.pool.onActive()) {
                connection.unselected = true; // a fenced standby: select again before the first use
            } else if (refusal == null) {
                refusal = failure.message();
            }
        }
    }

    private void identified(RespValue answer) {
        if (answer instanceof RespValue.Int id) {
            connection.serverId = id.value();
        }
    }

    private void introduced(RespValue answer) {
        BackendPool pool = connection.pool;
        if (pool.key.identity() instanceof Identity.Anonymous && pool.onActive()) {
            pool.loop.servesStrangers = answer instanceof RespValue.Failure ? null : pool.key.server();
        }
        List<RespValue> fields = answer.items();
        for (int i = 0; i + 1 < fields.size(); i += 2) {
            if (fields.get(i).text().equals("id")) {
                identified(fields.get(i + 1));
            }
        }
    }

    private interface Answer {
        void take(RespValue value);
    }

    private void command(Answer answer, String... arguments) {
        command(answer, Stream.of(arguments).map(Ascii::bytes).toList());
    }

    private void command(Answer answer, List<byte[]> arguments) {
        outstanding++;
        connection.expect(
                new ReplyTarget() {
                    @Override
                    public void reply(ByteBuf frame) {
                        try {
                            answer.take(RespValue.read(frame));
                        } finally {
                            frame.release();
                        }
                        if (--outstanding == 0) {
                            finish();
                        }
                    }

                    @Override
                    public void lost() {
                        // the pool hears of the closed connection
                    }
                },
                0);
        ByteBuf out = connection.pool.loop.buffer();
        RespWriter.command(out, arguments);
        connection.write(out);
    }

    private void finish() {
        String why = refusal;
        if (why == null) {
            connection.markReady();
            connection.pool.connected(connection);
        } else {
            connection.pool.refused(connection, why);
        }
    }
}

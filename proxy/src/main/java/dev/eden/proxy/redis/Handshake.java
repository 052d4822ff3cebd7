package dev.eden.proxy.redis;

import dev.eden.proxy.Backend;
import dev.eden.proxy.resp.RespValue;
import dev.eden.proxy.resp.RespWriter;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * The first words on a backend connection: log in, protocol, database, name (a coordinator finds a proxy's connections by it) and the
 * connection's id (for {@code CLIENT UNBLOCK}). A refusal of login, protocol or database ends the attempt with the server's own words;
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

    private void send(ProxyLoop loop) {
        BackendPool pool = connection.pool;
        PoolKey key = pool.key;
        String user = "default";
        String password = null;
        boolean named = false;
        switch (key.identity()) {
            case Identity.Anonymous _ -> {
                Backend.Login login = loop.login(key.server(), false);
                if (login != null) {
                    user = login.user();
                    password = login.password().reveal();
                    named = true;
                }
            }
            case Identity.Eden _ -> {
                Backend.Login login = loop.login(key.server(), true);
                if (login != null) {
                    user = login.user();
                    password = login.password().reveal();
                    named = true;
                }
            }
            case Identity.Named client -> {
                password = client.password().reveal();
                if (client.user() != null) {
                    user = client.user();
                    named = true;
                }
            }
        }
        if (key.protocol() == 3) {
            if (password != null) {
                essential("HELLO", "3", "AUTH", user, password);
            } else {
                essential("HELLO", "3");
            }
        } else if (password != null) {
            if (named) {
                essential("AUTH", user, password);
            } else {
                essential("AUTH", password);
            }
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
    }

    private void essential(String... arguments) {
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

    private interface Answer {
        void take(RespValue value);
    }

    private void command(Answer answer, String... arguments) {
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

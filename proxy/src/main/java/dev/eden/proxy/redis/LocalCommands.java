package dev.eden.proxy.redis;

import dev.eden.proxy.Secret;
import dev.eden.proxy.resp.RespWriter;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Commands about the connection itself. Login, database and protocol choose another pool, and the server's own answer there decides
 * whether the change holds; names and ids are the proxy's.
 */
final class LocalCommands {
    private static final String KILL_BY_ID =
            "ERR eden: CLIENT KILL by ID is not available through the proxy: a connection to the server is not one"
                    + " client's";

    static final String SCRIPT_DEBUG = "ERR eden: SCRIPT DEBUG is not available through the proxy";

    private final Session session;
    private final ClientConnection client;

    LocalCommands(Session session) {
        this.session = session;
        this.client = session.client;
    }

    // ---- AUTH, HELLO, SELECT

    boolean auth() {
        int count = client.request().count();
        if (count != 2 && count != 3) {
            return session.fail("ERR wrong number of arguments for 'auth' command");
        }
        List<byte[]> arguments = client.arguments();
        Identity next =
                new Identity.Named(count == 3 ? bytes(arguments.get(1)) : null, new Secret(bytes(arguments.getLast())));
        return change(next, session.protocol, arguments, () -> session.identity = next);
    }

    boolean hello() {
        List<byte[]> arguments = client.arguments();
        int protocol = session.protocol;
        Identity identity = session.identity;
        String name = null;
        int at = 1;
        if (arguments.size() > 1) {
            long version = Ascii.parseLong(arguments.get(1));
            if (version != 2 && version != 3) {
                return session.fail(
                        version < 0
                                ? "ERR Protocol version is not an integer or out of range"
                                : "NOPROTO unsupported protocol version");
            }
            protocol = (int) version;
            at = 2;
        }
        List<byte[]> forwarded =
                new ArrayList<>(List.of(Ascii.bytes("HELLO"), Ascii.bytes(Integer.toString(protocol))));
        while (at < arguments.size()) {
            if (Ascii.equalsIgnoreCase(arguments.get(at), "auth") && at + 2 < arguments.size()) {
                identity = new Identity.Named(bytes(arguments.get(at + 1)), new Secret(bytes(arguments.get(at + 2))));
                forwarded.addAll(arguments.subList(at, at + 3));
                at += 3;
            } else if (Ascii.equalsIgnoreCase(arguments.get(at), "setname") && at + 1 < arguments.size()) {
                name = text(arguments.get(at + 1));
                at += 2;
            } else {
                return session.fail("ERR Syntax error in HELLO option '" + text(arguments.get(at)) + "'");
            }
        }
        Identity nextIdentity = identity;
        int nextProtocol = protocol;
        String nextName = name;
        return change(nextIdentity, nextProtocol, forwarded, () -> {
            session.identity = nextIdentity;
            session.protocol = nextProtocol;
            if (nextName != null) {
                session.name = nextName;
            }
        });
    }

    /** Has a connection made under the new terms, sends the client's own command there and lets the answer decide. */
    private boolean change(Identity identity, int protocol, List<byte[]> command, Runnable apply) {
        if (client.inFlight() > 0) {
            return false;
        }
        if (session.pinned()) {
            return session.fail(
                    "ERR eden: not while the connection holds a transaction, watched keys or subscriptions");
        }
        BackendConnection connection = under(identity, session.database, protocol);
        if (connection == null) {
            return false;
        }
        ByteBuf out = client.loop.buffer();
        RespWriter.command(out, command);
        client.pauseForAnswer();
        client.substitute(connection, out, new Changed(apply));
        return true;
    }

    private @Nullable BackendConnection under(Identity identity, int database, int protocol) {
        ServerAddress server = client.loop.activeServer();
        if (server == null) {
            throw new IllegalStateException("no active server");
        }
        return session.connections.under(server, identity, database, protocol);
    }

    private class Changed implements ReplyTarget {
        private final Runnable apply;

        Changed(Runnable apply) {
            this.apply = apply;
        }

        @Override
        public void reply(ByteBuf frame) {
            byte type = frame.getByte(frame.readerIndex());
            if (type != '-' && type != '!') {
                session.connections.close();
                apply.run();
                session.connections.forgetPool();
            }
            client.output(frame);
            client.finished();
            client.resume();
        }

        @Override
        public void lost() {
            client.lost();
        }
    }

    boolean select() {
        if (client.inFlight() > 0) {
            return false;
        }
        if (client.request().count() != 2) {
            return session.fail("ERR wrong number of arguments for 'select' command");
        }
        long database = Ascii.parseLong(client.argument(1));
        if (database < 0 || database > 1 << 20) {
            return session.fail(
                    database < 0 ? "ERR value is not an integer or out of range" : "ERR DB index is out of range");
        }
        if (database == session.database && !session.pinned()) {
            return session.answer(out -> RespWriter.simple(out, "OK"));
        }
        if (session.pinned()) {
            BackendConnection connection = session.connections.exclusive();
            if (connection == null) {
                return false;
            }
            session.connections.alter();
            client.forward(connection, new Changed(() -> {}) {
                @Override
                public void reply(ByteBuf frame) {
                    if (frame.getByte(frame.readerIndex()) == '+') {
                        session.database = (int) database;
                        session.connections.forgetPool();
                    }
                    client.output(frame);
                    client.finished();
                }
            });
            return true;
        }
        if (under(session.identity, (int) database, session.protocol) == null) {
            return false;
        }
        session.connections.close();
        session.database = (int) database;
        session.connections.forgetPool();
        return session.answer(out -> RespWriter.simple(out, "OK"));
    }

    // ---- CLIENT

    boolean client() {
        String sub = client.request().count() > 1 ? Ascii.lower(client.argument(1)) : "";
        switch (sub) {
            case "id" -> {
                return local(out -> RespWriter.header(out, ':', client.id));
            }
            case "getname" -> {
                String name = session.name;
                return local(out -> {
                    if (name == null) {
                        RespWriter.nullBulk(out, session.protocol);
                    } else {
                        RespWriter.bulk(out, Ascii.bytes(name));
                    }
                });
            }
            case "setname" -> {
                if (client.inFlight() > 0) {
                    return false;
                }
                String name = client.request().count() == 3 ? text(client.argument(2)) : " ";
                if (name.chars().anyMatch(c -> c < '!' || c > '~') && !name.isEmpty()) {
                    return session.fail("ERR Client names cannot contain spaces, newlines or special characters.");
                }
                session.name = name.isEmpty() ? null : name;
                return local(out -> RespWriter.simple(out, "OK"));
            }
            case "setinfo" -> {
                return local(out -> RespWriter.simple(out, "OK"));
            }
            case "info" -> {
                return local(out -> RespWriter.bulk(out, Ascii.bytes(info())));
            }
            case "reply" -> {
                return reply();
            }
            case "tracking", "no-evict", "no-touch" -> {
                return session.listening.mode(sub, client.arguments());
            }
            case "caching" -> {
                return session.listening.caching(client.arguments());
            }
            case "unblock" -> {
                return unblock();
            }
            case "kill" -> {
                return killsById() ? session.fail(KILL_BY_ID) : session.shared();
            }
            default -> {
                return session.shared();
            }
        }
    }

    /** A server would take the number, which is the proxy's or one of the proxy's own connections, for that of a connection many may share. */
    private boolean killsById() {
        List<byte[]> arguments = client.arguments();
        for (int i = 2; i + 1 < arguments.size(); i += 2) {
            if (Ascii.equalsIgnoreCase(arguments.get(i), "id")) {
                return true;
            }
        }
        return false;
    }

    /** {@code SCRIPT DEBUG}: the next script on the connection, whoever sends it, would be in the debugger. */
    boolean debugsScripts() {
        return client.request().count() > 1 && Ascii.equalsIgnoreCase(client.argument(1), "debug");
    }

    /** Why the command at hand can't be queued: what it would change belongs to a connection that others get afterwards. Null where it can. */
    @Nullable
    String unavailableInTransaction(Handling handling) {
        return switch (handling) {
            case AUTH, HELLO, SUBSCRIBE, MONITOR ->
                "ERR eden: " + Ascii.lower(client.argument(0)) + " is not available in a transaction through the proxy";
            case REFUSED -> "ERR eden: " + Ascii.lower(client.argument(0)) + " is not available through the proxy";
            case CLIENT -> {
                String sub = client.request().count() > 1 ? Ascii.lower(client.argument(1)) : "";
                yield switch (sub) {
                    case "reply", "tracking", "no-evict", "no-touch", "unblock" ->
                        "ERR eden: client " + sub + " is not available in a transaction through the proxy";
                    case "kill" -> killsById() ? KILL_BY_ID : null;
                    default -> null;
                };
            }
            case SCRIPT_ADMIN -> debugsScripts() ? SCRIPT_DEBUG : null;
            case SHARED,
                    READ,
                    SCRIPT_READ,
                    SCRIPT,
                    BLOCKING,
                    SCAN,
                    MULTI,
                    EXEC,
                    DISCARD,
                    WATCH,
                    UNWATCH,
                    SELECT,
                    RESET,
                    QUIT,
                    UNKNOWN -> null;
        };
    }

    /** What becomes of the server's answer to the {@code CLIENT} at hand, which is queued, where it is about the connection; null where it is as it is. */
    @Nullable
    UnaryOperator<ByteBuf> saidByExec() {
        String sub = client.request().count() == 2 ? Ascii.lower(client.argument(1)) : "";
        return switch (sub) {
            case "id" -> answer -> instead(answer, ":", out -> RespWriter.header(out, ':', client.id));
            case "info" -> answer -> instead(answer, "$=", out -> RespWriter.bulk(out, Ascii.bytes(info())));
            default -> null;
        };
    }

    /** An answer of another type is a refusal. */
    private ByteBuf instead(ByteBuf answer, String types, Consumer<ByteBuf> writer) {
        if (types.indexOf(answer.getByte(answer.readerIndex())) < 0) {
            return answer;
        }
        answer.release();
        ByteBuf out = client.loop.buffer();
        writer.accept(out);
        return out;
    }

    /** The number is one that {@code CLIENT ID} has told, or no client's. */
    private boolean unblock() {
        BackendConnection connection = session.connections.any();
        if (connection == null) {
            return false;
        }
        List<byte[]> arguments = client.arguments();
        if (arguments.size() > 2) {
            long id = Ascii.parseLong(arguments.get(2));
            if (id >= 0) {
                arguments.set(2, Ascii.bytes(Long.toString(client.loop.context.blocked.aimAt(id))));
            }
        }
        ByteBuf out = client.loop.buffer();
        RespWriter.command(out, arguments);
        client.substitute(connection, out, client);
        return true;
    }

    private boolean local(Consumer<ByteBuf> writer) {
        return session.answer(writer);
    }

    private String info() {
        return "id=" + client.id + " addr=" + client.channel.remoteAddress() + " name="
                + (session.name == null ? "" : session.name) + " db=" + session.database + " resp=" + session.protocol
                + " lib-name= lib-ver=\n";
    }

    private boolean reply() {
        if (client.inFlight() > 0) {
            return false;
        }
        String mode = client.request().count() == 3 ? Ascii.lower(client.argument(2)) : "";
        switch (mode) {
            case "on" -> {
                session.replyMode.on();
                return local(out -> RespWriter.simple(out, "OK"));
            }
            case "off" -> {
                client.consume();
                session.replyMode.off();
                return true;
            }
            case "skip" -> {
                client.consume();
                session.replyMode.skip();
                return true;
            }
            default -> {
                return session.fail("ERR syntax error");
            }
        }
    }

    // ---- RESET, QUIT

    boolean reset() {
        if (client.inFlight() > 0) {
            return false;
        }
        session.resetAll();
        return session.answer(out -> RespWriter.simple(out, "RESET"));
    }

    boolean quit() {
        if (client.inFlight() > 0) {
            return false;
        }
        client.consume();
        client.answer(out -> RespWriter.simple(out, "OK"));
        client.closeAfterOutput();
        return true;
    }

    // ---- scripts

    /** The body of a script that passes by, for a standby that never saw it. */
    void remember() {
        if (client.request().count() < 3) {
            return;
        }
        byte[] word = client.argument(0);
        if (Ascii.equalsIgnoreCase(word, "eval") || Ascii.equalsIgnoreCase(word, "eval_ro")) {
            client.loop.context.scripts.remember(client.argument(1));
        } else if (client.request().count() == 3
                && Ascii.equalsIgnoreCase(word, "script")
                && Ascii.equalsIgnoreCase(client.argument(1), "load")) {
            client.loop.context.scripts.remember(client.argument(2));
        }
    }

    /** As {@link Identity.Named} keeps them. */
    private static String bytes(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}

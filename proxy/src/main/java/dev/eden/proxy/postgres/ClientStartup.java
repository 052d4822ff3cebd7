package dev.eden.proxy.postgres;

import dev.eden.proxy.Backend;
import dev.eden.proxy.ClientTls;
import dev.eden.proxy.Secret;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.ScheduledFuture;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A connection until its client has said who it is and proved it; then {@link ClientSession} takes over.
 *
 * <pre>
 *   FIRST ─(SSLRequest)─► TLS handshake ─► FIRST
 *     │└─(CancelRequest)─► closed once the request has arrived
 *     └─(StartupMessage)─► LOOKUP ─► SASL_FIRST ─► SASL_LAST ─► session
 *                             ├────► MD5 ─────────────────────► session
 *                             ├────► PASSWORD ─(a server says)► session   (only over TLS)
 *                             └────► (trusted) ───────────────► session
 * </pre>
 */
final class ClientStartup extends ChannelInboundHandlerAdapter {
    /** As clients that negotiate TLS directly name it (ALPN). */
    static final String PROTOCOL = "postgresql";

    /** The process and four bytes, of a CancelRequest. */
    private static final int SHORTEST_KEY = 8;

    private enum Phase {
        FIRST,
        LOOKUP,
        SASL_FIRST,
        SASL_LAST,
        MD5,
        PASSWORD,
        OVER
    }

    private final PostgresLoop loop;
    private final Channel channel;
    private final ScheduledFuture<?> timeout;
    private ByteBuf in = Unpooled.EMPTY_BUFFER;
    private Phase phase = Phase.FIRST;
    private ClientTls.@Nullable Loaded tls;
    private @Nullable StartupPacket packet;
    private @Nullable Account account;
    /** Why the user is not let in although it proves itself; null: it is. */
    private @Nullable ErrorMessage barredFor;

    private Scram.@Nullable Server scram;
    private byte[] salt = new byte[0];
    private boolean asked;
    private boolean gssAsked;

    ClientStartup(PostgresLoop loop, Channel channel) {
        this.loop = loop;
        this.channel = channel;
        this.timeout = channel.eventLoop()
                .schedule(
                        () -> refuse(ErrorMessage.fatal("08006", "canceling authentication due to timeout")),
                        loop.config.limits().loginTimeout().toMillis(),
                        TimeUnit.MILLISECONDS);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        loop.tick();
        ByteBuf bytes = (ByteBuf) message;
        if (phase == Phase.OVER) {
            bytes.release();
            return;
        }
        if (in.isReadable()) {
            in = io.netty.handler.codec.ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(context.alloc(), in, bytes);
        } else {
            in.release();
            in = bytes;
        }
        try {
            boolean more = true;
            while (more && phase != Phase.OVER) {
                more = step(context);
            }
        } catch (StartupPacket.StartupRefused e) {
            refuse(e.error);
        } catch (ProtocolViolation | IndexOutOfBoundsException e) {
            loop.counters.protocolErrors++;
            refuse(ErrorMessage.fatal("08P01", String.valueOf(e.getMessage())));
        }
        loop.schedule();
    }

    private boolean step(ChannelHandlerContext context) {
        return switch (phase) {
            case FIRST -> first(context);
            case SASL_FIRST, SASL_LAST, MD5, PASSWORD -> password();
            case LOOKUP -> {
                if (in.readableBytes() > Message.MAX_STARTUP) {
                    throw new ProtocolViolation("the client speaks before it is asked");
                }
                yield false;
            }
            case OVER -> false;
        };
    }

    private boolean first(ChannelHandlerContext context) {
        if (!in.isReadable()) {
            return false;
        }
        if (in.getByte(in.readerIndex()) == 0x16 && tls == null && !asked) {
            return direct(context);
        }
        if (in.readableBytes() < 8) {
            return false;
        }
        int length = in.getInt(in.readerIndex());
        if (length < 8 || length > Message.MAX_STARTUP) {
            loop.counters.protocolErrors++;
            close(); // as the server does: this is no client of PostgreSQL
            return false;
        }
        if (in.readableBytes() < length) {
            return false;
        }
        int end = in.readerIndex() + length;
        int code = in.getInt(in.readerIndex() + 4);
        in.skipBytes(8);
        switch (code) {
            case Message.SSL_REQUEST -> {
                in.readerIndex(end);
                return encrypt(context);
            }
            case Message.GSSENC_REQUEST -> {
                if (gssAsked) {
                    throw new ProtocolViolation("GSSENCRequest for the second time");
                }
                gssAsked = true;
                in.readerIndex(end);
                channel.writeAndFlush(loop.buffer().writeByte('N'), channel.voidPromise());
                return true;
            }
            case Message.CANCEL_REQUEST -> cancel(end);
            default -> {
                StartupPacket said = StartupPacket.read(in, end, code);
                in.readerIndex(end);
                packet = said;
                lookup(said);
            }
        }
        return true;
    }

    private boolean direct(ChannelHandlerContext context) {
        ClientTls.Loaded loaded = loop.tls.current();
        if (loaded == null) {
            loop.counters.protocolErrors++;
            close();
            return false;
        }
        tls = loaded;
        SslHandler handler = loop.tls.handler(loaded, channel);
        context.pipeline().addFirst(handler);
        handler.handshakeFuture().addListener(future -> {
            if (future.isSuccess() && !PROTOCOL.equals(handler.applicationProtocol())) {
                loop.counters.protocolErrors++;
                close(); // direct TLS is only for those who say what they speak (PostgreSQL 17)
            }
        });
        ByteBuf hello = in;
        in = Unpooled.EMPTY_BUFFER;
        context.pipeline().fireChannelRead(hello);
        return false;
    }

    private boolean encrypt(ChannelHandlerContext context) {
        if (asked || tls != null) {
            throw new ProtocolViolation("SSLRequest for the second time");
        }
        asked = true;
        ClientTls.Loaded loaded = loop.tls.current();
        if (loaded == null) {
            channel.writeAndFlush(loop.buffer().writeByte('N'), channel.voidPromise());
            return true;
        }
        if (in.isReadable()) {
            throw new ProtocolViolation("received unencrypted data after SSL request");
        }
        tls = loaded;
        channel.writeAndFlush(loop.buffer().writeByte('S')).addListener(_ -> {});
        context.pipeline().addFirst(loop.tls.handler(loaded, channel));
        return false;
    }

    private void cancel(int end) {
        if (end - in.readerIndex() < SHORTEST_KEY) {
            throw new ProtocolViolation("malformed CancelRequest");
        }
        int pid = in.readInt();
        byte[] secret = new byte[end - in.readerIndex()];
        in.readBytes(secret);
        over();
        ClientSession client = loop.cancels.find(pid, secret);
        if (client == null) {
            loop.counters.cancelsPassedOn++;
            loop.peers.ask(pid, secret, channel::close);
        } else {
            client.loop.eventLoop.execute(() -> client.cancel(channel::close));
        }
    }

    // ---- who is it

    private void lookup(StartupPacket said) {
        phase = Phase.LOOKUP;
        if (!loop.admit(channel)) {
            over();
            return;
        }
        counted = true;
        if (said.negotiates()) {
            ByteBuf out = loop.buffer();
            said.negotiate(out);
            channel.write(out, channel.voidPromise());
        }
        checkDatabase(said);
        loop.accounts.find(loop, said.user(), found -> {
            if (phase == Phase.LOOKUP) {
                try {
                    ask(said, found);
                } catch (StartupPacket.StartupRefused e) {
                    refuse(e.error);
                }
            }
        });
    }

    private boolean counted;

    private void checkDatabase(StartupPacket said) {
        var route = loop.gate.route();
        if (route == null || route.active() == null) {
            throw new StartupPacket.StartupRefused(
                    ErrorMessage.fatal("57P03", "eden: the interlay has no endpoint yet"));
        }
        String served = null;
        for (Backend side : new @Nullable Backend[] {route.active(), route.standby()}) {
            String database = side == null ? null : side.database();
            if (side != null && (database == null || database.equals(said.database()))) {
                return;
            }
            served = served == null ? database : served;
        }
        throw new StartupPacket.StartupRefused(
                ErrorMessage.fatal("3D000", "database \"" + said.database() + "\" does not exist")
                        .hint("eden: interlay " + loop.config.interlay() + " serves database \"" + served + "\"."));
    }

    private void ask(StartupPacket said, Account found) {
        account = found;
        ByteBuf out = loop.buffer();
        switch (found) {
            case Account.Trusted _ -> {
                out.release();
                welcome(said, new Credential.None());
                return;
            }
            case Account.ScramVerifier _, Account.Unknown _ -> {
                int at = Message.begin(out, 'R');
                out.writeInt(10);
                if (binding() != null) {
                    Message.string(out, Scram.MECHANISM_PLUS);
                }
                Message.string(out, Scram.MECHANISM);
                out.writeByte(0);
                Message.end(out, at);
                phase = Phase.SASL_FIRST;
            }
            case Account.Md5Verifier _ -> {
                salt = new byte[4];
                new java.security.SecureRandom().nextBytes(salt);
                out.writeByte('R').writeInt(12).writeInt(5).writeBytes(salt);
                phase = Phase.MD5;
            }
            case Account.Barred barred -> {
                out.release();
                barredFor = barred.why();
                ask(said, barred.proof());
                return;
            }
            case Account.Refused refused -> {
                out.release();
                throw new StartupPacket.StartupRefused(refused.why());
            }
            case Account.Unreadable unreadable -> {
                if (tls != null) {
                    Message.authentication(out, 3);
                    phase = Phase.PASSWORD;
                    break;
                }
                out.release();
                throw new StartupPacket.StartupRefused(
                        ErrorMessage.fatal(
                                        "28000",
                                        "eden: cannot authenticate user \"" + said.user() + "\": " + unreadable.why())
                                .hint(
                                        "Connect with TLS, give the interlay the user's password (eden interlay user set), or see docs/postgres-authentication.md for when the proxy can become a user."));
            }
        }
        channel.writeAndFlush(out, channel.voidPromise());
    }

    // ---- proof

    private boolean password() {
        if (in.readableBytes() < Message.HEADER) {
            return false;
        }
        int start = in.readerIndex();
        int length = in.getInt(start + 1);
        if (in.getByte(start) != 'p' || length < 4 || length > Message.MAX_STARTUP * 7) {
            throw new ProtocolViolation("expected a password message");
        }
        if (in.readableBytes() < length + 1) {
            return false;
        }
        int from = start + Message.HEADER;
        int to = start + 1 + length;
        in.readerIndex(to);
        StartupPacket said = java.util.Objects.requireNonNull(packet);
        switch (phase) {
            case SASL_FIRST -> saslFirst(said, from, to);
            case SASL_LAST -> saslLast(said, Message.text(in, from, to));
            case MD5 -> md5(said, from, to);
            case PASSWORD -> clearText(said, from, to);
            case FIRST, LOOKUP, OVER -> throw new ProtocolViolation("unexpected password message");
        }
        return true;
    }

    /** What a client can bind its proof to; null: nothing. */
    private byte @Nullable [] binding() {
        ClientTls.Loaded encrypted = tls;
        return encrypted == null || encrypted.binding().length == 0 ? null : encrypted.binding();
    }

    private void saslFirst(StartupPacket said, int from, int to) {
        int nameEnd = Message.endOfString(in, from, to);
        if (nameEnd < 0 || to - nameEnd < 5) {
            throw new ProtocolViolation("malformed SASLInitialResponse");
        }
        String mechanism = Message.text(in, from, nameEnd);
        byte[] binding = binding();
        boolean plus = mechanism.equals(Scram.MECHANISM_PLUS) && binding != null;
        if (!plus && !mechanism.equals(Scram.MECHANISM)) {
            throw new ProtocolViolation("client selected an invalid SASL authentication mechanism");
        }
        int length = in.getInt(nameEnd + 1);
        if (length < 0 || nameEnd + 5 + length != to) {
            throw new ProtocolViolation("malformed SASLInitialResponse");
        }
        Scram.Verifier verifier = loop.accounts.verifier(said.user(), java.util.Objects.requireNonNull(account));
        Scram.Server exchange = new Scram.Server(verifier, plus, binding);
        scram = exchange;
        byte[] answer = exchange.first(Message.text(in, nameEnd + 5, to)).getBytes(StandardCharsets.UTF_8);
        phase = Phase.SASL_LAST;
        sasl(11, answer);
    }

    private void sasl(int code, byte[] data) {
        ByteBuf out = loop.buffer();
        int at = Message.begin(out, 'R');
        out.writeInt(code).writeBytes(data);
        Message.end(out, at);
        channel.writeAndFlush(out, channel.voidPromise());
    }

    private void saslLast(StartupPacket said, String clientFinal) {
        Scram.Proven proven = java.util.Objects.requireNonNull(scram).last(clientFinal);
        if (proven == null || !(account instanceof Account.ScramVerifier known)) {
            wrong(said);
            return;
        }
        sasl(12, proven.serverFinal().getBytes(StandardCharsets.UTF_8));
        Credential given = known.known();
        welcome(said, given == null ? new Credential.Keys(known.verifier(), proven.clientKey()) : given);
    }

    private void md5(StartupPacket said, int from, int to) {
        int end = Message.endOfString(in, from, to);
        String answer = Message.text(in, from, end < 0 ? to : end);
        if (!(account instanceof Account.Md5Verifier(Credential.Md5 stored))
                || !java.security.MessageDigest.isEqual(
                        answer.getBytes(StandardCharsets.UTF_8),
                        Md5.answer(stored.hash().reveal(), salt).getBytes(StandardCharsets.UTF_8))) {
            wrong(said);
            return;
        }
        welcome(said, stored);
    }

    /** Nobody here knows what is right: a server is asked by logging in to it. */
    private void clearText(StartupPacket said, int from, int to) {
        int end = Message.endOfString(in, from, to);
        Secret password = new Secret(Message.text(in, from, end < 0 ? to : end));
        phase = Phase.LOOKUP;
        loop.accounts.tryPassword(loop, said, password, error -> {
            if (phase == Phase.LOOKUP) {
                if (error == null) {
                    welcome(said, new Credential.Password(password));
                } else {
                    loop.counters.loginsFailed++;
                    refuse(error.as("FATAL"));
                }
            }
        });
    }

    private void wrong(StartupPacket said) {
        loop.accounts.doubt(said.user());
        loop.counters.loginsFailed++;
        refuse(ErrorMessage.fatal("28P01", "password authentication failed for user \"" + said.user() + "\""));
    }

    private void welcome(StartupPacket said, Credential credential) {
        ErrorMessage barred = barredFor;
        if (barred != null) {
            loop.counters.loginsFailed++;
            refuse(barred);
            return;
        }
        loop.accounts.proven(said.user(), credential);
        over();
        counted = false;
        ByteBuf out = loop.buffer();
        Message.authentication(out, 0);
        channel.write(out, channel.voidPromise());
        ClientSession session = new ClientSession(loop, channel, said);
        ByteBuf rest = in;
        in = Unpooled.EMPTY_BUFFER;
        channel.pipeline().replace(this, "session", session);
        session.begin(rest);
    }

    // ---- end

    private void refuse(ErrorMessage why) {
        if (phase != Phase.OVER) {
            ByteBuf out = loop.buffer();
            why.write(out);
            over();
            loop.farewell(channel, out);
        }
    }

    private void over() {
        phase = Phase.OVER;
        timeout.cancel(false);
    }

    private void close() {
        over();
        channel.close();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        over();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        loop.started();
        in.release();
        in = Unpooled.EMPTY_BUFFER;
        if (counted) {
            counted = false;
            loop.left();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        context.close();
    }
}

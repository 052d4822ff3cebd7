package dev.eden.proxy.postgres;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The proxy as a client: from the startup message to the first ReadyForQuery of one connection to a server. */
final class ServerLogin {
    private static final String ADMISSION = "eden.admission";
    private static final int OK = 0;
    private static final int CLEARTEXT = 3;
    private static final int MD5 = 5;
    private static final int SASL = 10;
    private static final int SASL_CONTINUE = 11;
    private static final int SASL_FINAL = 12;

    private final PoolKey key;
    private final Credential credential;
    private final String applicationName;
    private final @Nullable String admission;
    private Scram.@Nullable Client scram;
    /** What a proof is bound to; empty: nothing. */
    private byte[] binding = {};

    /** The server has wanted to see something. */
    private boolean asked;

    /** {@code admission}: by which a fenced standby tells the proxies; null: it need not. */
    ServerLogin(PoolKey key, Credential credential, String applicationName, @Nullable String admission) {
        this.admission = admission;
        this.key = key;
        this.credential = credential;
        this.applicationName = applicationName;
    }

    /** The connection is encrypted; {@code endPoint}: the {@link dev.eden.proxy.ChannelBinding} of the certificate that the server has shown. */
    void encrypted(byte[] endPoint) {
        binding = endPoint;
    }

    void startup(ByteBuf out) {
        Map<String, String> parameters = new LinkedHashMap<>();
        parameters.put("user", key.user());
        parameters.put("database", key.database());
        parameters.put("application_name", applicationName);
        parameters.putAll(key.options());
        if (admission != null) {
            parameters.put(ADMISSION, admission);
        }
        Message.startup(out, parameters);
    }

    /** What is to be derived before {@link #answer} to this request; null: nothing. Throws {@link ProtocolViolation}. */
    Scram.@Nullable Salting salting(ByteBuf in, int index, int total) {
        return in.getInt(index + Message.HEADER) == SASL_CONTINUE
                ? running().salting(Message.text(in, index + Message.HEADER + 4, index + total))
                : null;
    }

    /** Goes on with the exchange, with what was to be derived. Throws {@link ProtocolViolation}. */
    void last(String serverFirst, byte @Nullable [] salted, ByteBuf out) {
        byte[] last = running().last(serverFirst, salted).getBytes(StandardCharsets.UTF_8);
        int at = Message.begin(out, 'p');
        out.writeBytes(last);
        Message.end(out, at);
    }

    /** Answers an authentication request (from its type byte) into {@code out}. Throws {@link ProtocolViolation} with why it cannot. */
    void answer(ByteBuf in, int index, int total, byte @Nullable [] salted, ByteBuf out) {
        int request = in.getInt(index + Message.HEADER);
        int from = index + Message.HEADER + 4;
        int to = index + total;
        asked |= request != OK;
        switch (request) {
            case OK -> {
                if (!asked && credential instanceof Credential.Password password && password.claimed()) {
                    throw new ProtocolViolation(
                            "the server trusts the proxy's address: it lets in without a look at the password");
                }
            }
            case CLEARTEXT -> {
                if (!(credential instanceof Credential.Password password)) {
                    throw new ProtocolViolation("the server asks for a clear-text password and none is known");
                }
                if (!key.server().tls()) {
                    throw new ProtocolViolation(
                            "the server asks for a clear-text password and the connection is not encrypted");
                }
                Message.password(out, password.secret().reveal());
            }
            case MD5 -> {
                byte[] salt = new byte[4];
                in.getBytes(from, salt);
                Message.password(out, Md5.answer(md5(), salt));
            }
            case SASL -> {
                String mechanisms = in.toString(from, to - from, StandardCharsets.UTF_8);
                Scram.Choice choice = Scram.Choice.of(List.of(mechanisms.split("\0")), binding);
                if (choice == null) {
                    throw new ProtocolViolation("the server offers no SASL mechanism that the proxy knows");
                }
                Scram.Client client = new Scram.Client(credential, choice);
                scram = client;
                byte[] first = client.first().getBytes(StandardCharsets.UTF_8);
                int at = Message.begin(out, 'p');
                Message.string(out, choice.mechanism());
                out.writeInt(first.length).writeBytes(first);
                Message.end(out, at);
            }
            case SASL_CONTINUE -> last(Message.text(in, from, to), salted, out);
            case SASL_FINAL -> running().verify(Message.text(in, from, to));
            default ->
                throw new ProtocolViolation(
                        "the server asks for an authentication (" + request + ") that the proxy does not know");
        }
    }

    private Scram.Client running() {
        Scram.Client client = scram;
        if (client == null) {
            throw new ProtocolViolation("the server's SASL messages are out of order");
        }
        return client;
    }

    private String md5() {
        return switch (credential) {
            case Credential.Md5 md5 -> md5.hash().reveal();
            case Credential.Password password ->
                Md5.stored(key.user(), password.secret().reveal());
            case Credential.Keys _ ->
                throw new ProtocolViolation("the server asks for md5 and the user was authenticated by SCRAM");
            case Credential.None _ -> throw new ProtocolViolation("the server asks for a password and none is known");
        };
    }
}

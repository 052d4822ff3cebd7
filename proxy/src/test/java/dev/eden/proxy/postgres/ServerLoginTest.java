package dev.eden.proxy.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.proxy.Secret;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the proxy says to a server that asks for SCRAM; that server's part is the test's. */
class ServerLoginTest {
    private static final String BOTH = "SCRAM-SHA-256-PLUS SCRAM-SHA-256";
    private static final byte[] NONE = {};
    private static final byte[] SHOWN = bytes("the hash of the certificate that the server has shown");
    private static final Scram.Verifier VERIFIER = Scram.Verifier.of("pencil", bytes("salty salt bytes"), 4096);

    private final ServerLogin login = new ServerLogin(
            new PoolKey(new ServerAddress("source", "localhost", 5432, true), "eden", "app", Map.of()),
            new Credential.Password(new Secret("pencil")),
            "eden:test",
            null);
    private String mechanism = "";
    private String clientFirst = "";

    /** The server offers these; {@code binding}: of the certificate that the proxy has seen. */
    private void offer(String mechanisms, byte[] binding) {
        login.encrypted(binding);
        ByteBuf said = answer(10, mechanisms.replace(' ', '\0') + "\0\0", null);
        int end = Message.endOfString(said, Message.HEADER, said.writerIndex());
        mechanism = Message.text(said, Message.HEADER, end);
        clientFirst = Message.text(said, end + 5, said.writerIndex());
    }

    private String clientFinal(String serverFirst) {
        ByteBuf asked = request(11, serverFirst);
        byte[] salted = Objects.requireNonNull(login.salting(asked, 0, asked.writerIndex()))
                .derive();
        ByteBuf said = answer(11, serverFirst, salted);
        return Message.text(said, Message.HEADER, said.writerIndex());
    }

    private ByteBuf answer(int code, String data, byte @Nullable [] salted) {
        ByteBuf asked = request(code, data);
        ByteBuf said = Unpooled.buffer();
        login.answer(asked, 0, asked.writerIndex(), salted, said);
        return said;
    }

    private static ByteBuf request(int code, String data) {
        ByteBuf message = Unpooled.buffer();
        int at = Message.begin(message, 'R');
        message.writeInt(code).writeBytes(bytes(data));
        Message.end(message, at);
        return message;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @CsvSource({
        BOTH + ",true,SCRAM-SHA-256-PLUS,'p=tls-server-end-point,,'",
        "SCRAM-SHA-256-PLUS,true,SCRAM-SHA-256-PLUS,'p=tls-server-end-point,,'",
        "SCRAM-SHA-256,true,SCRAM-SHA-256,'y,,'",
        BOTH + ",false,SCRAM-SHA-256,'n,,'",
        "SCRAM-SHA-256,false,SCRAM-SHA-256,'n,,'",
    })
    void bindsWhereBothSidesCan(String offered, boolean hash, String chosen, String header) {
        offer(offered, hash ? SHOWN : NONE);
        assertThat(mechanism).isEqualTo(chosen);
        assertThat(clientFirst).startsWith(header + "n=,r=");
        boolean plus = chosen.equals(Scram.MECHANISM_PLUS);
        Scram.Server server = new Scram.Server(VERIFIER, plus, plus ? SHOWN : null);
        Scram.Proven proven = Objects.requireNonNull(server.last(clientFinal(server.first(clientFirst))));
        assertThat(answer(12, proven.serverFinal(), null).isReadable())
                .as("the server has proved itself")
                .isFalse();
    }

    @Test
    void whoIsBetweenIsFoundOutByItsCertificate() {
        offer(BOTH, bytes("the hash of another's certificate"));
        Scram.Server server = new Scram.Server(VERIFIER, true, SHOWN);
        String last = clientFinal(server.first(clientFirst));
        assertThatThrownBy(() -> server.last(last)).hasMessage("SCRAM channel binding check failed");
    }

    @Test
    void whoHasStruckTheOfferOfABindingIsFoundOut() {
        offer("SCRAM-SHA-256", SHOWN);
        Scram.Server server = new Scram.Server(VERIFIER, false, SHOWN);
        assertThatThrownBy(() -> server.first(clientFirst)).hasMessage("SCRAM channel binding negotiation error");
    }

    @Test
    void aBindingThatTheProxyHasNotIsNoMechanism() {
        assertThatThrownBy(() -> offer("SCRAM-SHA-256-PLUS", NONE))
                .hasMessage("the server offers no SASL mechanism that the proxy knows");
    }
}

package dev.eden.proxy.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.proxy.Secret;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ScramTest {
    private static final byte[] SALT = "salty salt bytes".getBytes(StandardCharsets.US_ASCII);

    private static Scram.@Nullable Proven login(Credential credential, Scram.Verifier verifier) {
        Scram.Client client = new Scram.Client(credential, Scram.Choice.UNBOUND);
        Scram.Server server = new Scram.Server(verifier, false, null);
        String last = PgWire.last(client, server.first(client.first()));
        Scram.Proven proven = server.last(last);
        if (proven != null) {
            client.verify(proven.serverFinal());
        }
        return proven;
    }

    @Test
    void theKeyOfAProofLogsInElsewhere() {
        Scram.Verifier verifier = Scram.Verifier.of("pencil", SALT, 4096);
        Scram.Proven proven = Objects.requireNonNull(login(new Credential.Password(new Secret("pencil")), verifier));
        Credential recovered = new Credential.Keys(verifier, proven.clientKey());
        assertThat(login(recovered, verifier)).isNotNull();
        assertThat(recovered.toString()).isEqualTo("‹redacted›");
        Scram.Verifier other =
                Scram.Verifier.of("pencil", "another salt....".getBytes(StandardCharsets.US_ASCII), 4096);
        assertThatThrownBy(() -> login(recovered, other)).isInstanceOf(ProtocolViolation.class);
    }

    @Test
    void aWrongPasswordProvesNothing() {
        Scram.Verifier verifier = Scram.Verifier.of("pencil", SALT, 4096);
        assertThat(login(new Credential.Password(new Secret("pen")), verifier)).isNull();
        assertThat(login(new Credential.Password(new Secret("pencil")), Scram.Verifier.mock("x", new byte[8], 4096)))
                .isNull();
    }

    /** RFC 7677, section 3: user "user", password "pencil". */
    @Test
    void theVerifierOfTheRfc() {
        Scram.Verifier verifier =
                Scram.Verifier.of("pencil", java.util.Base64.getDecoder().decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096);
        byte[] auth = ("n=user,r=rOprNGfwEbeRWgbNEkqO,"
                        + "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
                        + "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0")
                .getBytes(StandardCharsets.US_ASCII);
        assertThat(java.util.Base64.getEncoder().encodeToString(Scram.hmac(verifier.serverKey(), auth)))
                .isEqualTo("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    @Test
    void readsWhatServersStore() {
        assertThat(Scram.Verifier.parse("md5abc")).isNull();
        assertThat(Scram.Verifier.parse("SCRAM-SHA-256$4096:!$a:b")).isNull();
        Scram.Verifier verifier =
                Objects.requireNonNull(Scram.Verifier.parse("SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy"));
        assertThat(verifier.iterations()).isEqualTo(4096);
        assertThat(new String(verifier.serverKey(), StandardCharsets.US_ASCII)).isEqualTo("server");
    }
}

package dev.eden.api.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class SecretCipherTest {
    private final SecretCipher cipher = new SecretCipher(List.of(new byte[32]));

    @Test
    void opensWhatItSealedAndOnlyForTheSameRecord() {
        byte[] box = cipher.seal("endpoint/a", "pass");

        assertThat(cipher.open("endpoint/a", box)).isEqualTo("pass");
        assertThat(new String(box, StandardCharsets.ISO_8859_1)).doesNotContain("pass");
        assertThat(cipher.seal("endpoint/a", "pass")).isNotEqualTo(box);
        assertThatThrownBy(() -> cipher.open("endpoint/b", box))
                .isInstanceOf(SecretCipher.UnreadableSecretException.class);
    }

    @Test
    void noticesEveryChangedByte() {
        byte[] box = cipher.seal("endpoint/a", "pass");
        for (int i = 0; i < box.length; i++) {
            byte[] changed = box.clone();
            changed[i] ^= 1;
            assertThatThrownBy(() -> cipher.open("endpoint/a", changed))
                    .isInstanceOf(SecretCipher.UnreadableSecretException.class);
        }
        assertThatThrownBy(() -> cipher.open("endpoint/a", new byte[3]))
                .isInstanceOf(SecretCipher.UnreadableSecretException.class);
    }

    @Test
    void anotherKeyDoesNotOpen() {
        byte[] other = new byte[32];
        other[0] = 1;
        byte[] box = cipher.seal("x", "pass");
        assertThatThrownBy(() -> new SecretCipher(List.of(other)).open("x", box))
                .isInstanceOf(SecretCipher.UnreadableSecretException.class);
    }
}

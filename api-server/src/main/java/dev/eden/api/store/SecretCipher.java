package dev.eden.api.store;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.KDF;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.HKDFParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * AES-256-GCM (NIST SP 800-38D: 96-bit random nonce, 128-bit tag). The record's identity is the additional data, so that a
 * ciphertext moved to another row does not open. Format: version byte 1, nonce, ciphertext with tag. Of several keys the first seals and
 * all open: that is how a key is replaced while processes run. Thread-safe.
 */
public final class SecretCipher {
    private static final byte VERSION = 1;
    private static final int NONCE_BYTES = 12;
    private static final int TAG_BITS = 128;

    private final List<SecretKey> keys;
    private final SecureRandom random = new SecureRandom();

    /** {@code keys}: one or more of 32 bytes. */
    public SecretCipher(List<byte[]> keys) {
        if (keys.isEmpty() || keys.stream().anyMatch(key -> key.length != 32)) {
            throw new IllegalArgumentException("an AES-256 key has 32 bytes");
        }
        this.keys = keys.stream()
                .<SecretKey>map(key -> new SecretKeySpec(key, "AES"))
                .toList();
    }

    /**
     * 32 bytes for another purpose, by HKDF-SHA-256 (RFC 5869) from the first key: whoever has them knows nothing of the key, and a
     * ciphertext of the one purpose never opens for the other.
     */
    public byte[] derive(String purpose) {
        return derive(keys.getFirst(), purpose);
    }

    /** Names each key without telling anything of it, in their order. */
    public List<String> fingerprints() {
        return keys.stream()
                .map(key -> HexFormat.of().formatHex(derive(key, "eden key fingerprint"), 0, 4))
                .toList();
    }

    public byte[] seal(String identity, String plain) {
        byte[] nonce = new byte[NONCE_BYTES];
        random.nextBytes(nonce);
        try {
            byte[] sealed = cipher(Cipher.ENCRYPT_MODE, keys.getFirst(), nonce, identity)
                    .doFinal(plain.getBytes(StandardCharsets.UTF_8));
            return ByteBuffer.allocate(1 + NONCE_BYTES + sealed.length)
                    .put(VERSION)
                    .put(nonce)
                    .put(sealed)
                    .array();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("AES-256-GCM is not available", e);
        }
    }

    /** Throws {@link UnreadableSecretException} when no key, or not this identity, or other bytes were sealed. */
    public String open(String identity, byte[] sealed) {
        return opened(identity, sealed).plain();
    }

    /** Which key it was sealed with: 0 is the one that seals now. Throws as {@link #open}. */
    public int keyOf(String identity, byte[] sealed) {
        return opened(identity, sealed).key();
    }

    private record Opened(int key, String plain) {}

    private Opened opened(String identity, byte[] sealed) {
        if (sealed.length < 1 + NONCE_BYTES + TAG_BITS / 8 || sealed[0] != VERSION) {
            throw new UnreadableSecretException(identity);
        }
        byte[] nonce = java.util.Arrays.copyOfRange(sealed, 1, 1 + NONCE_BYTES);
        for (int i = 0; i < keys.size(); i++) {
            try {
                byte[] plain = cipher(Cipher.DECRYPT_MODE, keys.get(i), nonce, identity)
                        .doFinal(sealed, 1 + NONCE_BYTES, sealed.length - 1 - NONCE_BYTES);
                return new Opened(i, new String(plain, StandardCharsets.UTF_8));
            } catch (AEADBadTagException e) {
                continue;
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException("AES-256-GCM is not available", e);
            }
        }
        throw new UnreadableSecretException(identity);
    }

    private static byte[] derive(SecretKey key, String purpose) {
        try {
            return KDF.getInstance("HKDF-SHA256")
                    .deriveData(HKDFParameterSpec.ofExtract()
                            .addIKM(key)
                            .thenExpand(purpose.getBytes(StandardCharsets.UTF_8), 32));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("HKDF-SHA256 is not available", e);
        }
    }

    private static Cipher cipher(int mode, SecretKey key, byte[] nonce, String identity)
            throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(mode, key, new GCMParameterSpec(TAG_BITS, nonce));
        cipher.updateAAD(identity.getBytes(StandardCharsets.UTF_8));
        return cipher;
    }

    /** The key is none of these, or the row was tampered with. Carries no cause: it would tell nothing more. */
    public static final class UnreadableSecretException extends RuntimeException {
        UnreadableSecretException(String identity) {
            super("the secret of " + identity + " can't be decrypted with this key", null, false, false);
        }
    }
}

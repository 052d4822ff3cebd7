package dev.eden.api.store;

import java.time.Duration;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;
import org.jdbi.v3.core.Jdbi;

/**
 * The keys of Temporal's payloads. Each encryption key has one, derived from it and kept in the store: histories can't be encrypted anew,
 * so they must stay readable when the encryption key itself is gone. Thread-safe; servers share them.
 */
public final class PayloadKeys {
    private static final String PURPOSE = "eden temporal payload";
    private static final Duration BETWEEN_READS = Duration.ofSeconds(1);

    private final Jdbi jdbi;
    private final SecretCipher cipher;
    private final Key current;
    private final LongSupplier nanos = System::nanoTime;
    private final Map<String, SecretKey> known = new ConcurrentHashMap<>();
    private volatile long readAt;

    private PayloadKeys(Jdbi jdbi, SecretCipher cipher, Key current) {
        this.jdbi = jdbi;
        this.cipher = cipher;
        this.current = current;
    }

    /** @param id tells keys apart and nothing of them */
    public record Key(String id, SecretKey secret) {
        @Override
        public String toString() {
            return id;
        }
    }

    public static PayloadKeys open(Jdbi jdbi, SecretCipher cipher) {
        byte[] derived = cipher.derive(PURPOSE);
        String id = HexFormat.of().formatHex(cipher.derive(PURPOSE + " id"), 0, 8);
        jdbi.useHandle(handle -> handle.createUpdate(
                        "INSERT INTO payload_key (id, value) VALUES (:id, :value) ON CONFLICT DO NOTHING")
                .bind("id", id)
                .bind(
                        "value",
                        cipher.seal(Sealed.payloadKey(id), Base64.getEncoder().encodeToString(derived)))
                .execute());
        PayloadKeys keys = new PayloadKeys(jdbi, cipher, new Key(id, new SecretKeySpec(derived, "AES")));
        keys.read();
        return keys;
    }

    /** What new payloads are encrypted with. */
    public Key current() {
        return current;
    }

    /** The key of that id; empty where no server has made one, or it is sealed with an encryption key that this one has not been given. */
    public Optional<Key> find(String id) {
        // Another server may have made it since. Whoever asks for nonsense again and again reads the store once a
        // second.
        if (!known.containsKey(id) && nanos.getAsLong() - readAt > BETWEEN_READS.toNanos()) {
            read();
        }
        return Optional.ofNullable(known.get(id)).map(secret -> new Key(id, secret));
    }

    private void read() {
        readAt = nanos.getAsLong();
        Map<String, byte[]> rows = jdbi.withHandle(handle -> handle.createQuery("SELECT id, value FROM payload_key")
                .reduceRows(new java.util.HashMap<String, byte[]>(), (all, row) -> {
                    all.put(row.getColumn("id", String.class), row.getColumn("value", byte[].class));
                    return all;
                }));
        known.put(current.id(), current.secret());
        rows.forEach((id, value) -> {
            try {
                String plain = cipher.open(Sealed.payloadKey(id), value);
                known.put(id, new SecretKeySpec(Base64.getDecoder().decode(plain), "AES"));
            } catch (SecretCipher.UnreadableSecretException _) {
                // Made under a key that this process has not been given: a payload of it is refused by its name.
            }
        });
    }
}

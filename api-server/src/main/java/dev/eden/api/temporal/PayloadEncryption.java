package dev.eden.api.temporal;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.eden.api.store.PayloadKeys;
import dev.eden.workflows.HistoryJson;
import io.temporal.api.common.v1.Payload;
import io.temporal.common.converter.CodecDataConverter;
import io.temporal.common.converter.DataConverter;
import io.temporal.payload.codec.PayloadCodec;
import io.temporal.payload.codec.PayloadCodecException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;

/**
 * Encrypts what Temporal keeps of a migration: inputs and results of workflows, activities, updates, signals and queries, heartbeats, memo,
 * summaries, messages of failures. AES-256-GCM; the key's id stands beside the ciphertext and is its additional data. What is not
 * encrypted passes: histories of before, signals by Temporal's command line. Decrypts also where it does not encrypt, so that the setting
 * can be taken back. Search attributes are never encrypted: Temporal has to search them. Thread-safe.
 */
public final class PayloadEncryption implements PayloadCodec {
    /** As Temporal's own samples have it; its Web UI knows by that name that there is something to decode. */
    private static final String ENCODING = "binary/encrypted";

    private static final String KEY_ID = "encryption-key-id";
    private static final byte VERSION = 1;
    private static final int NONCE_BYTES = 12;
    private static final int TAG_BITS = 128;

    private final PayloadKeys keys;
    private final boolean encrypt;
    private final SecureRandom random = new SecureRandom();

    public PayloadEncryption(PayloadKeys keys, boolean encrypt) {
        this.keys = keys;
        this.encrypt = encrypt;
    }

    /** For the client, and so for its workers. */
    public DataConverter converter() {
        return new CodecDataConverter(HistoryJson.converter(), List.of(this), encrypt);
    }

    @Override
    public List<Payload> encode(List<Payload> payloads) {
        return encrypt ? payloads.stream().map(this::seal).toList() : payloads;
    }

    /** Throws {@link PayloadCodecException} for what was encrypted with another key or has been changed. */
    @Override
    public List<Payload> decode(List<Payload> payloads) {
        return payloads.stream().map(this::open).toList();
    }

    /** Whether {@link #decode} would have something to do. */
    public static boolean isEncrypted(Payload payload) {
        return payload.getMetadataOrDefault("encoding", ByteString.EMPTY)
                .toStringUtf8()
                .equals(ENCODING);
    }

    private Payload seal(Payload plain) {
        PayloadKeys.Key key = keys.current();
        byte[] nonce = new byte[NONCE_BYTES];
        random.nextBytes(nonce);
        try {
            byte[] sealed = cipher(Cipher.ENCRYPT_MODE, key, nonce).doFinal(plain.toByteArray());
            return Payload.newBuilder()
                    .putMetadata("encoding", ByteString.copyFromUtf8(ENCODING))
                    .putMetadata(KEY_ID, ByteString.copyFromUtf8(key.id()))
                    .setData(ByteString.copyFrom(new byte[] {VERSION})
                            .concat(ByteString.copyFrom(nonce))
                            .concat(ByteString.copyFrom(sealed)))
                    .build();
        } catch (GeneralSecurityException e) {
            throw new PayloadCodecException("AES-256-GCM is not available", e);
        }
    }

    private Payload open(Payload payload) {
        if (!isEncrypted(payload)) {
            return payload;
        }
        String id = payload.getMetadataOrDefault(KEY_ID, ByteString.EMPTY).toStringUtf8();
        PayloadKeys.Key key = keys.find(id)
                .orElseThrow(() ->
                        new PayloadCodecException("the payload is encrypted with a key that Eden has not been given"));
        byte[] data = payload.getData().toByteArray();
        if (data.length < 1 + NONCE_BYTES + TAG_BITS / 8 || data[0] != VERSION) {
            throw new PayloadCodecException("the payload is not one that Eden has encrypted");
        }
        try {
            byte[] plain = cipher(Cipher.DECRYPT_MODE, key, Arrays.copyOfRange(data, 1, 1 + NONCE_BYTES))
                    .doFinal(data, 1 + NONCE_BYTES, data.length - 1 - NONCE_BYTES);
            return Payload.parseFrom(plain);
        } catch (GeneralSecurityException | InvalidProtocolBufferException e) {
            throw new PayloadCodecException("the payload has been changed since it was encrypted");
        }
    }

    private static Cipher cipher(int mode, PayloadKeys.Key key, byte[] nonce) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(mode, key.secret(), new GCMParameterSpec(TAG_BITS, nonce));
        cipher.updateAAD(("eden temporal payload " + key.id()).getBytes(StandardCharsets.UTF_8));
        return cipher;
    }
}

package dev.eden.api.store;

import dev.eden.api.json.Json;
import java.util.List;

/** The identities under which {@link SecretCipher} seals: one for each value, unambiguous whatever its parts hold. */
public final class Sealed {
    static final String CHECK = "encryption_check";

    private Sealed() {}

    static String endpoint(String id) {
        return "endpoint/" + id;
    }

    static String serverRecord(String migration, String endpoint, String name) {
        return "server_record/" + Json.write(List.of(migration, endpoint, name));
    }

    static String interlayUser(String interlay, String name) {
        return "interlay_user/" + Json.write(List.of(interlay, name));
    }

    static String interlaySeed(String interlay) {
        return "interlay_login/" + interlay;
    }

    static String payloadKey(String id) {
        return "payload_key/" + id;
    }

    /** What an attempt has to undo. */
    public static String attempt(long id) {
        return "attempt/" + id;
    }
}

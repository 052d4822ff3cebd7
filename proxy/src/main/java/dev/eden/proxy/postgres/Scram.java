package dev.eden.proxy.postgres;

import dev.eden.proxy.Secret;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.text.Normalizer;
import java.util.Base64;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * SCRAM-SHA-256 (RFC 5802, RFC 7677; PostgreSQL manual, "SASL Authentication"), both ends. The server's end recovers the client's key from
 * its proof (ClientKey = ClientProof XOR ClientSignature), and with that key the client's end logs in to any server that stores the
 * same verifier: no password is ever known here.
 */
final class Scram {
    static final String MECHANISM = "SCRAM-SHA-256";
    static final String MECHANISM_PLUS = "SCRAM-SHA-256-PLUS";
    private static final String BOUND = "p=tls-server-end-point";
    /** Of verifiers that a server makes unless it is told otherwise, and always before PostgreSQL 16. */
    static final int ITERATIONS = 4096;

    private static final SecureRandom RANDOM = new SecureRandom();

    private Scram() {}

    /** What a server stores ({@code pg_authid.rolpassword}). Arrays are not shared with anybody who writes. */
    record Verifier(int iterations, byte[] salt, byte[] storedKey, byte[] serverKey) {

        /** {@code SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey}; null for anything else. */
        static @Nullable Verifier parse(String text) {
            String[] parts = text.split("[$:]", -1);
            if (parts.length != 5 || !parts[0].equals(MECHANISM)) {
                return null;
            }
            try {
                Base64.Decoder decoder = Base64.getDecoder();
                return new Verifier(
                        Integer.parseInt(parts[1]),
                        decoder.decode(parts[2]),
                        decoder.decode(parts[3]),
                        decoder.decode(parts[4]));
            } catch (IllegalArgumentException e) {
                return null;
            }
        }

        /** As {@link #parse} takes it. */
        String stored() {
            return MECHANISM + "$" + iterations + ":" + base64(salt) + "$" + base64(storedKey) + ":"
                    + base64(serverKey);
        }

        /** What a server would store for this password. Takes milliseconds: not for an event loop's hot path. */
        static Verifier of(String password, byte[] salt, int iterations) {
            byte[] salted = saltedPassword(password, salt, iterations);
            return new Verifier(
                    iterations, salt, sha256(hmac(salted, ascii("Client Key"))), hmac(salted, ascii("Server Key")));
        }

        /** A verifier that nobody's password fits, the same at each try: refusing an unknown user must look like refusing a known one. */
        static Verifier mock(String user, byte[] seed, int iterations) {
            byte[] salt = java.util.Arrays.copyOf(hmac(seed, user.getBytes(StandardCharsets.UTF_8)), 16);
            return new Verifier(iterations, salt, new byte[32], new byte[32]);
        }
    }

    /** The server's end of one exchange. */
    static final class Server {
        private final Verifier verifier;
        private final byte @Nullable [] binding;
        private final boolean plus;
        private String gs2 = "";
        private String clientFirstBare = "";
        private String serverFirst = "";
        private String nonce = "";

        /** {@code binding}: the tls-server-end-point data where the client chose {@code -PLUS}; {@code plusOffered}: it could have. */
        Server(Verifier verifier, boolean plus, byte @Nullable [] binding) {
            this.verifier = verifier;
            this.plus = plus;
            this.binding = binding;
        }

        /** Answers server-first-message. Throws {@link ProtocolViolation}. */
        String first(String clientFirst) {
            int firstComma = clientFirst.indexOf(',');
            int secondComma = clientFirst.indexOf(',', firstComma + 1);
            if (firstComma < 1 || secondComma < 0) {
                throw new ProtocolViolation("malformed SCRAM message");
            }
            gs2 = clientFirst.substring(0, secondComma + 1);
            String flag = clientFirst.substring(0, firstComma);
            if (plus) {
                if (!flag.equals(BOUND)) {
                    throw new ProtocolViolation("unsupported SCRAM channel-binding type");
                }
            } else if (flag.equals("y") && binding != null) {
                throw new ProtocolViolation("SCRAM channel binding negotiation error");
            } else if (!flag.equals("n") && !flag.equals("y")) {
                throw new ProtocolViolation("malformed SCRAM message");
            }
            clientFirstBare = clientFirst.substring(secondComma + 1);
            String clientNonce = "";
            for (String attribute : clientFirstBare.split(",", -1)) {
                if (attribute.startsWith("m=")) {
                    throw new ProtocolViolation("client requires an unsupported SCRAM extension");
                }
                if (attribute.startsWith("r=")) {
                    clientNonce = attribute.substring(2);
                }
            }
            if (clientNonce.isEmpty()) {
                throw new ProtocolViolation("malformed SCRAM message");
            }
            nonce = clientNonce + nonce();
            serverFirst = "r=" + nonce + ",s=" + base64(verifier.salt()) + ",i=" + verifier.iterations();
            return serverFirst;
        }

        /** Answers what the proof proved, or null when it proved nothing. Throws {@link ProtocolViolation}. */
        @Nullable
        Proven last(String clientFinal) {
            int proofAt = clientFinal.lastIndexOf(",p=");
            if (proofAt < 0) {
                throw new ProtocolViolation("malformed SCRAM message");
            }
            String withoutProof = clientFinal.substring(0, proofAt);
            byte[] header = gs2.getBytes(StandardCharsets.UTF_8);
            byte[] bound = plus && binding != null ? concat(header, binding) : header;
            String expected = "c=" + base64(bound) + ",r=" + nonce;
            if (!withoutProof.equals(expected)) {
                throw new ProtocolViolation(
                        withoutProof.startsWith("c=" + base64(bound) + ",")
                                ? "SCRAM nonce does not match"
                                : "SCRAM channel binding check failed");
            }
            byte[] proof;
            try {
                proof = Base64.getDecoder().decode(clientFinal.substring(proofAt + 3));
            } catch (IllegalArgumentException e) {
                throw new ProtocolViolation("malformed SCRAM message");
            }
            if (proof.length != 32) {
                throw new ProtocolViolation("malformed SCRAM message");
            }
            String authMessage = clientFirstBare + "," + serverFirst + "," + withoutProof;
            byte[] clientKey = xor(proof, hmac(verifier.storedKey(), ascii(authMessage)));
            if (!MessageDigest.isEqual(sha256(clientKey), verifier.storedKey())) {
                return null;
            }
            return new Proven(clientKey, "v=" + base64(hmac(verifier.serverKey(), ascii(authMessage))));
        }
    }

    /** A proof that held. */
    record Proven(byte[] clientKey, String serverFinal) {}

    /**
     * The mechanism that a client's end takes, and how that binds its proof to the TLS connection (RFC 5802, section 6).
     *
     * @param gs2 tells the server which of the two sides does not bind: who has struck -PLUS from its offer on the way is found out by it
     * @param data what the proof is bound to; empty: nothing
     */
    record Choice(String mechanism, String gs2, byte[] data) {
        private static final byte[] NOTHING = {};
        static final Choice UNBOUND = new Choice(MECHANISM, "n,,", NOTHING);

        /** {@code binding}: that of the server's certificate; empty: without TLS, or the certificate has none. Null: nothing is offered that is known here. */
        static @Nullable Choice of(List<String> offered, byte[] binding) {
            boolean binds = binding.length > 0;
            if (binds && offered.contains(MECHANISM_PLUS)) {
                return new Choice(MECHANISM_PLUS, BOUND + ",,", binding);
            }
            if (!offered.contains(MECHANISM)) {
                return null;
            }
            return binds ? new Choice(MECHANISM, "y,,", NOTHING) : UNBOUND;
        }

        private byte[] shown() {
            return concat(ascii(gs2), data);
        }
    }

    /** The client's end of one exchange, with a password or with a key recovered from a client's proof. */
    static final class Client {
        private final Credential credential;
        private final Choice choice;
        private final String clientNonce = nonce();
        private String authMessage = "";
        private byte[] serverKey = new byte[0];

        Client(Credential credential, Choice choice) {
            this.credential = credential;
            this.choice = choice;
        }

        String first() {
            return choice.gs2() + "n=,r=" + clientNonce;
        }

        /** What is to be derived first; null: nothing. Throws {@link ProtocolViolation}. */
        @Nullable
        Salting salting(String serverFirst) {
            return credential instanceof Credential.Password password
                    ? new Salting(
                            password.secret(),
                            attribute(serverFirst, 's'),
                            Integer.parseInt(attribute(serverFirst, 'i')))
                    : null;
        }

        /**
         * Answers client-final-message. Throws {@link ProtocolViolation} with why it cannot.
         *
         * @param salted what was to be derived
         */
        String last(String serverFirst, byte @Nullable [] salted) {
            String nonce = attribute(serverFirst, 'r');
            byte[] salt = Base64.getDecoder().decode(attribute(serverFirst, 's'));
            int iterations = Integer.parseInt(attribute(serverFirst, 'i'));
            if (!nonce.startsWith(clientNonce)) {
                throw new ProtocolViolation("the server's SCRAM nonce does not begin with the proxy's");
            }
            byte[] clientKey;
            byte[] storedKey;
            switch (credential) {
                case Credential.Keys keys -> {
                    Verifier verifier = keys.verifier();
                    if (iterations != verifier.iterations() || !MessageDigest.isEqual(salt, verifier.salt())) {
                        throw new ProtocolViolation(
                                "the server stores another SCRAM verifier of this user than the one it was authenticated with");
                    }
                    clientKey = keys.clientKey();
                    storedKey = verifier.storedKey();
                    serverKey = verifier.serverKey();
                }
                case Credential.Password _ -> {
                    if (salted == null) {
                        throw new ProtocolViolation("malformed SCRAM message of the server");
                    }
                    clientKey = hmac(salted, ascii("Client Key"));
                    storedKey = sha256(clientKey);
                    serverKey = hmac(salted, ascii("Server Key"));
                }
                case Credential.Md5 _ ->
                    throw new ProtocolViolation("the server asks for SCRAM and only an md5 verifier is known");
                case Credential.None _ ->
                    throw new ProtocolViolation("the server asks for a password and none is known");
            }
            String withoutProof = "c=" + base64(choice.shown()) + ",r=" + nonce;
            authMessage = "n=,r=" + clientNonce + "," + serverFirst + "," + withoutProof;
            byte[] proof = xor(clientKey, hmac(storedKey, ascii(authMessage)));
            return withoutProof + ",p=" + base64(proof);
        }

        /** Throws {@link ProtocolViolation} where the server does not know the verifier either. */
        void verify(String serverFinal) {
            String expected = base64(hmac(serverKey, ascii(authMessage)));
            if (!expected.equals(attribute(serverFinal, 'v'))) {
                throw new ProtocolViolation("the server's SCRAM signature is wrong");
            }
        }

        private static String attribute(String message, char name) {
            for (String attribute : message.split(",", -1)) {
                if (attribute.length() > 1 && attribute.charAt(0) == name && attribute.charAt(1) == '=') {
                    return attribute.substring(2);
                }
            }
            throw new ProtocolViolation("malformed SCRAM message of the server");
        }
    }

    /** A password as one server stores it, to be derived: a server says how many times, and that may take long. */
    record Salting(Secret password, String salt, int iterations) {
        byte[] derive() {
            return saltedPassword(password.reveal(), Base64.getDecoder().decode(salt), iterations);
        }
    }

    /** SASLprep as far as it changes anything in practice: NFKC and odd spaces; what cannot be prepared is used as it is, as the server does. */
    private static String prepare(String password) {
        if (password.chars().allMatch(c -> c < 0x80)) {
            return password;
        }
        return Normalizer.normalize(password.replaceAll("\\p{Zs}", " "), Normalizer.Form.NFKC);
    }

    private static byte[] saltedPassword(String password, byte[] salt, int iterations) {
        try {
            var spec = new PBEKeySpec(prepare(password).toCharArray(), salt, iterations, 256);
            return SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
                    .generateSecret(spec)
                    .getEncoded();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    static byte[] hmac(byte[] key, byte[] data) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac.doFinal(data);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[] sha256(byte[] data) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(data);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String nonce() {
        byte[] bytes = new byte[18];
        RANDOM.nextBytes(bytes);
        return base64(bytes);
    }

    private static byte[] xor(byte[] a, byte[] b) {
        byte[] result = new byte[a.length];
        for (int i = 0; i < result.length; i++) {
            result[i] = (byte) (a[i] ^ b[i]);
        }
        return result;
    }

    private static byte[] concat(byte[] a, byte[] b) {
        byte[] result = java.util.Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, result, a.length, b.length);
        return result;
    }

    private static String base64(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}

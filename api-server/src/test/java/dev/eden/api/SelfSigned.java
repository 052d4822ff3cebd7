package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.Base64;
import java.util.UUID;

/** A key with a certificate for localhost, signed by itself, which is its own authority. The JDK makes none but with its own tool. */
public record SelfSigned(KeyStore store) {
    private static final String ALIAS = "eden";
    private static final String PASSWORD = "changeit";

    /** @param algorithm {@code EC} or {@code RSA}; {@code folder} keeps a file with it */
    public static SelfSigned make(Path folder, String algorithm) throws Exception {
        Path file = folder.resolve(UUID.randomUUID() + ".p12");
        Process made = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        ALIAS,
                        "-keyalg",
                        algorithm,
                        "-dname",
                        "CN=localhost",
                        "-ext",
                        "SAN=dns:localhost",
                        "-storetype",
                        "PKCS12",
                        "-storepass",
                        PASSWORD,
                        "-keystore",
                        file.toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        assertThat(made.waitFor()).isZero();
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            store.load(in, PASSWORD.toCharArray());
        }
        return new SelfSigned(store);
    }

    public Certificate certificate() throws Exception {
        return store.getCertificate(ALIAS);
    }

    public char[] password() {
        return PASSWORD.toCharArray();
    }

    public Path writeCertificate(Path file) throws Exception {
        return pem(file, "CERTIFICATE", certificate().getEncoded());
    }

    public Path writeKey(Path file) throws Exception {
        return pem(file, "PRIVATE KEY", store.getKey(ALIAS, password()).getEncoded());
    }

    private static Path pem(Path file, String label, byte[] der) throws IOException {
        String text = Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII))
                .encodeToString(der);
        return Files.writeString(file, "-----BEGIN " + label + "-----\n" + text + "\n-----END " + label + "-----\n");
    }
}

package dev.eden.activities.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** A private authority, and what it has signed for localhost. */
public final class TestAuthority {
    private static final String PASSWORD = "changeit";

    private final Path directory;
    private final KeyStore keys;

    private TestAuthority(Path directory, KeyStore keys) {
        this.directory = directory;
        this.keys = keys;
    }

    public static TestAuthority make(Path directory)
            throws IOException, GeneralSecurityException, InterruptedException {
        Path store = directory.resolve("keys.p12");
        keytool(store, "ca", "CN=A private authority", "-ext", "bc:critical=ca:true");
        keytool(store, "server", "CN=localhost", "-ext", "san=dns:localhost", "-signer", "ca");
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, PASSWORD.toCharArray());
        }
        TestAuthority made = new TestAuthority(directory, keys);
        Files.writeString(made.file(), made.certificate("ca"));
        return made;
    }

    /** Its own certificate, PEM. */
    public Path file() {
        return directory.resolve("ca.pem");
    }

    /** Turns TLS on. Answers where the authority's certificate is on that server's machine, readable by the server. */
    public Path encrypt(EmbeddedPostgres server) throws IOException, GeneralSecurityException {
        var key = keys.getKey("server", PASSWORD.toCharArray());
        put(server, "server.key", pem("PRIVATE KEY", key.getEncoded()));
        put(server, "server.crt", certificate("server"));
        Path authority = put(server, "authority.crt", certificate("ca"));
        try (PostgresSession session =
                PostgresSession.connect(PostgresServers.endpoint("s", server), "test", PostgresServers.LIMIT)) {
            session.execute("ALTER SYSTEM SET ssl = on");
            session.execute("SELECT pg_reload_conf()");
        }
        await().until(() -> {
            try (PostgresSession session =
                    PostgresSession.connect(PostgresServers.endpoint("s", server), "test", PostgresServers.LIMIT)) {
                return session.text("SHOW ssl").orElseThrow().equals("on");
            }
        });
        return authority;
    }

    private String certificate(String alias) throws GeneralSecurityException {
        return pem("CERTIFICATE", keys.getCertificate(alias).getEncoded());
    }

    private static String pem(String kind, byte[] content) {
        String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content);
        return "-----BEGIN " + kind + "-----\n" + body + "\n-----END " + kind + "-----\n";
    }

    private static Path put(EmbeddedPostgres server, String name, String content) throws IOException {
        Path file = server.dataDir().resolve(name);
        Files.writeString(file, content);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        Files.setOwner(file, Files.getOwner(server.dataDir()));
        return file;
    }

    private static void keytool(Path store, String alias, String name, String... more)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                alias,
                "-keyalg",
                "EC",
                "-dname",
                name,
                "-storetype",
                "PKCS12",
                "-keystore",
                store.toString(),
                "-storepass",
                PASSWORD));
        command.addAll(List.of(more));
        Process keytool = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(keytool.waitFor()).as(said).isZero();
    }
}

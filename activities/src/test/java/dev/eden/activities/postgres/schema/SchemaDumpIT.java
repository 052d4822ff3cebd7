package dev.eden.activities.postgres.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.eden.activities.postgres.EdenRoles;
import dev.eden.activities.postgres.EdenSchema;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresServers;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.store.Endpoint;
import dev.eden.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.util.Base64;
import java.util.List;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SchemaDumpIT {
    private static final String PASSWORD = "changeit";

    /** Servers whose certificate Eden's own connections accept are dumped too, without files in anybody's home. */
    @Test
    void trustsWhomThisProcessTrusts(@TempDir Path directory) throws Exception {
        assumeTrue(ClientTools.find(15, 15).isPresent(), "no pg_dump on this host");
        Path store = directory.resolve("server.p12");
        certificate(store);
        Properties before = (Properties) System.getProperties().clone();
        try (var servers = PostgresServers.start(15, 15);
                PostgresSession source = servers.own("source");
                PostgresSession target = servers.own("target")) {
            System.setProperty("javax.net.ssl.trustStore", store.toString());
            System.setProperty("javax.net.ssl.trustStorePassword", PASSWORD);
            Pair pair = new Pair(
                    PostgresServers.MIGRATION,
                    "source",
                    "target",
                    id -> overTls(servers.endpoint(id)),
                    servers.records);
            for (String id : List.of("source", "target")) {
                encrypt(servers.server(id), store);
                try (PostgresSession session = servers.own(id)) {
                    session.execute("ALTER SYSTEM SET ssl = on");
                    session.execute("SELECT pg_reload_conf()");
                }
                try (PostgresSession session = servers.own(id)) {
                    EdenRoles.create(session, PostgresServers.MIGRATION, servers.endpoint(id), servers.records);
                    EdenSchema.create(session, pair.names());
                    await().until(() -> session.text("SHOW ssl").orElseThrow().equals("on"));
                }
            }
            source.execute("CREATE AGGREGATE public.total (int) (SFUNC = int4pl, STYPE = int)");
            new SchemaDump(pair).copy(source, target);
            assertThat(SchemaDump.done(target, pair.names())).isTrue();
            assertThat(target.is("SELECT to_regprocedure('public.total(integer)') IS NOT NULL"))
                    .isTrue();
        } finally {
            System.setProperties(before);
        }
    }

    private static Endpoint overTls(Endpoint plain) {
        return new Endpoint(
                plain.id(), plain.engine(), "localhost", plain.port(), true, plain.login(), plain.database());
    }

    private static void certificate(Path store) throws IOException, InterruptedException {
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        "server",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=localhost",
                        "-ext",
                        "san=dns:localhost",
                        "-storetype",
                        "PKCS12",
                        "-keystore",
                        store.toString(),
                        "-storepass",
                        PASSWORD)
                .redirectErrorStream(true)
                .start();
        String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(keytool.waitFor()).as(said).isZero();
    }

    private static void encrypt(EmbeddedPostgres server, Path store) throws IOException, GeneralSecurityException {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, PASSWORD.toCharArray());
        }
        Key key = keys.getKey("server", PASSWORD.toCharArray());
        pem(server, "server.key", "PRIVATE KEY", key.getEncoded());
        pem(server, "server.crt", "CERTIFICATE", keys.getCertificate("server").getEncoded());
    }

    private static void pem(EmbeddedPostgres server, String name, String kind, byte[] content) throws IOException {
        Path file = server.dataDir().resolve(name);
        String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content);
        Files.writeString(file, "-----BEGIN " + kind + "-----\n" + body + "\n-----END " + kind + "-----\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        Files.setOwner(file, Files.getOwner(server.dataDir()));
    }
}

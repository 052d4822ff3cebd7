package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.proxy.PostgresProxyConfig.Pooling;
import dev.eden.proxy.postgres.PgWire;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.io.InputStream;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The ways in: who can log in to the proxy, and as whom it logs in to servers. */
class PostgresLoginIT extends PostgresFixture {
    @TempDir
    private static Path files;

    @BeforeAll
    void users() throws Exception {
        for (var server : new dev.eden.embedded.EmbeddedPostgres[] {source, target}) {
            Path rules = server.dataDir().resolve("pg_hba.conf");
            Files.writeString(
                    rules,
                    "host all old 127.0.0.1/32 md5\nhost all open 127.0.0.1/32 trust\n"
                            + "hostssl all bound 127.0.0.1/32 scram-sha-256\nhost all bound 127.0.0.1/32 reject\n"
                            + Files.readString(rules));
            try (Connection at = direct(server)) {
                run(at, "CREATE ROLE open LOGIN");
                run(at, "CREATE ROLE salted LOGIN PASSWORD 'pepper'");
                run(at, "SELECT pg_reload_conf()");
            }
        }
    }

    private static TlsFiles certificate() throws Exception {
        return SelfSigned.make(files).files();
    }

    @Test
    void md5VerifiersAndTrustedUsers() throws Exception {
        start(config -> config.withTrusted(Set.of("open")));
        try (Connection old = client("user", "old", "password", "elderly")) {
            assertThat(one(old, "SELECT current_user")).isEqualTo("old");
        }
        assertThatThrownBy(() -> client("user", "old", "password", "young"))
                .isInstanceOfSatisfying(
                        SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("28P01"));
        try (Connection open = client("user", "open", "password", "")) {
            assertThat(one(open, "SELECT current_user")).isEqualTo("open");
        }
    }

    @Test
    void encryptedWithAndWithoutChannelBinding() throws Exception {
        TlsFiles tls = certificate();
        start(config -> config.withTls(tls));
        for (String binding : new String[] {"disable", "prefer", "require"}) {
            try (Connection client = client("sslmode", "require", "channelBinding", binding)) {
                assertThat(one(client, "SELECT repeat('x', 200000)")).hasSize(200_000);
            }
        }
        try (Connection client = client("sslmode", "require", "sslNegotiation", "direct")) {
            assertThat(one(client, "SELECT 1")).isEqualTo("1");
        }
        try (Connection client = client("sslmode", "disable")) {
            assertThat(one(client, "SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void aRenewedCertificateIsShownWithoutARestartAndABadOneIsNot() throws Exception {
        TlsFiles tls = certificate();
        TlsFiles next = certificate();
        // Older than what it replaces, as a file that was moved there may be.
        Files.setLastModifiedTime(next.certificateChain(), FileTime.from(Instant.EPOCH));
        Files.setLastModifiedTime(next.privateKey(), FileTime.from(Instant.EPOCH));
        X509Certificate first = read(tls.certificateChain());
        X509Certificate second = read(next.certificateChain());
        start(config -> config.withTls(tls));
        try (Connection open = client("sslmode", "require", "channelBinding", "require")) {
            assertThat(shown()).isEqualTo(first);

            // A key that is not the certificate's, for longer than the proxy takes to look.
            Files.move(next.certificateChain(), tls.certificateChain(), StandardCopyOption.REPLACE_EXISTING);
            await().during(Duration.ofMillis(1_500))
                    .atMost(Duration.ofSeconds(20))
                    .untilAsserted(() -> assertThat(shown()).isEqualTo(first));

            Files.move(next.privateKey(), tls.privateKey(), StandardCopyOption.REPLACE_EXISTING);
            await().untilAsserted(() -> assertThat(shown()).isEqualTo(second));
            try (Connection client = client("sslmode", "require", "channelBinding", "require")) {
                assertThat(one(client, "SELECT 1")).as("bound to the new one").isEqualTo("1");
            }
            assertThat(one(open, "SELECT 1")).as("a connection of before").isEqualTo("1");
        }
    }

    private static X509Certificate read(Path chain) throws Exception {
        try (InputStream in = Files.newInputStream(chain)) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
    }

    private X509Certificate shown() throws Exception {
        return shownBy(proxy.port());
    }

    /** What a client that trusts everybody is shown. */
    private static X509Certificate shownBy(int port) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, InsecureTrustManagerFactory.INSTANCE.getTrustManagers(), null);
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", port)) {
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setApplicationProtocols(new String[] {"postgresql"});
            socket.setSSLParameters(parameters);
            socket.startHandshake();
            return (X509Certificate) socket.getSession().getPeerCertificates()[0];
        }
    }

    private static InterlayUsers users(String... namesAndPasswords) {
        Map<String, InterlayUsers.User> users = new HashMap<>();
        for (int i = 0; i < namesAndPasswords.length; i += 2) {
            users.put(namesAndPasswords[i], InterlayUsers.User.of(new Secret(namesAndPasswords[i + 1])));
        }
        return new InterlayUsers(users, new Secret("common"));
    }

    /** With a login of Eden's that may not read the users' verifiers. */
    private static Backend unreadable(String name, dev.eden.embedded.EmbeddedPostgres server) {
        return new Backend(
                name, "127.0.0.1", server.port(), false, null, new Backend.Login("app", new Secret("pencil")), "eden");
    }

    @Test
    void aConfiguredUserWhereVerifiersCannotBeRead() throws Exception {
        store = new MemoryRouteStore(MemoryRouteStore.route(unreadable("source", source), null));
        store.users = users("salted", "pepper", "old", "elderly");
        proxy = PostgresProxy.start(config("p1"), store, new SimpleMeterRegistry());
        try (Connection salted = client("user", "salted", "password", "pepper");
                Connection old = client("user", "old", "password", "elderly")) {
            assertThat(one(salted, "SELECT current_user")).isEqualTo("salted");
            assertThat(one(old, "SELECT current_user"))
                    .as("of a server that asks for md5")
                    .isEqualTo("old");
            assertThatThrownBy(() -> client("user", "salted", "password", "wrong"))
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("28P01"));
            assertThatThrownBy(PostgresLoginIT.this::client)
                    .as("a user that is none of those")
                    .isInstanceOfSatisfying(SQLException.class, e -> {
                        assertThat(e.getSQLState()).isEqualTo("28000");
                        assertThat(e.getMessage()).contains("pg_authid");
                    });

            client("user", "salted", "password", "pepper").close(); // which is remembered
            store.users = users("app", "pencil");
            await().ignoreExceptions().untilAsserted(() -> client().close());
            assertThatThrownBy(() -> client("user", "salted", "password", "pepper"))
                    .as("taken away")
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("28000"));
            assertThat(one(salted, "SELECT current_user"))
                    .as("a session of before")
                    .isEqualTo("salted");
        }
    }

    /** The two servers store different verifiers of one password, which no key of a client's proof fits. */
    @Test
    void aConfiguredUserGoesOverToAServerWithAnotherVerifier() throws Exception {
        TlsFiles tls = certificate();
        start(config -> config.withTls(tls));
        try (Connection before = client("user", "salted", "password", "pepper")) {
            assertThat(one(before, "SELECT inet_server_port()")).isEqualTo(Integer.toString(source.port()));
            store.users = users("salted", "pepper");
            await().untilAsserted(() -> assertThat(firstOfSalted("salted")).contains(",s=" + saltGiven("salted")));
            try (Connection client = client("user", "salted", "password", "pepper");
                    Connection bound = client(
                            "user",
                            "salted",
                            "password",
                            "pepper",
                            "sslmode",
                            "require",
                            "channelBinding",
                            "require")) {
                for (Connection one : List.of(client, bound)) {
                    assertThat(one(one, "SELECT current_user")).isEqualTo("salted");
                }
                hold();
                flip();
                for (Connection one : List.of(before, client, bound)) {
                    assertThat(one(one, "SELECT inet_server_port()")).isEqualTo(Integer.toString(target.port()));
                }
            }
        }
        try (Connection client = client("user", "salted", "password", "pepper")) {
            assertThat(one(client, "SELECT inet_server_port()")).isEqualTo(Integer.toString(target.port()));
        }
        assertThatThrownBy(() -> client("user", "salted", "password", "wrong"))
                .isInstanceOfSatisfying(
                        SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("28P01"));
    }

    /** Of what the interlay has of the user now. */
    private String saltGiven(String user) {
        InterlayUsers.User given = Objects.requireNonNull(store.users.byName().get(user));
        return given.verifier().reveal().split("[$:]")[2];
    }

    /** Else whoever asks two of them knows who exists. */
    @Test
    void twoProxiesShowTheSameSalts() throws Exception {
        start(config -> config);
        store.users = users("salted", "pepper");
        String known = saltGiven("salted");
        try (PostgresProxy second = PostgresProxy.start(config("p2"), store, new SimpleMeterRegistry())) {
            await().untilAsserted(() -> assertThat(firstOfSalted("salted")).contains(",s=" + known));
            for (String user : List.of("salted", "nobody")) {
                assertThat(firstOfSalted(second.port(), user).replaceFirst(".*,s=", ""))
                        .isEqualTo(firstOfSalted(user).replaceFirst(".*,s=", ""));
            }
        }
    }

    /** Its connections in the pool would serve whoever has the password. */
    @Test
    void aConfiguredUserThatTheServerHasNoMoreIsNotLetIn() throws Exception {
        start(config -> config);
        store.users = users("dropped", "right");
        try (Connection at = direct(source)) {
            run(at, "CREATE ROLE dropped LOGIN PASSWORD 'right'");
            await().untilAsserted(() -> assertThat(firstOfSalted("dropped")).contains(",s=" + saltGiven("dropped")));
            client("user", "dropped", "password", "right").close();
            run(at, "DROP ROLE dropped");
            store.users = users("dropped", "right"); // with another verifier: the role is looked at again
            await().ignoreExceptions()
                    .untilAsserted(() -> assertThatThrownBy(() -> client("user", "dropped", "password", "right"))
                            .isInstanceOfSatisfying(
                                    SQLException.class,
                                    e -> assertThat(e.getSQLState()).isEqualTo("28P01")));
        }
    }

    @Test
    void theServersNologinCountsForAConfiguredUser() throws Exception {
        start(config -> config);
        store.users = users("dismissed", "right");
        try (Connection at = direct(source)) {
            run(at, "CREATE ROLE dismissed LOGIN PASSWORD 'right'");
            await().untilAsserted(
                            () -> assertThat(firstOfSalted("dismissed")).contains(",s=" + saltGiven("dismissed")));
            client("user", "dismissed", "password", "right").close();
            run(at, "ALTER ROLE dismissed NOLOGIN");
            store.users = users("dismissed", "right"); // with another verifier: the role is looked at again
            await().untilAsserted(
                            () -> assertThat(firstOfSalted("dismissed")).contains(",s=" + saltGiven("dismissed")));
            assertThatThrownBy(() -> client("user", "dismissed", "password", "right"))
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("28000"))
                    .hasMessageContaining("is not permitted to log in");
        }
    }

    /** That nobody answers says nothing of how the user proves itself. */
    @Test
    void whereTheServerIsAwayItsAbsenceIsTold() throws Exception {
        int nobody;
        try (ServerSocket closed = new ServerSocket(0)) {
            nobody = closed.getLocalPort();
        }
        Backend.Login eden = new Backend.Login("eden", new Secret("of Eden"));
        store = new MemoryRouteStore(
                MemoryRouteStore.route(new Backend("source", "127.0.0.1", nobody, false, null, eden, "eden"), null));
        TlsFiles tls = certificate();
        proxy = PostgresProxy.start(config("p1").withTls(tls), store, new SimpleMeterRegistry());
        for (String mode : List.of("disable", "require")) {
            // A driver that must bind the channel is not asked for the password itself.
            String binding = mode.equals("require") ? "require" : "disable";
            assertThatThrownBy(() -> client("sslmode", mode, "channelBinding", binding))
                    .as(mode)
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("08001"))
                    .hasMessageContaining("cannot reach server");
        }
    }

    @Test
    void aRoleWithoutLoginHearsSoOnceItHasProvedItself() throws Exception {
        start(config -> config);
        try (Connection at = direct(source)) {
            run(at, "CREATE ROLE barred NOLOGIN PASSWORD 'right'");
            run(at, "SET password_encryption = md5");
            run(at, "CREATE ROLE barred_of_old NOLOGIN PASSWORD 'right'");
        }
        for (String user : List.of("barred", "barred_of_old")) {
            assertThatThrownBy(() -> client("user", user, "password", "wrong"))
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("28P01"));
            assertThatThrownBy(() -> client("user", user, "password", "right"))
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("28000"))
                    .hasMessageContaining("is not permitted to log in");
        }
    }

    /** Whom the server does not know is asked as others are. */
    @Test
    void thatNobodyHasANameIsNotSeenByWhatIsAsked() throws Exception {
        start(config -> config);
        try (Connection at = direct(source)) {
            run(at, "ALTER ROLE " + source.user() + " SET scram_iterations = 5000");
            try {
                assertThat(firstOfSalted("nobody")).endsWith(",i=5000");
                assertThat(firstOfSalted("salted")).endsWith(",i=4096");
            } finally {
                run(at, "ALTER ROLE " + source.user() + " RESET scram_iterations");
            }
        }
    }

    private String firstOfSalted(String user) throws Exception {
        return firstOfSalted(proxy.port(), user);
    }

    private static String firstOfSalted(int port, String user) throws Exception {
        byte[] first = "n,,n=,r=nonce".getBytes(StandardCharsets.UTF_8);
        ByteBuffer response = ByteBuffer.allocate(64)
                .put("SCRAM-SHA-256\0".getBytes(StandardCharsets.UTF_8))
                .putInt(first.length)
                .put(first);
        try (PgWire wire = new PgWire(port)) {
            wire.startup(3 << 16, Map.of("user", user, "database", "eden"));
            assertThat(wire.read().type()).isEqualTo('R');
            wire.add('p', Arrays.copyOf(response.array(), response.position())).send();
            return wire.read().text();
        }
    }

    @Test
    void aPasswordOverTlsWhereNothingElseWorks() throws Exception {
        store = new MemoryRouteStore(MemoryRouteStore.route(bare("source", source), bare("target", target)));
        TlsFiles tls = certificate();
        proxy = PostgresProxy.start(config("p1").withTls(tls), store, new SimpleMeterRegistry());
        assertThatThrownBy(() -> client("user", "salted", "password", "pepper"))
                .isInstanceOfSatisfying(
                        SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("28000"));
        assertThatThrownBy(() -> client("user", "salted", "password", "salt", "sslmode", "require"))
                .isInstanceOfSatisfying(
                        SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("28P01"));
        try (Connection client = client("user", "salted", "password", "pepper", "sslmode", "require")) {
            assertThat(one(client, "SELECT current_user")).isEqualTo("salted");
            hold();
            flip();
            assertThat(one(client, "SELECT inet_server_port()")).isEqualTo(Integer.toString(target.port()));
        }
        assertThatThrownBy(() -> client("user", "salted", "password", "salt", "sslmode", "require"))
                .isInstanceOf(SQLException.class);
    }

    /** Nobody reads the users' verifiers: what the server says of a login is all there is. */
    /** Who trusts the proxy's address trusts whoever says a name to it, unless the proxy minds. */
    @Test
    void aServerThatAsksForNothingProvesNoPassword() throws Exception {
        store = new MemoryRouteStore(MemoryRouteStore.route(bare("source", source), bare("target", target)));
        TlsFiles tls = certificate();
        proxy = PostgresProxy.start(config("p1").withTls(tls), store, new SimpleMeterRegistry());
        assertThatThrownBy(() -> client("user", "open", "password", "anything", "sslmode", "require"))
                .isInstanceOfSatisfying(
                        SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("28P01"))
                .hasMessageContaining("without a look at the password");
    }

    @Test
    void aPasswordThatWasRightOnceIsProvedAnew() throws Exception {
        store = new MemoryRouteStore(MemoryRouteStore.route(bare("source", source), bare("target", target)));
        TlsFiles tls = certificate();
        proxy = PostgresProxy.start(
                config("p1").withTls(tls).withPool(Pooling.TRANSACTION, 1).withEventLoops(1),
                store,
                new SimpleMeterRegistry());
        try (Connection at = direct(source)) {
            run(at, "CREATE ROLE limited LOGIN PASSWORD 'second'");
            clear("limited", "second").close();
            run(at, "ALTER ROLE limited CONNECTION LIMIT 1");
            run(at, "CREATE ROLE fickle LOGIN PASSWORD 'first'");
            clear("fickle", "first").close();
            run(at, "ALTER ROLE fickle PASSWORD 'second'");
            assertRefused("fickle", "wrong", "28P01");
            assertRefused("fickle", "first", "28P01"); // for the server has refused one
            clear("fickle", "second").close();
            run(at, "ALTER ROLE fickle NOLOGIN");
            await().atMost(Duration.ofSeconds(90))
                    .pollInterval(Duration.ofSeconds(1))
                    .untilAsserted(() -> assertRefused("fickle", "second", "28000"));
            // As old a proof, and no connection left to ask by: that says nothing against it.
            clear("limited", "second").close();
            assertRefused("limited", "wrong", "28P01");
        }
    }

    private Connection clear(String user, String password) throws SQLException {
        return client("user", user, "password", password, "sslmode", "require");
    }

    private void assertRefused(String user, String password, String state) {
        assertThatThrownBy(() -> clear(user, password).close())
                .isInstanceOfSatisfying(
                        SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo(state));
    }

    private static Backend bare(String name, dev.eden.embedded.EmbeddedPostgres server) {
        return new Backend(name, "127.0.0.1", server.port(), false, null, null, "eden");
    }

    @Test
    void serversAreVerified() throws Exception {
        TlsFiles own = certificate();
        encrypt(own);
        serve(source.port());
        assertThatThrownBy(this::client)
                .isInstanceOf(SQLException.class)
                .hasMessageContaining("TLS with the server failed");
        proxy.close();
        Authorities.trust(own.certificateChain());
        serve(source.port());
        try (Connection client = client()) {
            assertThat(one(client, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))
                    .isEqualTo("t");
        }
    }

    @Test
    void proofsAreBoundToTheServersCertificate() throws Exception {
        SelfSigned own = SelfSigned.make(files);
        SelfSigned other = SelfSigned.make(files);
        encrypt(own.files());
        try (Connection at = direct(source)) {
            run(at, "CREATE ROLE bound LOGIN PASSWORD 'pencil'");
        }
        Path trusted = files.resolve("both.pem");
        Files.writeString(
                trusted,
                Files.readString(own.files().certificateChain())
                        + Files.readString(other.files().certificateChain()));
        Authorities.trust(trusted);
        serve(source.port());
        try (Connection client = client("user", "bound")) {
            assertThat(one(client, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))
                    .isEqualTo("t");
        }
        proxy.close();
        try (TlsInBetween listener = new TlsInBetween(other.context(), source.port(), own.context())) {
            serve(listener.port());
            assertThatThrownBy(() -> client("user", "bound"))
                    .isInstanceOf(SQLException.class)
                    .hasMessageContaining("SCRAM channel binding check failed");
            proxy.close();
        }
        try (TlsInBetween balancer = new TlsInBetween(other.context(), source.port(), null)) {
            serve(balancer.port());
            try (Connection client = client()) {
                assertThat(one(client, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))
                        .as("a server that can bind nothing is told that the proxy could")
                        .isEqualTo("f");
            }
        }
    }

    private void serve(int port) {
        store = new MemoryRouteStore(MemoryRouteStore.route(overTls(port), null));
        proxy = PostgresProxy.start(config("p1"), store, new SimpleMeterRegistry());
    }

    private Backend overTls(int port) {
        return new Backend(
                "source",
                "127.0.0.1",
                port,
                true,
                null,
                new Backend.Login(source.user(), new Secret(source.password())),
                "eden");
    }

    /** The source shows this from now on. */
    private void encrypt(TlsFiles shown) throws Exception {
        Path data = source.dataDir();
        for (var file : Map.of("server.crt", shown.certificateChain(), "server.key", shown.privateKey())
                .entrySet()) {
            Path copy = Files.copy(file.getValue(), data.resolve(file.getKey()), StandardCopyOption.REPLACE_EXISTING);
            Files.setPosixFilePermissions(copy, java.nio.file.attribute.PosixFilePermissions.fromString("rw-------"));
            Files.setOwner(copy, Files.getOwner(data));
        }
        X509Certificate certificate = read(shown.certificateChain());
        try (Connection at = direct(source)) {
            run(at, "ALTER SYSTEM SET ssl_cert_file = 'server.crt'");
            run(at, "ALTER SYSTEM SET ssl_key_file = 'server.key'");
            run(at, "ALTER SYSTEM SET ssl = on");
            run(at, "SELECT pg_reload_conf()");
        }
        await().ignoreExceptions().until(() -> certificate.equals(shownBy(source.port())));
    }

    @Test
    void anotherVerifierOnTheOtherSideIsSaid() throws Exception {
        start(config -> config);
        try (Connection client = client("user", "salted", "password", "pepper")) {
            assertThat(one(client, "SELECT current_user")).isEqualTo("salted");
            hold();
            flip();
            assertThatThrownBy(() -> run(client, "SELECT 1"))
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getMessage()).contains("another SCRAM verifier"));
        }
        try (Connection client = client("user", "salted", "password", "pepper")) {
            assertThat(one(client, "SELECT inet_server_port()")).isEqualTo(Integer.toString(target.port()));
        }
    }

    @Test
    void aChangedPasswordIsNoticed() throws Exception {
        start(config -> config.withPool(Pooling.TRANSACTION, 2));
        try (Connection at = direct(source)) {
            run(at, "DROP ROLE IF EXISTS changing");
            run(at, "CREATE ROLE changing LOGIN PASSWORD 'before'");
            client("user", "changing", "password", "before").close();
            run(at, "ALTER ROLE changing PASSWORD 'after'");
            assertThatThrownBy(() -> client("user", "changing", "password", "after"))
                    .isInstanceOf(SQLException.class);
            client("user", "changing", "password", "after").close();
            assertThatThrownBy(() -> client("user", "changing", "password", "before"))
                    .isInstanceOf(SQLException.class);
        }
    }
}

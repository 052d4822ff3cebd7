package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.JedisPubSub;
import redis.clients.jedis.Pipeline;
import redis.clients.jedis.Response;
import redis.clients.jedis.exceptions.JedisConnectionException;

/** Clients that speak TLS with the proxy have what plain ones have; others are sent away. */
class RedisTlsIT extends RedisFixture {
    @TempDir
    private static Path folder;

    @SuppressWarnings("NullAway.Init")
    private SelfSigned shown;

    @SuppressWarnings("NullAway.Init")
    private SelfSigned other;

    @SuppressWarnings("NullAway.Init")
    private SimpleMeterRegistry meters;

    @SuppressWarnings("NullAway.Init")
    private RedisProxy secure;

    @BeforeAll
    void certificates() throws Exception {
        shown = SelfSigned.make(folder);
        other = SelfSigned.make(folder);
    }

    /** Takes the place of the fixture's, so that the attempts are its own. */
    @BeforeEach
    void startWithTls() {
        proxy.close();
        meters = new SimpleMeterRegistry();
        secure = RedisProxy.start(config("p2").withTls(shown.files()), store, meters);
    }

    @AfterEach
    void endWithTls() {
        secure.close();
    }

    private Jedis jedis(SSLContext context) {
        SSLParameters parameters = new SSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        return new Jedis(
                new HostAndPort("localhost", secure.port()),
                DefaultJedisClientConfig.builder()
                        .ssl(true)
                        .sslSocketFactory(context.getSocketFactory())
                        .sslParameters(parameters)
                        .timeoutMillis(20_000)
                        .build());
    }

    /** @param beneath what carries the records */
    private Wire encrypted(Socket beneath, int port) throws Exception {
        SSLSocket socket =
                (SSLSocket) shown.context().getSocketFactory().createSocket(beneath, "localhost", port, true);
        socket.setSoTimeout(20_000);
        socket.startHandshake();
        return new Wire(socket);
    }

    private Wire encrypted() throws Exception {
        return encrypted(new Socket("127.0.0.1", secure.port()), secure.port());
    }

    private double failures() {
        FunctionCounter counter = meters.find("eden_proxy_events_total")
                .tag("event", "tls_failed")
                .functionCounter();
        return counter == null ? -1 : counter.count();
    }

    // ---- what clients do

    @Test
    void aClientsLibraryHasAllThatItHasWithout() throws Exception {
        try (Jedis client = jedis(shown.context())) {
            assertThat(client.set("a", "1")).isEqualTo("OK");
            assertThat(client.get("a")).isEqualTo("1");
            List<Response<Long>> numbers = new ArrayList<>();
            try (Pipeline pipeline = client.pipelined()) {
                for (int i = 0; i < 20_000; i++) {
                    numbers.add(pipeline.incr("n"));
                }
            }
            for (int i = 0; i < numbers.size(); i++) {
                assertThat(numbers.get(i).get()).isEqualTo(i + 1L);
            }
            // A record of TLS holds 16 KiB at most.
            for (int size : new int[] {16_383, 16_384, 16_385, 1_100_000, 20_000_000}) {
                String value = "x".repeat(size - 1) + "y";
                client.set("big", value);
                assertThat(atSource.get("big")).isEqualTo(value);
                assertThat(client.get("big")).isEqualTo(value);
            }
            var transaction = client.multi();
            transaction.incr("m");
            transaction.incr("m");
            assertThat(transaction.exec()).containsExactly(1L, 2L);
        }
        await().until(() -> secure.clients() == 0);
        await().until(() -> failures() == 0);
    }

    @Test
    void aSubscriberHearsEverythingInOrder() throws Exception {
        List<String> heard = new ArrayList<>();
        JedisPubSub listener = new JedisPubSub() {
            @Override
            public void onMessage(String channel, String message) {
                heard.add(message);
                if (message.equals("last")) {
                    unsubscribe();
                }
            }
        };
        try (Jedis client = jedis(shown.context())) {
            Thread subscriber = Thread.ofVirtual().start(() -> client.subscribe(listener, "c"));
            await().until(() ->
                    Long.valueOf(1).equals(atSource.pubsubNumSub("c").get("c")));
            for (int i = 0; i < 500; i++) {
                atSource.publish("c", i + "x".repeat(i * 20));
            }
            atSource.publish("c", "last");
            assertThat(subscriber.join(Duration.ofSeconds(30))).isTrue();
            assertThat(heard).hasSize(501);
            for (int i = 0; i < 500; i++) {
                assertThat(heard.get(i)).isEqualTo(i + "x".repeat(i * 20));
            }
            assertThat(client.ping()).isEqualTo("PONG");
        }
    }

    @Test
    void recordsAndRequestsAreCutAnywhere() throws Exception {
        try (Wire client = encrypted(new Chopped("127.0.0.1", secure.port()), secure.port())) {
            byte[] request = Wire.encode("SET", "cut", "some value");
            for (int at = 1; at < request.length; at++) {
                client.raw(java.util.Arrays.copyOf(request, at));
                client.raw(java.util.Arrays.copyOfRange(request, at, request.length));
                assertThat(client.read()).isEqualTo("+OK");
            }
            ByteArrayOutputStream many = new ByteArrayOutputStream();
            for (int i = 0; i < 3_000; i++) {
                many.write(Wire.encode("RPUSH", "list", "item " + i));
            }
            client.raw(many.toByteArray());
            for (int i = 0; i < 3_000; i++) {
                assertThat(client.read()).isEqualTo(":" + (i + 1));
            }
            assertThat(client.call("ECHO", "x".repeat(100_000))).hasSize(100_000);
        }
    }

    /** Sends what it is given in pieces of a few bytes. */
    private static final class Chopped extends Socket {
        Chopped(String host, int port) throws IOException {
            super(host, port);
            setTcpNoDelay(true);
        }

        @Override
        public OutputStream getOutputStream() throws IOException {
            return new FilterOutputStream(super.getOutputStream()) {
                @Override
                public void write(byte[] bytes, int from, int length) throws IOException {
                    int end = from + length;
                    for (int at = from, piece = 1; at < end; at += piece, piece = piece % 977 + 13) {
                        out.write(bytes, at, Math.min(piece, end - at));
                    }
                }
            };
        }
    }

    // ---- attempts

    @Test
    void connectionsAreKeptThereAndBackAgain() throws Exception {
        try (Jedis idle = jedis(shown.context());
                Wire blocked = encrypted();
                Wire subscriber = encrypted();
                Wire transaction = encrypted()) {
            idle.set("a", "source");
            assertThat(subscriber.call("SUBSCRIBE", "c")).isEqualTo("[subscribe, c, :1]");
            blocked.send("BLPOP", "q", "0");
            assertThat(transaction.call("MULTI")).isEqualTo("+OK");
            assertThat(transaction.call("INCR", "n")).isEqualTo("+QUEUED");
            await().until(() -> atSource.info("clients").contains("blocked_clients:1"));
            for (Jedis side : List.of(atTarget, atSource)) {
                hold();
                transaction.send("INCR", "n");
                assertThat(transaction.silent(Duration.ofMillis(50))).isTrue();
                flip();
                assertThat(transaction.read()).isEqualTo("+QUEUED");
                await().until(() -> side.publish("c", "on") == 1);
                assertThat(subscriber.read()).isEqualTo("[message, c, on]");
                await().until(() -> side.info("clients").contains("blocked_clients:1"));
                idle.set("side", "here");
                assertThat(side.get("side")).isEqualTo("here");
                side.del("side");
            }
            atSource.rpush("q", "x");
            assertThat(blocked.read()).isEqualTo("[q, x]");
            assertThat(transaction.call("EXEC")).isEqualTo("[:1, :2, :3]");
            assertThat(secure.clients()).isEqualTo(4);
        }
    }

    @Test
    void aFloodedSubscriberDoesNotHoldTheFlipUp() throws Exception {
        try (Wire flooded = encrypted()) {
            assertThat(flooded.call("SUBSCRIBE", "c")).isEqualTo("[subscribe, c, :1]");
            hold();
            await().until(() -> atTarget.publish("c", "first") == 1);
            for (int i = 0; i < 20; i++) {
                atTarget.publish("c", "x".repeat(1 << 20));
            }
            await().until(() -> atTarget.clientList()
                    .lines()
                    .filter(line -> line.contains(" sub=1 "))
                    .allMatch(line -> line.contains(" omem=0 ")));
            flip();
            assertThatThrownBy(flooded::read).isInstanceOf(IOException.class);
        }
    }

    @Test
    void whatIsSaidLastIsHeard() throws Exception {
        try (Wire quits = encrypted();
                Wire errs = encrypted();
                Wire stays = encrypted()) {
            assertThat(quits.call("QUIT")).isEqualTo("+OK");
            assertThatThrownBy(quits::read).isInstanceOf(EOFException.class);
            errs.raw("*1\r\n!3\r\nfoo\r\n".getBytes(StandardCharsets.US_ASCII));
            assertThat(errs.read()).isEqualTo("-ERR Protocol error: expected '$', got '!'");
            assertThatThrownBy(errs::read).isInstanceOf(EOFException.class);
            assertThat(stays.call("PING")).isEqualTo("+PONG");
            secure.close();
            assertThatThrownBy(stays::read).isInstanceOf(EOFException.class);
        }
    }

    // ---- memory

    /** As without TLS: see {@link RedisProxyIT}. */
    @Test
    void aSlowReaderIsWaitedForAndAStuckOneClosed() throws Exception {
        atSource.set("big", "x".repeat(1_000_000));
        RedisProxyConfig usual = oneConnection("p5").withTls(shown.files());
        RedisProxyConfig.Limits d = usual.limits();
        RedisProxyConfig impatient = new RedisProxyConfig(
                usual.identity(),
                usual.interlay(),
                usual.listen(),
                1,
                1,
                10,
                usual.tls(),
                new RedisProxyConfig.Limits(
                        3,
                        d.largeRequest(),
                        d.inputBytes(),
                        1 << 20,
                        Duration.ofSeconds(2),
                        d.totalBytes(),
                        d.recordedBytes(),
                        d.connectTimeout()));
        try (RedisProxy limited = RedisProxy.start(impatient, store, new SimpleMeterRegistry());
                Socket beneath = new Socket("127.0.0.1", limited.port());
                Wire slow = encrypted(beneath, limited.port());
                Wire stuck = encrypted(new Socket("127.0.0.1", limited.port()), limited.port());
                Wire third = encrypted(new Socket("127.0.0.1", limited.port()), limited.port())) {
            for (int i = 0; i < 30; i++) {
                slow.send("GET", "big");
            }
            await().until(() -> beneath.getInputStream().available() > 100_000);
            for (int i = 0; i < 30; i++) {
                assertThat(slow.read()).hasSize(1_000_000);
            }
            for (int i = 0; i < 60; i++) {
                stuck.send("GET", "big");
            }
            assertThat(third.call("SET", "a", "1")).isEqualTo("+OK");
            await().atMost(Duration.ofSeconds(30)).until(() -> limited.clients() == 2);
            assertThat(slow.call("GET", "a")).isEqualTo("1");

            // One more than may be there hears nothing: it has shown no TLS yet.
            Wire fourth = encrypted(new Socket("127.0.0.1", limited.port()), limited.port());
            assertThatThrownBy(() -> encrypted(new Socket("127.0.0.1", limited.port()), limited.port()))
                    .isInstanceOf(IOException.class);
            fourth.close();
        }
    }

    // ---- who is sent away

    @Test
    void aPlainClientIsToldWhatIsWrong() throws Exception {
        try (Wire plain = connect(secure.port())) {
            assertThat(plain.call("AUTH", "secret")).isEqualTo("-ERR eden: clients speak TLS here, and nothing else");
            assertThatThrownBy(plain::read).isInstanceOf(IOException.class);
        }
        try (Wire inline = connect(secure.port())) {
            inline.raw("PING\r\n".getBytes(StandardCharsets.US_ASCII));
            assertThat(inline.read()).startsWith("-ERR eden: clients speak TLS here");
        }
        try (Socket broken = new Socket("127.0.0.1", secure.port())) {
            broken.setSoTimeout(20_000);
            broken.getOutputStream().write(new byte[] {0x16, 'G', 'E', 'T', ' ', '/', '\r', '\n'});
            drain(broken);
        }
        await().until(() -> secure.clients() == 0);
        await().until(() -> failures() == 3);
        try (Jedis client = jedis(shown.context())) {
            assertThat(client.ping()).isEqualTo("PONG");
        }
    }

    @Test
    void aClientThatTrustsAnotherAuthorityHangsUp() throws Exception {
        SSLContext mistaken = other.context();
        assertThatThrownBy(() -> jedis(mistaken).close())
                .isInstanceOf(JedisConnectionException.class)
                .hasCauseInstanceOf(SSLHandshakeException.class);
        await().until(() -> secure.clients() == 0 && failures() == 1);
    }

    @Test
    void aHandshakeThatDoesNotComeIsNotWaitedForLong() throws Exception {
        try (Socket silent = new Socket("127.0.0.1", secure.port())) {
            await().until(() -> secure.clients() == 1);
            silent.setSoTimeout(30_000);
            drain(silent);
            await().until(() -> secure.clients() == 0);
        }
    }

    @Test
    void theEndOfTheTlsIsTheEndOfTheConnection() throws Exception {
        Socket beneath = new Socket("127.0.0.1", secure.port());
        SSLSocket socket =
                (SSLSocket) shown.context().getSocketFactory().createSocket(beneath, "localhost", secure.port(), false);
        Wire client = new Wire(socket);
        assertThat(client.call("PING")).isEqualTo("+PONG");
        socket.close();
        assertThat(beneath.isClosed()).isFalse();
        await().until(() -> secure.clients() == 0);
        beneath.close();
    }

    /** Until the other side hangs up. */
    private static void drain(Socket socket) throws IOException {
        InputStream in = socket.getInputStream();
        try {
            in.readAllBytes();
        } catch (java.net.SocketTimeoutException e) {
            throw e;
        } catch (IOException reset) {
            // it hung up with something unread
        }
    }

    // ---- certificates

    @Test
    void aRenewedCertificateIsShownWithoutARestartAndABadOneIsNot() throws Exception {
        SelfSigned renewed = SelfSigned.make(folder);
        TlsFiles files = SelfSigned.make(folder).files();
        X509Certificate first = read(files);
        try (RedisProxy own = RedisProxy.start(config("p3").withTls(files), store, new SimpleMeterRegistry())) {
            assertThat(shownBy(own)).isEqualTo(first);

            // A key that is not the certificate's, for longer than the proxy takes to look.
            Files.copy(
                    renewed.files().certificateChain(), files.certificateChain(), StandardCopyOption.REPLACE_EXISTING);
            await().during(Duration.ofMillis(1_500))
                    .atMost(Duration.ofSeconds(20))
                    .untilAsserted(() -> assertThat(shownBy(own)).isEqualTo(first));

            Files.copy(renewed.files().privateKey(), files.privateKey(), StandardCopyOption.REPLACE_EXISTING);
            await().untilAsserted(() -> assertThat(shownBy(own)).isEqualTo(renewed.certificate()));
        }
    }

    @Test
    void aProxyWhoseFilesCanNotBeShownDoesNotStart() {
        TlsFiles missing =
                new TlsFiles(folder.resolve("nothing.crt"), shown.files().privateKey());
        assertThatThrownBy(() -> RedisProxy.start(config("p4").withTls(missing), store, new SimpleMeterRegistry()))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining(missing.certificateChain() + " can't be read");
    }

    private static X509Certificate read(TlsFiles files) throws Exception {
        try (InputStream in = Files.newInputStream(files.certificateChain())) {
            return (X509Certificate)
                    java.security.cert.CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
    }

    /** What a client that trusts everybody is shown. */
    private static X509Certificate shownBy(RedisProxy own) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, InsecureTrustManagerFactory.INSTANCE.getTrustManagers(), null);
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", own.port())) {
            socket.startHandshake();
            return (X509Certificate) socket.getSession().getPeerCertificates()[0];
        } catch (SSLException e) {
            throw new IllegalStateException(e);
        }
    }
}

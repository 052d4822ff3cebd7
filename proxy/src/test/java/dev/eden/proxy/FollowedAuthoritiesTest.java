package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

class FollowedAuthoritiesTest {
    private final Logger logger = (Logger) LoggerFactory.getLogger(FollowedAuthorities.class);
    private final ListAppender<ILoggingEvent> said = new ListAppender<>();

    @TempDir
    private Path folder;

    @BeforeEach
    void listen() {
        said.start();
        logger.addAppender(said);
        logger.setLevel(Level.INFO);
    }

    @AfterEach
    void leave() {
        logger.detachAppender(said);
    }

    @Test
    void aContextOfBeforeGoesByWhatTheFileHoldsNow() throws Exception {
        SelfSigned first = SelfSigned.make(folder);
        SelfSigned second = SelfSigned.make(folder);
        Path pem = Files.copy(first.files().certificateChain(), folder.resolve("authorities.pem"));
        String algorithm = TrustManagerFactory.getDefaultAlgorithm();
        FollowedAuthorities followed = new FollowedAuthorities(
                pem, algorithm, TrustManagerFactory.getInstance(algorithm).getProvider());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {followed}, null);
        SSLSocketFactory kept = context.getSocketFactory();
        try (SSLServerSocket old = AuthoritiesTest.server(first);
                SSLServerSocket renewed = AuthoritiesTest.server(second)) {
            AuthoritiesTest.connect(kept, old.getLocalPort());
            assertThatThrownBy(() -> AuthoritiesTest.connect(kept, renewed.getLocalPort()))
                    .isInstanceOf(SSLHandshakeException.class);
            Files.copy(second.files().certificateChain(), pem, StandardCopyOption.REPLACE_EXISTING);
            await().ignoreExceptions().untilAsserted(() -> AuthoritiesTest.connect(kept, renewed.getLocalPort()));
        }
        assertThat(lines()).containsExactly("INFO the authorities of the changed file " + pem + " are trusted");

        Files.writeString(pem, "hunter2");
        await().untilAsserted(() -> {
            assertThat(followed.getAcceptedIssuers()).contains(second.certificate());
            assertThat(lines()).hasSize(2);
        });
        assertThat(lines().getLast())
                .isEqualTo("ERROR the changed file of authorities can't be used, the former ones are trusted: " + pem
                        + " can't be read as PEM");
        // Others than before, whose TLS sessions could be resumed without a look.
        try (SSLServerSocket old = AuthoritiesTest.server(first);
                SSLServerSocket renewed = AuthoritiesTest.server(second)) {
            AuthoritiesTest.connect(kept, renewed.getLocalPort());
            assertThatThrownBy(() -> AuthoritiesTest.connect(kept, old.getLocalPort()))
                    .isInstanceOf(SSLHandshakeException.class);
        }
    }

    private List<String> lines() {
        return said.list.stream()
                .map(event -> event.getLevel() + " " + event.getFormattedMessage())
                .toList();
    }
}

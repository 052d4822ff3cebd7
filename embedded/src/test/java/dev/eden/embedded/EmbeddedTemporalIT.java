package dev.eden.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.temporal.api.operatorservice.v1.ListSearchAttributesRequest;
import io.temporal.serviceclient.OperatorServiceStubs;
import io.temporal.serviceclient.OperatorServiceStubsOptions;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedTemporalIT {
    private static final EmbeddedTemporal.Options OPTIONS = EmbeddedTemporal.Options.defaults()
            .withSearchAttribute("EdenPhase", EmbeddedTemporal.AttributeType.KEYWORD);

    @Test
    void theTestServerSaysWhatItLacks() {
        try (var temporal = EmbeddedTemporal.start(OPTIONS.withForm(EmbeddedTemporal.Form.TEST_SERVER))) {
            assertThat(temporal.durable()).isFalse();
            assertThat(temporal.uiUrl()).isEmpty();
            assertThat(temporal.address()).startsWith("127.0.0.1:");
            assertThatThrownBy(temporal::kill).isInstanceOf(UnsupportedOperationException.class);
        }
    }

    @Test
    void aConfiguredAddressComesFirst() {
        try (var running = EmbeddedTemporal.start(OPTIONS.withForm(EmbeddedTemporal.Form.TEST_SERVER));
                var temporal = EmbeddedTemporal.start(OPTIONS.withAddress(running.address()))) {
            assertThat(temporal.address()).isEqualTo(running.address());
            assertThat(temporal.process()).isEmpty();
        }
    }

    @Test
    void theDevServerSurvivesKillsWithItsFile(@TempDir Path dir) throws Exception {
        assumeTrue(
                EmbeddedTemporal.devServerBinary().isPresent(),
                "SKIPPED: no temporal binary on this machine (infra/temporal/build makes one where Go is)");
        var options = OPTIONS.withForm(EmbeddedTemporal.Form.DEV_SERVER).withDbFile(dir.resolve("temporal.db"));
        try (var temporal = EmbeddedTemporal.start(options)) {
            assertThat(temporal.durable()).isTrue();
            assertThat(keywordAttributes(temporal)).contains("EdenPhase");
            var ui = (HttpURLConnection)
                    URI.create(temporal.uiUrl().orElseThrow()).toURL().openConnection();
            assertThat(ui.getResponseCode()).isEqualTo(200);

            temporal.kill();
            assertThat(temporal.process().orElseThrow().isAlive()).isFalse();
            temporal.restart();
            assertThat(keywordAttributes(temporal)).contains("EdenPhase");

            temporal.suspend();
            temporal.resume();
            assertThat(keywordAttributes(temporal)).contains("EdenPhase");
            assertThat(temporal.process().orElseThrow().awaitExit(Duration.ZERO))
                    .isFalse();
        }
    }

    private static Iterable<String> keywordAttributes(EmbeddedTemporal temporal) {
        OperatorServiceStubs service = OperatorServiceStubs.newServiceStubs(OperatorServiceStubsOptions.newBuilder()
                .setTarget(temporal.address())
                .validateAndBuildWithDefaults());
        try {
            return service.blockingStub()
                    .listSearchAttributes(ListSearchAttributesRequest.newBuilder()
                            .setNamespace("default")
                            .build())
                    .getCustomAttributesMap()
                    .keySet();
        } finally {
            service.shutdownNow();
        }
    }
}

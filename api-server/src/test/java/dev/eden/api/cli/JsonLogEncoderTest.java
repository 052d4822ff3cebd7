package dev.eden.api.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.slf4j.event.KeyValuePair;

/** What collectors of logs rely on: a line is an event, an event is a line, and whose it is stands in it. */
class JsonLogEncoderTest {
    private static final String PARENT = "00-" + "a".repeat(32) + "-" + "b".repeat(16) + "-01";

    private final JsonLogEncoder encoder = new JsonLogEncoder();

    @Test
    void anEventIsOneLineOfJsonWithTheIdsOfItsRequest() throws Exception {
        LoggingEvent event = event("cutover attempt ended", null);
        event.setMDCPropertyMap(Map.of("request", "r1", "traceparent", PARENT));
        event.addKeyValuePair(new KeyValuePair("pause_micros", 41_500));
        event.addKeyValuePair(new KeyValuePair("committed", true));
        event.addKeyValuePair(new KeyValuePair("migration", "m"));
        JsonNode line = line(event);
        assertThat(line.path("message").textValue()).isEqualTo("cutover attempt ended");
        assertThat(line.path("level").textValue()).isEqualTo("INFO");
        assertThat(line.path("at").textValue()).isEqualTo("1970-01-01T00:00:01.234Z");
        assertThat(line.path("request").textValue()).isEqualTo("r1");
        assertThat(line.path("traceparent").textValue()).isEqualTo(PARENT);
        assertThat(line.path("migration").textValue()).isEqualTo("m");
        assertThat(line.path("pause_micros").isIntegralNumber()).isTrue();
        assertThat(line.path("committed").isBoolean()).isTrue();
    }

    @Test
    void whateverAMessageHoldsItStaysOneLineAndComesBack() throws Exception {
        String nasty =
                "say \"no\"\\ \r\n{\"level\":\"ERROR\"}\t\u0000\u001b[31m\u007f\u0085\u2028\u2029 ü \ud83d\ude00";
        LoggingEvent event = event(nasty, new IllegalStateException(nasty));
        event.setMDCPropertyMap(Map.of("request", nasty));
        event.addKeyValuePair(new KeyValuePair("reason\n", nasty));
        JsonNode line = line(event);
        assertThat(line.path("message").textValue()).isEqualTo(nasty);
        assertThat(line.path("request").textValue()).isEqualTo(nasty);
        assertThat(line.path("reason\n").textValue()).isEqualTo(nasty);
        assertThat(line.path("exception").textValue()).contains("IllegalStateException", "JsonLogEncoderTest");
        assertThat(line.path("level").textValue()).isEqualTo("INFO");
    }

    @Test
    void noKeyOfAnEventStandsInForWhatTheLineSaysItself() throws Exception {
        LoggingEvent event = event("true", null);
        event.setMDCPropertyMap(Map.of("request", "r1"));
        event.addKeyValuePair(new KeyValuePair("message", "false"));
        event.addKeyValuePair(new KeyValuePair("request", "r2"));
        JsonNode line = line(event);
        assertThat(line.path("message").textValue()).isEqualTo("true");
        assertThat(line.path("request").textValue()).isEqualTo("r1");
    }

    private static LoggingEvent event(String message, @Nullable Throwable failure) {
        LoggerContext context = new LoggerContext();
        LoggingEvent event = new LoggingEvent(
                JsonLogEncoderTest.class.getName(), context.getLogger("dev.eden"), Level.INFO, message, failure, null);
        event.setTimeStamp(1_234);
        return event;
    }

    /** Strict: nothing behind the object but the one end of line, no control character raw. */
    private JsonNode line(LoggingEvent event) throws Exception {
        String text = new String(encoder.encode(event), StandardCharsets.UTF_8);
        assertThat(text).endsWith("}\n");
        assertThat(text.substring(0, text.length() - 1)).doesNotContain("\n", "\r", "\u0000", "\u001b");
        return new ObjectMapper()
                .enable(com.fasterxml.jackson.databind.DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .readTree(text);
    }
}

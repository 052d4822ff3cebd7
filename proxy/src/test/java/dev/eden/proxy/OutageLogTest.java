package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class OutageLogTest {
    private static final RuntimeException AWAY = new IllegalStateException(
            "in SELECT 1 [arguments: x]", new IllegalArgumentException("connection refused\n\tat some.Class.method"));

    private final Logger logger = (Logger) LoggerFactory.getLogger("an outage");
    private final ListAppender<ILoggingEvent> said = new ListAppender<>();
    private long now = Long.MAX_VALUE - 5;
    private final OutageLog log =
            new OutageLog(logger, "the store cannot be read", "the store can be read again", () -> now);

    @BeforeEach
    void listen() {
        said.start();
        logger.addAppender(said);
        logger.setLevel(ch.qos.logback.classic.Level.INFO);
    }

    @AfterEach
    void leave() {
        logger.detachAppender(said);
    }

    @Test
    void saysItAtOnceThenOnceAMinuteAndWhenItIsOver() {
        log.answered();
        for (int half = 0; half <= 300; half++) {
            log.failed(AWAY);
            now += Duration.ofMillis(500).toNanos();
        }
        log.answered();
        log.answered();
        assertThat(lines())
                .containsExactly(
                        "WARN the store cannot be read; trying again",
                        "WARN the store cannot be read, for 60 s and 121 tries by now; trying again",
                        "WARN the store cannot be read, for 120 s and 241 tries by now; trying again",
                        "INFO the store can be read again, after 150 s and 301 tries in vain");
        assertThat(said.list)
                .allSatisfy(event -> assertThat(event.getThrowableProxy()).isNull());
        assertThat(said.list.getFirst().getKeyValuePairs())
                .singleElement()
                .satisfies(pair -> assertThat(pair.value).isEqualTo("connection refused"));
        log.failed(AWAY);
        assertThat(lines())
                .as("another outage")
                .hasSize(5)
                .last()
                .isEqualTo("WARN the store cannot be read; trying again");
    }

    private List<String> lines() {
        return said.list.stream()
                .map(event -> event.getLevel() + " " + event.getFormattedMessage())
                .toList();
    }
}

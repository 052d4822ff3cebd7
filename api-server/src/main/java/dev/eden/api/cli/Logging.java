package dev.eden.api.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.Encoder;
import dev.eden.api.config.Configuration;
import dev.eden.api.config.Setting;
import org.slf4j.LoggerFactory;
import org.slf4j.bridge.SLF4JBridgeHandler;

/** Logs go to standard error, as lines or one JSON object each. */
final class Logging {
    private Logging() {}

    static void configure(Configuration configuration) {
        if (!(LoggerFactory.getILoggerFactory() instanceof LoggerContext context)) {
            return;
        }
        context.reset();
        boolean json = "json".equals(configuration.text(Setting.LOG_FORMAT));
        Encoder<ILoggingEvent> encoder = json ? new JsonLogEncoder() : plain();
        encoder.setContext(context);
        encoder.start();
        ConsoleAppender<ILoggingEvent> appender = new ConsoleAppender<>();
        appender.setContext(context);
        appender.setTarget("System.err");
        appender.setEncoder(encoder);
        appender.start();
        Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        root.setLevel(Level.WARN);
        root.addAppender(appender);
        context.getLogger("dev.eden").setLevel(Level.toLevel(configuration.text(Setting.LOG_LEVEL), Level.INFO));
        // Says what the SDK's own retries are about to mend, with stack traces.
        context.getLogger("io.temporal").setLevel(Level.ERROR);
        context.getLogger("io.grpc").setLevel(Level.ERROR);
        // With a trace, what those who use the pool say in a line.
        context.getLogger("com.zaxxer.hikari").setLevel(Level.ERROR);
        context.getLogger("org.glassfish.jersey").setLevel(Level.ERROR);
        // What libraries (Jersey, the PostgreSQL driver) say by java.util.logging takes the same form.
        SLF4JBridgeHandler.removeHandlersForRootLogger();
        SLF4JBridgeHandler.install();
    }

    /** Warns of what looks like a setting and is none. */
    static void unknownVariables(Configuration configuration) {
        configuration.unknownVariables().forEach(LoggerFactory.getLogger(Logging.class)::warn);
    }

    private static PatternLayoutEncoder plain() {
        PatternLayoutEncoder encoder = new PatternLayoutEncoder();
        encoder.setPattern("%d{HH:mm:ss.SSS} %-5level %logger{0} %msg %kvp{NONE} %mdc%n%ex");
        return encoder;
    }
}

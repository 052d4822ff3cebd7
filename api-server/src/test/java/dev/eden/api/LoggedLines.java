package dev.eden.api;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.AppenderBase;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/** Everything that is logged in this process, Eden's own down to the last detail, and all that hangs on the throwables of it. */
final class LoggedLines extends AppenderBase<ILoggingEvent> implements AutoCloseable {
    private final StringBuffer lines = new StringBuffer();
    private final StringBuffer throwables = new StringBuffer();
    private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    private final Logger own = (Logger) LoggerFactory.getLogger("dev.eden");
    private final Level rootBefore = root.getLevel();
    private final @Nullable Level ownBefore = own.getLevel();

    static LoggedLines open() {
        LoggedLines opened = new LoggedLines();
        opened.setContext(opened.root.getLoggerContext());
        opened.start();
        opened.root.addAppender(opened);
        opened.root.setLevel(Level.INFO);
        opened.own.setLevel(Level.TRACE);
        return opened;
    }

    @Override
    public void close() {
        root.detachAppender(this);
        root.setLevel(rootBefore);
        own.setLevel(ownBefore);
    }

    @Override
    protected void append(ILoggingEvent event) {
        lines.append(event.getFormattedMessage())
                .append(' ')
                .append(event.getKeyValuePairs())
                .append(event.getMDCPropertyMap());
        if (event.getThrowableProxy() != null) {
            lines.append(ThrowableProxyUtil.asString(event.getThrowableProxy()));
        }
        lines.append('\n');
        if (event.getThrowableProxy() instanceof ThrowableProxy proxy) {
            throwables.append(ObjectGraph.text(proxy.getThrowable()));
        }
    }

    String text() {
        return lines.toString();
    }

    /** Of causes, of what is suppressed and of fields, private ones too: a tool that shows exceptions may show them. */
    String throwables() {
        return throwables.toString();
    }
}

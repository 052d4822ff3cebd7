package dev.eden.proxy;

import java.time.Duration;
import java.util.function.LongSupplier;
import org.slf4j.Logger;

/**
 * What a loop says of something that is away while it tries again and again: at once, then at most once a minute for how long and how often, and once
 * when it is back. One thread's.
 */
public final class OutageLog {
    private static final long SAY_AGAIN_NANOS = Duration.ofMinutes(1).toNanos();

    private final Logger logger;
    private final String away;
    private final String back;
    private final LongSupplier nanoClock;
    private long failures;
    private long sinceNanos;
    private long saidNanos;

    /** @param away and {@code back}: whole statements, such as "the store cannot be read" */
    public OutageLog(Logger logger, String away, String back) {
        this(logger, away, back, System::nanoTime);
    }

    OutageLog(Logger logger, String away, String back, LongSupplier nanoClock) {
        this.logger = logger;
        this.away = away;
        this.back = back;
        this.nanoClock = nanoClock;
    }

    /** It was tried in vain. */
    public void failed(Throwable cause) {
        long now = nanoClock.getAsLong();
        failures++;
        if (failures == 1) {
            sinceNanos = now;
            saidNanos = now;
            logger.atWarn().addKeyValue("problem", problem(cause)).log("{}; trying again", away);
        } else if (now - saidNanos >= SAY_AGAIN_NANOS) {
            saidNanos = now;
            logger.atWarn()
                    .addKeyValue("problem", problem(cause))
                    .log("{}, for {} s and {} tries by now; trying again", away, seconds(now), failures);
        }
        logger.atDebug().setCause(cause).log("{}", away);
    }

    /** It was tried with success. */
    public void answered() {
        if (failures > 0) {
            logger.atInfo().log("{}, after {} s and {} tries in vain", back, seconds(nanoClock.getAsLong()), failures);
            failures = 0;
        }
    }

    private long seconds(long now) {
        return Duration.ofNanos(now - sinceNanos).toSeconds();
    }

    /** Those who pass an exception on add statements, arguments and addresses to it, and some of them whole traces. */
    private static String problem(Throwable thrown) {
        Throwable cause = thrown;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        String message = cause.getMessage();
        return message == null
                ? cause.getClass().getSimpleName()
                : message.lines().filter(line -> !line.isBlank()).findFirst().orElse("");
    }
}

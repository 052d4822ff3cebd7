package dev.eden.api.trace;

import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/** The id of the request on whose behalf a thread works: in the log under {@value #KEY}, in answers as {@value #HEADER}. */
public final class RequestId {
    public static final String HEADER = "X-Request-Id";
    public static final String KEY = "request";

    private static final Pattern ALLOWED = Pattern.compile("[A-Za-z0-9._-]{1,64}");

    private RequestId() {}

    /** What the caller sent, where it is fit for a log; else a new one. */
    static String of(@Nullable String sent) {
        return sent != null && ALLOWED.matcher(sent).matches()
                ? sent
                : UUID.randomUUID().toString();
    }

    public static Optional<String> current() {
        return Optional.ofNullable(MDC.get(KEY));
    }

    /** The same work on another thread: with the id of the thread that calls this. */
    public static Runnable carried(Runnable work) {
        String id = MDC.get(KEY);
        return id == null
                ? work
                : () -> {
                    try (MDC.MDCCloseable _ = MDC.putCloseable(KEY, id)) {
                        work.run();
                    }
                };
    }
}

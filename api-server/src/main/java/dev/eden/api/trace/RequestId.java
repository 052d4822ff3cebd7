package dev.eden.api.trace;

import dev.eden.workflows.Correlation;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/** The id of the request on whose behalf a thread works: in the log under {@value #KEY}, in answers as {@value #HEADER}. */
public final class RequestId {
    public static final String HEADER = "X-Request-Id";
    public static final String KEY = Correlation.REQUEST;

    private RequestId() {}

    /** What the caller sent, where it is fit for a log; else a new one. */
    static String of(@Nullable String sent) {
        return sent != null && Correlation.isRequest(sent)
                ? sent
                : UUID.randomUUID().toString();
    }

    public static Optional<String> current() {
        return Optional.ofNullable(MDC.get(KEY));
    }

    /** The same work on another thread: for the request, and under the span, of the thread that calls this. */
    public static Runnable carried(Runnable work) {
        Map<String, String> context = context();
        return () -> {
            Map<String, String> before = context();
            become(context);
            try {
                work.run();
            } finally {
                become(before);
            }
        };
    }

    /** Request and span of this thread, as far as there are any. */
    static Map<String, String> context() {
        Map<String, String> context = new LinkedHashMap<>();
        for (String key : new String[] {KEY, Traces.KEY}) {
            String value = MDC.get(key);
            if (value != null) {
                context.put(key, value);
            }
        }
        return context;
    }

    static void become(Map<String, String> context) {
        for (String key : new String[] {KEY, Traces.KEY}) {
            String value = context.get(key);
            if (value == null) {
                MDC.remove(key);
            } else {
                MDC.put(key, value);
            }
        }
    }
}

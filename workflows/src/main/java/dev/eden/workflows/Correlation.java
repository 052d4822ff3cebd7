package dev.eden.workflows;

import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/**
 * Request and span on whose behalf a thread works, as they stand in the logging context. In a workflow's thread, whoever propagates that context
 * gives them to every activity that is scheduled next; they decide nothing, so a replay may have others.
 *
 * @param request id of a REST request, fit for a log
 * @param traceparent W3C's, version 00
 */
public record Correlation(
        @Nullable String request, @Nullable String traceparent) {
    /** Of the logging context. */
    public static final String REQUEST = "request";

    /** Of the logging context. */
    public static final String TRACEPARENT = "traceparent";

    private static final Pattern FIT_FOR_A_LOG = Pattern.compile("[A-Za-z0-9._-]{1,64}");
    private static final Pattern PARENT = Pattern.compile("00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}");

    /** Of this thread. */
    public static Correlation current() {
        return new Correlation(MDC.get(REQUEST), MDC.get(TRACEPARENT));
    }

    public static boolean isRequest(@Nullable String text) {
        return text != null && FIT_FOR_A_LOG.matcher(text).matches();
    }

    public static boolean isTraceparent(@Nullable String text) {
        return text != null && PARENT.matcher(text).matches();
    }

    /** Whoever signals past the REST interface may write anything here: what has not the form is left out. */
    Correlation checked() {
        return new Correlation(isRequest(request) ? request : null, isTraceparent(traceparent) ? traceparent : null);
    }

    boolean isNone() {
        return request == null && traceparent == null;
    }

    /** This thread works on their behalf from now on. */
    void become() {
        put(REQUEST, request);
        put(TRACEPARENT, traceparent);
    }

    private static void put(String key, @Nullable String value) {
        if (value == null) {
            MDC.remove(key);
        } else {
            MDC.put(key, value);
        }
    }
}

package dev.eden.api.trace;

import io.temporal.api.common.v1.Payload;
import io.temporal.common.context.ContextPropagator;
import io.temporal.common.converter.DefaultDataConverter;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Carries the id, and the span, of the request that started a migration to its workflow, and from there those of whoever the workflow works for
 * (a command brings its own, see {@code Command}) to every activity's log and span,
 * on any server.
 */
public final class RequestPropagator implements ContextPropagator {
    private static final DefaultDataConverter CONVERTER = DefaultDataConverter.newDefaultInstance();
    private static final String PREFIX = "eden-";

    @Override
    public String getName() {
        return "eden-request";
    }

    @Override
    public Map<String, Payload> serializeContext(Object context) {
        Map<String, Payload> header = new LinkedHashMap<>();
        if (context instanceof Map<?, ?> values) {
            values.forEach((key, value) ->
                    CONVERTER.toPayload(String.valueOf(value)).ifPresent(payload -> header.put(PREFIX + key, payload)));
        }
        return header;
    }

    @Override
    public Object deserializeContext(Map<String, Payload> header) {
        Map<String, String> context = new LinkedHashMap<>();
        for (String key : new String[] {RequestId.KEY, Traces.KEY}) {
            Payload payload = header.get(PREFIX + key);
            if (payload != null) {
                context.put(key, CONVERTER.fromPayload(payload, String.class, String.class));
            }
        }
        return context;
    }

    @Override
    public Object getCurrentContext() {
        return RequestId.context();
    }

    @Override
    @SuppressWarnings("unchecked") // what this class gave
    public void setCurrentContext(Object context) {
        RequestId.become(context instanceof Map<?, ?> values ? (Map<String, String>) values : Map.of());
    }
}

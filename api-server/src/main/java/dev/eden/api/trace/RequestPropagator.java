package dev.eden.api.trace;

import io.temporal.api.common.v1.Payload;
import io.temporal.common.context.ContextPropagator;
import io.temporal.common.converter.DefaultDataConverter;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/** Carries the id of the request that started a migration to its workflow and from there to every activity's log, on any server. */
public final class RequestPropagator implements ContextPropagator {
    private static final DefaultDataConverter CONVERTER = DefaultDataConverter.newDefaultInstance();

    @Override
    public String getName() {
        return "eden-request";
    }

    @Override
    public Map<String, Payload> serializeContext(Object context) {
        return context instanceof String id && !id.isEmpty()
                ? CONVERTER
                        .toPayload(id)
                        .map(payload -> Map.of(getName(), payload))
                        .orElse(Map.of())
                : Map.of();
    }

    @Override
    public Object deserializeContext(Map<String, Payload> header) {
        Payload payload = header.get(getName());
        return payload == null ? "" : CONVERTER.fromPayload(payload, String.class, String.class);
    }

    @Override
    public Object getCurrentContext() {
        @Nullable String id = MDC.get(RequestId.KEY);
        return id == null ? "" : id;
    }

    @Override
    public void setCurrentContext(Object context) {
        if (context instanceof String id && !id.isEmpty()) {
            MDC.put(RequestId.KEY, id);
        } else {
            MDC.remove(RequestId.KEY);
        }
    }
}

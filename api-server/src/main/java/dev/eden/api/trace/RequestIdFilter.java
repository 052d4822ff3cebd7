package dev.eden.api.trace;

import dev.eden.workflows.Correlation;
import io.opentelemetry.api.trace.SpanKind;
import jakarta.annotation.Priority;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerRequestFilter;
import jakarta.ws.rs.container.ContainerResponseContext;
import jakarta.ws.rs.container.ContainerResponseFilter;
import jakarta.ws.rs.container.PreMatching;
import java.util.Map;
import org.slf4j.MDC;

/** First of all filters: even a refused login has an id that its log line and its answer share, and, where traces are on, a span. */
@PreMatching
@Priority(1)
public final class RequestIdFilter implements ContainerRequestFilter, ContainerResponseFilter {
    private static final String SPAN = "eden.span";

    private final Traces traces;

    public RequestIdFilter(Traces traces) {
        this.traces = traces;
    }

    @Override
    public void filter(ContainerRequestContext request) {
        MDC.put(RequestId.KEY, RequestId.of(request.getHeaderString(RequestId.HEADER)));
        if (traces.on()) {
            String parent = request.getHeaderString(Traces.KEY);
            if (Correlation.isTraceparent(parent)) {
                MDC.put(Traces.KEY, parent);
            }
            request.setProperty(
                    SPAN,
                    traces.open(
                            request.getMethod() + " "
                                    + template(request.getUriInfo().getPath()),
                            SpanKind.SERVER,
                            Map.of("http.request.method", request.getMethod())));
        }
    }

    @Override
    public void filter(ContainerRequestContext request, ContainerResponseContext response) {
        RequestId.current().ifPresent(id -> response.getHeaders().putSingle(RequestId.HEADER, id));
        if (request.getProperty(SPAN) instanceof Traces.Open span) {
            span.attribute("http.response.status_code", Integer.toString(response.getStatus()));
            if (response.getStatus() >= 500) {
                span.failed(Integer.toString(response.getStatus()));
            }
            span.close();
        }
        MDC.remove(RequestId.KEY);
        MDC.remove(Traces.KEY);
    }

    /** {@code api/v1/migrations/m/cutover} without what callers chose: ids are every second part. */
    static String template(String path) {
        String[] parts = path.replaceFirst("^/*(api/v1/)?", "").split("/");
        for (int i = 1; i < parts.length; i += 2) {
            if (i == 1 || i == 3) {
                parts[i] = "{id}";
            }
        }
        return "/" + String.join("/", parts);
    }
}

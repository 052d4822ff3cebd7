package dev.eden.api.trace;

import io.opentelemetry.api.trace.SpanKind;
import io.temporal.activity.ActivityExecutionContext;
import io.temporal.activity.ActivityInfo;
import io.temporal.common.interceptors.ActivityInboundCallsInterceptor;
import io.temporal.common.interceptors.ActivityInboundCallsInterceptorBase;
import io.temporal.common.interceptors.WorkerInterceptorBase;
import io.temporal.common.interceptors.WorkflowInboundCallsInterceptor;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A span for each activity, under the request or the run of the workflow that caused it; under an attempt's span what the attempt did. */
public final class ActivityTracing extends WorkerInterceptorBase {
    private final Traces traces;
    private final FlipSpans flips;

    public ActivityTracing(Traces traces, FlipSpans flips) {
        this.traces = traces;
        this.flips = flips;
    }

    @Override
    public WorkflowInboundCallsInterceptor interceptWorkflow(WorkflowInboundCallsInterceptor next) {
        return new WorkflowTracing(traces, next);
    }

    @Override
    public ActivityInboundCallsInterceptor interceptActivity(ActivityInboundCallsInterceptor next) {
        return new ActivityInboundCallsInterceptorBase(next) {
            private @Nullable ActivityInfo info;

            @Override
            public void init(ActivityExecutionContext context) {
                info = context.getInfo();
                super.init(context);
            }

            @Override
            public ActivityOutput execute(ActivityInput input) {
                ActivityInfo activity = info;
                if (activity == null) {
                    return super.execute(input);
                }
                Map<String, String> about = Map.of(
                        "eden.workflow", String.valueOf(activity.getWorkflowId()),
                        "eden.task_queue", String.valueOf(activity.getActivityTaskQueue()),
                        "eden.try", Integer.toString(activity.getAttempt()));
                try (Traces.Open span = traces.open(activity.getActivityType(), SpanKind.CONSUMER, about)) {
                    try {
                        ActivityOutput output = super.execute(input);
                        flips.of(span, output.getResult());
                        return output;
                    } catch (RuntimeException e) {
                        span.failed(e.getClass().getSimpleName());
                        throw e;
                    }
                }
            }
        };
    }
}

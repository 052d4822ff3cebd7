package dev.eden.api.trace;

import dev.eden.workflows.Command;
import dev.eden.workflows.Correlation;
import dev.eden.workflows.MigrationOutcome;
import io.opentelemetry.api.trace.SpanKind;
import io.temporal.common.interceptors.WorkflowInboundCallsInterceptor;
import io.temporal.common.interceptors.WorkflowInboundCallsInterceptorBase;
import io.temporal.common.interceptors.WorkflowOutboundCallsInterceptor;
import io.temporal.common.interceptors.WorkflowOutboundCallsInterceptorBase;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInfo;
import io.temporal.workflow.unsafe.WorkflowUnsafe;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/**
 * A span for each run of a workflow, under the request that started it, and one for each command that it takes, under the request that sent it; what they
 * cause is under them. A run goes on for days, on one server after another, and is replayed: ids come from what is the same everywhere, and a span is
 * sent by whoever comes to its end first, once.
 */
final class WorkflowTracing extends WorkflowInboundCallsInterceptorBase {
    private final Traces traces;
    private @Nullable String starter;
    private @Nullable String self;

    WorkflowTracing(Traces traces, WorkflowInboundCallsInterceptor next) {
        super(next);
        this.traces = traces;
    }

    @Override
    public void init(WorkflowOutboundCallsInterceptor outbound) {
        super.init(new WorkflowOutboundCallsInterceptorBase(outbound) {
            @Override
            public void continueAsNew(ContinueAsNewInput input) {
                ended("continued as new");
                super.continueAsNew(input);
            }
        });
    }

    @Override
    public WorkflowOutput execute(WorkflowInput input) {
        starter = MDC.get(Traces.KEY);
        self = Traces.under(starter, Workflow.getInfo().getRunId());
        if (self != null) {
            MDC.put(Traces.KEY, self);
        }
        WorkflowOutput output = super.execute(input);
        ended(output.getResult() instanceof MigrationOutcome outcome ? outcome.phase() : "");
        return output;
    }

    private void ended(String outcome) {
        WorkflowInfo info = Workflow.getInfo();
        sent(
                info.getWorkflowType(),
                starter,
                self,
                info.getRunStartedTimestampMillis(),
                Map.of(
                        "eden.workflow", info.getWorkflowId(),
                        "eden.run", info.getRunId(),
                        "eden.outcome", outcome));
    }

    @Override
    public UpdateOutput executeUpdate(UpdateInput input) {
        Object[] arguments = taken(input.getUpdateName(), input.getArguments());
        return super.executeUpdate(new UpdateInput(input.getUpdateName(), input.getHeader(), arguments));
    }

    @Override
    public void handleSignal(SignalInput input) {
        Object[] arguments = taken(input.getSignalName(), input.getArguments());
        super.handleSignal(new SignalInput(input.getSignalName(), arguments, input.getEventId(), input.getHeader()));
    }

    private Object[] taken(String name, Object[] arguments) {
        if (arguments.length != 1 || !(arguments[0] instanceof Command command)) {
            return arguments;
        }
        String asker = command.traceparent();
        WorkflowInfo info = Workflow.getInfo();
        long now = Workflow.currentTimeMillis();
        String taken = Traces.under(asker, info.getRunId() + "/" + name + "/" + command.id() + "/" + now);
        if (taken == null) {
            return arguments;
        }
        sent(
                info.getWorkflowType() + "." + name,
                asker,
                taken,
                now,
                Map.of("eden.workflow", info.getWorkflowId(), "eden.run", info.getRunId()));
        return new Object[] {command.askedBy(new Correlation(command.request(), taken))};
    }

    private void sent(
            String name,
            @Nullable String parent,
            @Nullable String span,
            long fromMillis,
            Map<String, String> attributes) {
        if (span != null && !WorkflowUnsafe.isReplaying()) {
            traces.past(
                    parent,
                    span,
                    name,
                    SpanKind.CONSUMER,
                    TimeUnit.MILLISECONDS.toMicros(fromMillis),
                    TimeUnit.MILLISECONDS.toMicros(Workflow.currentTimeMillis()),
                    attributes);
        }
    }
}

package dev.eden.api.temporal;

import dev.eden.api.problem.StartupException;
import dev.eden.api.trace.RequestPropagator;
import dev.eden.workflows.SearchAttributesNeeded;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.temporal.api.operatorservice.v1.AddSearchAttributesRequest;
import io.temporal.api.operatorservice.v1.ListSearchAttributesRequest;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowClientOptions;
import io.temporal.common.converter.DataConverter;
import io.temporal.serviceclient.OperatorServiceStubs;
import io.temporal.serviceclient.OperatorServiceStubsOptions;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One connection to a Temporal server, and the namespace's search attributes. */
public final class TemporalConnection implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(TemporalConnection.class);

    private static final Duration QUIET = Duration.ofSeconds(3);

    private final WorkflowServiceStubs stubs;
    private final WorkflowClient client;
    private final boolean searchAttributes;

    private TemporalConnection(WorkflowServiceStubs stubs, WorkflowClient client, boolean searchAttributes) {
        this.stubs = stubs;
        this.client = client;
        this.searchAttributes = searchAttributes;
    }

    /**
     * {@code address}: {@code host:port}; {@code converter}: of everything that Temporal keeps. Throws {@link StartupException} where nothing
     * answers within {@code patience}; after {@link #QUIET} of it says what is waited for.
     */
    public static TemporalConnection open(
            String address, String namespace, DataConverter converter, Duration patience) {
        WorkflowServiceStubs stubs = WorkflowServiceStubs.newServiceStubs(
                WorkflowServiceStubsOptions.newBuilder().setTarget(address).build());
        if (!connected(stubs, QUIET)) {
            LOGGER.atWarn()
                    .addKeyValue("address", address)
                    .log("waiting for Temporal, for {} s at most", patience.toSeconds());
            if (!connected(stubs, patience.minus(QUIET))) {
                stubs.shutdownNow();
                throw new StartupException(
                        "Temporal at " + address + " can't be reached",
                        "start it, or correct --temporal-address (TEMPORAL_ADDRESS)");
            }
        }
        WorkflowClient client = WorkflowClient.newInstance(
                stubs,
                WorkflowClientOptions.newBuilder()
                        .setNamespace(namespace)
                        .setDataConverter(converter)
                        .setContextPropagators(List.of(new RequestPropagator()))
                        .build());
        return new TemporalConnection(stubs, client, register(address, namespace));
    }

    /** The SDK tries again until then, and says only by an exception that it was in vain. */
    private static boolean connected(WorkflowServiceStubs stubs, Duration within) {
        try {
            stubs.connect(within);
            return true;
        } catch (RuntimeException e) {
            LOGGER.atDebug().setCause(e).log("no answer from Temporal");
            return false;
        }
    }

    public WorkflowClient client() {
        return client;
    }

    /** The namespace knows {@link SearchAttributesNeeded#ALL}: workflows may be started with them. */
    public boolean searchAttributes() {
        return searchAttributes;
    }

    /** Asks the server's health service; false when it does not answer within two seconds. */
    public boolean healthy() {
        try {
            return stubs.blockingStub()
                    .withDeadlineAfter(2, TimeUnit.SECONDS)
                    .getSystemInfo(io.temporal.api.workflowservice.v1.GetSystemInfoRequest.getDefaultInstance())
                    .hasCapabilities();
        } catch (StatusRuntimeException e) {
            // A server without that call (Temporal's in-process test server may be one) does answer.
            return e.getStatus().getCode() == Status.Code.UNIMPLEMENTED;
        }
    }

    @Override
    public void close() {
        stubs.shutdown();
        stubs.awaitTermination(1, TimeUnit.SECONDS);
        stubs.shutdownNow();
    }

    private static boolean register(String address, String namespace) {
        OperatorServiceStubs operator = OperatorServiceStubs.newServiceStubs(
                OperatorServiceStubsOptions.newBuilder().setTarget(address).validateAndBuildWithDefaults());
        try {
            if (registered(operator, namespace)) {
                return true;
            }
            operator.blockingStub()
                    .withDeadlineAfter(10, TimeUnit.SECONDS)
                    .addSearchAttributes(AddSearchAttributesRequest.newBuilder()
                            .setNamespace(namespace)
                            .putAllSearchAttributes(SearchAttributesNeeded.ALL)
                            .build());
            return true;
        } catch (StatusRuntimeException e) {
            if (e.getStatus().getCode() == Status.Code.ALREADY_EXISTS) {
                return true;
            }
            LOGGER.atWarn()
                    .addKeyValue("status", e.getStatus().getCode())
                    .log("search attributes can't be registered; workflows run without them");
            return false;
        } finally {
            operator.shutdownNow();
        }
    }

    /** To ask costs less than to add what is there, for which a server may take seconds. */
    private static boolean registered(OperatorServiceStubs operator, String namespace) {
        try {
            return operator.blockingStub()
                    .withDeadlineAfter(5, TimeUnit.SECONDS)
                    .listSearchAttributes(ListSearchAttributesRequest.newBuilder()
                            .setNamespace(namespace)
                            .build())
                    .getCustomAttributesMap()
                    .entrySet()
                    .containsAll(SearchAttributesNeeded.ALL.entrySet());
        } catch (StatusRuntimeException e) {
            LOGGER.atDebug()
                    .addKeyValue("status", e.getStatus().getCode())
                    .log("search attributes can't be listed; adding them");
            return false;
        }
    }
}

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

    private final String address;
    private final String namespace;
    private final WorkflowServiceStubs stubs;
    private final WorkflowClient client;
    private volatile boolean serves;
    private volatile boolean searchAttributes;

    private TemporalConnection(String address, String namespace, WorkflowServiceStubs stubs, WorkflowClient client) {
        this.address = address;
        this.namespace = namespace;
        this.stubs = stubs;
        this.client = client;
    }

    /** {@code address}: {@code host:port}; {@code converter}: of everything that Temporal keeps. Nothing is asked of it before {@link #connect}. */
    public static TemporalConnection to(String address, String namespace, DataConverter converter) {
        WorkflowServiceStubs stubs = WorkflowServiceStubs.newServiceStubs(
                WorkflowServiceStubsOptions.newBuilder().setTarget(address).build());
        WorkflowClient client = WorkflowClient.newInstance(
                stubs,
                WorkflowClientOptions.newBuilder()
                        .setNamespace(namespace)
                        .setDataConverter(converter)
                        .setContextPropagators(List.of(new RequestPropagator()))
                        .build());
        return new TemporalConnection(address, namespace, stubs, client);
    }

    /** Throws {@link StartupException} where nothing answers within {@code patience}; after {@link #QUIET} of it says what is waited for. */
    public void connect(Duration patience) {
        Duration rest = patience.minus(QUIET);
        boolean there = answers(rest.isPositive() ? QUIET : patience);
        if (!there && rest.isPositive()) {
            LOGGER.atWarn()
                    .addKeyValue("address", address)
                    .log("waiting for Temporal, for {} s at most", patience.toSeconds());
            there = !Thread.currentThread().isInterrupted() && answers(rest);
        }
        if (!there) {
            throw new StartupException(
                    "Temporal at " + address + " can't be reached",
                    "start it, or correct --temporal-address (TEMPORAL_ADDRESS)");
        }
        searchAttributes = register(address, namespace);
    }

    /** Workers have begun: it can be asked for everything. */
    void serves() {
        serves = true;
    }

    /** The SDK tries again until then, and says only by an exception that it was in vain. */
    private boolean answers(Duration within) {
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

    /** Asks the server's health service; false when it does not answer within two seconds, and until workers have begun. */
    public boolean healthy() {
        try {
            return serves
                    && stubs.blockingStub()
                            .withDeadlineAfter(2, TimeUnit.SECONDS)
                            .getSystemInfo(io.temporal.api.workflowservice.v1.GetSystemInfoRequest.getDefaultInstance())
                            .hasCapabilities();
        } catch (StatusRuntimeException e) {
            // A server without that call (Temporal's in-process test server may be one) does answer.
            return serves && e.getStatus().getCode() == Status.Code.UNIMPLEMENTED;
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

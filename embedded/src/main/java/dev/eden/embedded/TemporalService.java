package dev.eden.embedded;

import io.grpc.StatusRuntimeException;
import io.temporal.api.enums.v1.IndexedValueType;
import io.temporal.api.operatorservice.v1.AddSearchAttributesRequest;
import io.temporal.api.workflowservice.v1.DescribeNamespaceRequest;
import io.temporal.serviceclient.OperatorServiceStubs;
import io.temporal.serviceclient.OperatorServiceStubsOptions;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The few calls an embedded Temporal needs of the service's API. */
final class TemporalService {
    static final String NAMESPACE = "default";

    private TemporalService() {}

    /**
     * Waits until the namespace answers.
     *
     * @param alive called before every try, throws when waiting is pointless
     */
    static void awaitNamespace(String address, Runnable alive) {
        WorkflowServiceStubs service = WorkflowServiceStubs.newServiceStubs(
                WorkflowServiceStubsOptions.newBuilder().setTarget(address).build());
        try {
            long deadline = System.nanoTime() + EmbeddedTemporal.START.toNanos();
            while (true) {
                alive.run();
                try {
                    var ignored = service.blockingStub()
                            .withDeadlineAfter(2, TimeUnit.SECONDS)
                            .describeNamespace(DescribeNamespaceRequest.newBuilder()
                                    .setNamespace(NAMESPACE)
                                    .build());
                    return;
                } catch (StatusRuntimeException e) {
                    if (System.nanoTime() > deadline) {
                        throw new EmbeddedServerException(
                                "the Temporal service at " + address + " does not answer: " + e.getStatus(), e);
                    }
                    service.getRawChannel().resetConnectBackoff();
                    pause();
                }
            }
        } finally {
            service.shutdownNow();
        }
    }

    static void register(String address, Map<String, EmbeddedTemporal.AttributeType> attributes) {
        if (attributes.isEmpty()) {
            return;
        }
        OperatorServiceStubs service = OperatorServiceStubs.newServiceStubs(
                OperatorServiceStubsOptions.newBuilder().setTarget(address).validateAndBuildWithDefaults());
        try {
            var request = AddSearchAttributesRequest.newBuilder().setNamespace(NAMESPACE);
            attributes.forEach((name, type) -> request.putSearchAttributes(name, indexed(type)));
            var ignored = service.blockingStub()
                    .withDeadlineAfter(10, TimeUnit.SECONDS)
                    .addSearchAttributes(request.build());
        } finally {
            service.shutdownNow();
        }
    }

    private static IndexedValueType indexed(EmbeddedTemporal.AttributeType type) {
        return switch (type) {
            case KEYWORD -> IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD;
            case INT -> IndexedValueType.INDEXED_VALUE_TYPE_INT;
            case DOUBLE -> IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE;
            case BOOL -> IndexedValueType.INDEXED_VALUE_TYPE_BOOL;
            case DATETIME -> IndexedValueType.INDEXED_VALUE_TYPE_DATETIME;
            case TEXT -> IndexedValueType.INDEXED_VALUE_TYPE_TEXT;
            case KEYWORD_LIST -> IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST;
        };
    }

    private static void pause() {
        try {
            Thread.sleep(Duration.ofMillis(20));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EmbeddedServerException("interrupted while waiting for Temporal", e);
        }
    }
}

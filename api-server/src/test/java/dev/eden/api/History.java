package dev.eden.api;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.json.Json;
import io.temporal.client.WorkflowClient;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A workflow's last run as Temporal keeps it.
 *
 * @param text whatever is text in it
 * @param encrypted what Eden has encrypted in it, as a body for the codec
 */
record History(String text, String encrypted) {
    static History of(String address, String workflow) {
        WorkflowServiceStubs service = WorkflowServiceStubs.newServiceStubs(
                WorkflowServiceStubsOptions.newBuilder().setTarget(address).build());
        try {
            var history = WorkflowClient.newInstance(service).fetchHistory(workflow);
            List<JsonNode> payloads = Json.tree(history.toJson(false)).findParents("metadata").stream()
                    .filter(payload -> payload.at("/metadata/encoding")
                            .asText()
                            .equals(Base64.getEncoder()
                                    .encodeToString("binary/encrypted".getBytes(StandardCharsets.UTF_8))))
                    .toList();
            String body =
                    payloads.stream().map(JsonNode::toString).collect(Collectors.joining(",", "{\"payloads\":[", "]}"));
            return new History(new String(history.getHistory().toByteArray(), StandardCharsets.ISO_8859_1), body);
        } finally {
            service.shutdownNow();
        }
    }

    /** The data of payloads that the codec has answered. */
    static String plain(JsonNode answer) {
        StringBuilder text = new StringBuilder();
        for (JsonNode payload : answer.path("payloads")) {
            text.append(new String(
                            Base64.getDecoder().decode(payload.path("data").asText()), StandardCharsets.UTF_8))
                    .append('\n');
        }
        return text.toString();
    }
}

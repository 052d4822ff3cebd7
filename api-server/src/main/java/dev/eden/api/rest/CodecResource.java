package dev.eden.api.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.ByteString;
import dev.eden.api.json.Json;
import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.FieldError;
import dev.eden.api.problem.Problem;
import dev.eden.api.store.TokenStore.Role;
import io.temporal.api.common.v1.Payload;
import io.temporal.payload.codec.PayloadCodec;
import io.temporal.payload.codec.PayloadCodecException;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Temporal's remote codec, for its Web UI and command line: payloads as protobuf's JSON, both ways. What Eden has not encrypted is handed
 * back as it came, whatever else it holds: one codec may serve the histories of several systems.
 */
@Path("/api/v1/temporal/codec")
@Produces(MediaType.APPLICATION_JSON)
public final class CodecResource {
    static final String PATH = "api/v1/temporal/codec/";

    /** What Temporal's Web UI adds to every question. There is nothing to preserve: Eden puts no payload anywhere else and leaves a reference there. */
    private static final String ASKED_FOR = "preserveStorageRefs";

    private static final int MOST = 10_000;

    private final PayloadCodec codec;

    public CodecResource(PayloadCodec codec) {
        this.codec = codec;
    }

    /** Shows nothing that a viewer does not see in the API, too. */
    @POST
    @Path("decode")
    @Consumes(MediaType.APPLICATION_JSON)
    @Allow(Role.VIEWER)
    @Answers
    public JsonNode decode(@QueryParam(ASKED_FOR) @Nullable String asked, byte[] body) {
        return converted(body, payload -> codec.decode(List.of(payload)).getFirst());
    }

    /** For whoever sends a signal by Temporal's command line or Web UI; plain where Eden does not encrypt. */
    @POST
    @Path("encode")
    @Consumes(MediaType.APPLICATION_JSON)
    @Allow(Role.OPERATOR)
    @Answers
    public JsonNode encode(@QueryParam(ASKED_FOR) @Nullable String asked, byte[] body) {
        return converted(body, payload -> codec.encode(List.of(payload)).getFirst());
    }

    private static JsonNode converted(byte[] body, UnaryOperator<Payload> conversion) {
        JsonNode payloads = Fields.tree(body).path("payloads");
        if (payloads.isMissingNode()) {
            throw wrong("/payloads", "is missing");
        }
        if (!payloads.isArray() || payloads.size() > MOST) {
            throw wrong("/payloads", "must be an array of up to " + MOST + " objects");
        }
        List<FieldError> errors = new ArrayList<>();
        ArrayNode out = Json.mapper().createArrayNode();
        for (int i = 0; i < payloads.size(); i++) {
            try {
                Payload payload = payload(payloads.get(i));
                Payload done = conversion.apply(payload);
                out.add(done.equals(payload) ? payloads.get(i) : json(done));
            } catch (IllegalArgumentException e) {
                errors.add(new FieldError(
                        "/payloads/" + i, "must be an object with metadata and data, their values in base64"));
            } catch (PayloadCodecException e) {
                errors.add(new FieldError("/payloads/" + i, String.valueOf(e.getMessage())));
            }
        }
        if (!errors.isEmpty()) {
            throw new Problem(
                    ErrorCode.INVALID_FIELDS,
                    errors.size() == 1 ? "one payload is not right" : errors.size() + " payloads are not right",
                    errors);
        }
        return Json.mapper().createObjectNode().set("payloads", out);
    }

    private static Payload payload(JsonNode node) {
        if (!(node instanceof ObjectNode)
                || !Fields.storable(node.toString())
                || !(node.path("metadata").isMissingNode()
                        || node.path("metadata").isObject())) {
            throw new IllegalArgumentException();
        }
        Payload.Builder payload = Payload.newBuilder();
        node.path("metadata")
                .properties()
                .forEach(entry -> payload.putMetadata(entry.getKey(), bytes(entry.getValue())));
        return node.has("data") ? payload.setData(bytes(node.path("data"))).build() : payload.build();
    }

    /** Protobuf's JSON takes both alphabets, padded or not. */
    private static ByteString bytes(JsonNode node) {
        if (!node.isTextual()) {
            throw new IllegalArgumentException();
        }
        String text = node.asText().replace('-', '+').replace('_', '/');
        return ByteString.copyFrom(Base64.getDecoder().decode(text));
    }

    private static ObjectNode json(Payload payload) {
        ObjectNode node = Json.mapper().createObjectNode();
        ObjectNode metadata = node.putObject("metadata");
        payload.getMetadataMap().forEach((name, value) -> metadata.put(name, value.toByteArray()));
        return node.put("data", payload.getData().toByteArray());
    }

    private static Problem wrong(String pointer, String detail) {
        return new Problem(
                ErrorCode.INVALID_FIELDS, "one field is not right", List.of(new FieldError(pointer, detail)));
    }
}

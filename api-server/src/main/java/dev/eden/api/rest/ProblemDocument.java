package dev.eden.api.rest;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.eden.api.json.Json;
import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.Problem;

/** The JSON form of a problem (RFC 9457). */
public final class ProblemDocument {
    static final String MEDIA_TYPE = "application/problem+json";

    public static final String TYPE = "urn:eden:problem:";

    private ProblemDocument() {}

    static ObjectNode of(Problem problem) {
        ErrorCode code = problem.code();
        ObjectNode document = Json.mapper().createObjectNode();
        document.put("type", TYPE + code.slug());
        document.put("title", code.title());
        document.put("status", code.status());
        document.put("detail", problem.detail());
        document.put("remedy", code.remedy());
        document.put("retry", retry(code.retry()));
        if (!problem.errors().isEmpty()) {
            document.set("errors", Json.mapper().valueToTree(problem.errors()));
        }
        problem.extensions()
                .forEach((name, value) -> document.set(name, Json.mapper().valueToTree(value)));
        return document;
    }

    static String retry(ErrorCode.Retry retry) {
        return retry.name().toLowerCase(java.util.Locale.ROOT);
    }
}

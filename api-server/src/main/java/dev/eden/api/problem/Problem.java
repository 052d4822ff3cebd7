package dev.eden.api.problem;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An error that is somebody's to know: it becomes an RFC 9457 document at the edge. Messages name ids and fields, never values that
 * could be secret.
 */
public final class Problem extends RuntimeException {
    private final ErrorCode code;
    private final List<FieldError> errors;
    private final Map<String, Object> extensions = new LinkedHashMap<>();

    public Problem(ErrorCode code, String detail) {
        this(code, detail, List.of());
    }

    public Problem(ErrorCode code, String detail, List<FieldError> errors) {
        super(detail, null, false, false);
        this.code = code;
        this.errors = List.copyOf(errors);
    }

    /** Adds a member to the document, e.g. {@code allowed}, {@code blockers}, {@code findings}. */
    public Problem with(String member, Object value) {
        extensions.put(member, value);
        return this;
    }

    public ErrorCode code() {
        return code;
    }

    public String detail() {
        return java.util.Objects.requireNonNullElse(getMessage(), code.title());
    }

    public List<FieldError> errors() {
        return errors;
    }

    public Map<String, Object> extensions() {
        return java.util.Collections.unmodifiableMap(extensions);
    }
}

package dev.eden.api.rest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.eden.api.config.DurationText;
import dev.eden.api.json.Json;
import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.FieldError;
import dev.eden.api.problem.Problem;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads one JSON object strictly: every field is asked for by name and type, whatever was not asked for is unknown, and all that is
 * wrong is reported at once, by JSON pointer. Messages never repeat a value.
 */
final class Fields {
    static final Pattern ID = Pattern.compile("[A-Za-z][A-Za-z0-9_.-]{0,62}");
    /** Of one thing, at most. */
    static final int LABELS = 32;

    private final ObjectNode node;
    private final String pointer;
    private final List<FieldError> errors;
    private final Set<String> asked = new LinkedHashSet<>();

    private Fields(ObjectNode node, String pointer, List<FieldError> errors) {
        this.node = node;
        this.pointer = pointer;
        this.errors = errors;
    }

    /** Parses a body. Throws {@link Problem} where it is not one JSON object; {@code optional}: an empty body is an empty object. */
    static Fields of(byte[] body, boolean optional) {
        if (optional && body.length == 0) {
            return new Fields(Json.mapper().createObjectNode(), "", new ArrayList<>());
        }
        return new Fields(tree(body), "", new ArrayList<>());
    }

    /** The body as one JSON object. Throws {@link Problem} where it is none. */
    static ObjectNode tree(byte[] body) {
        JsonNode tree;
        try {
            tree = Json.mapper().readTree(body);
        } catch (JsonProcessingException e) {
            var at = e.getLocation();
            throw new Problem(
                    ErrorCode.MALFORMED_JSON,
                    at == null
                            ? "the body is not JSON"
                            : "the body is not JSON: line " + at.getLineNr() + ", column " + at.getColumnNr());
        } catch (IOException e) {
            throw new Problem(ErrorCode.MALFORMED_JSON, "the body is not UTF-8 text");
        }
        if (!(tree instanceof ObjectNode object)) {
            throw new Problem(ErrorCode.MALFORMED_JSON, "the body must be one JSON object");
        }
        return object;
    }

    /** Reports unknown fields of this object. */
    void end() {
        node.fieldNames().forEachRemaining(name -> {
            if (!asked.contains(name)) {
                String shown = name.length() > 64 ? name.substring(0, 64) + "…" : name;
                errors.add(new FieldError(
                        pointer + "/" + shown.replace("~", "~0").replace("/", "~1"),
                        "unknown field; known are " + String.join(", ", asked)));
            }
        });
    }

    /** Ends the outermost object: throws what was found in it and below. */
    void done() {
        end();
        refuse();
    }

    void refuse() {
        if (!errors.isEmpty()) {
            throw new Problem(
                    ErrorCode.INVALID_FIELDS,
                    errors.size() == 1 ? "one field is not right" : errors.size() + " fields are not right",
                    errors);
        }
    }

    boolean isEmpty() {
        return node.isEmpty();
    }

    void error(String name, String detail) {
        errors.add(new FieldError(pointer + "/" + name, detail));
    }

    boolean has(String name) {
        asked.add(name);
        return node.has(name);
    }

    /** Whether the object under {@code name} has that member. */
    boolean hasWithin(String name, String member) {
        return node.path(name).has(member);
    }

    boolean isNull(String name) {
        asked.add(name);
        return node.path(name).isNull();
    }

    String requiredId(String name) {
        String id = requiredText(name, 63);
        if (!id.isEmpty() && !ID.matcher(id).matches()) {
            error(name, "an id begins with a letter and has up to 63 letters, digits, '_', '.' or '-'");
        }
        return id;
    }

    String requiredText(String name, int max) {
        if (!has(name)) {
            error(name, "is missing");
            return "";
        }
        String text = text(name, max, "");
        if (text.isEmpty() && node.path(name).isTextual()) {
            error(name, "must not be empty");
        }
        return text;
    }

    String text(String name, int max, String otherwise) {
        JsonNode value = get(name);
        if (value == null) {
            return otherwise;
        }
        if (!value.isTextual()) {
            error(name, "must be a string");
            return otherwise;
        }
        String text = value.asText();
        if (text.length() > max) {
            error(name, "must not be longer than " + max + " characters");
            return otherwise;
        }
        if (!storable(text)) {
            error(name, "must not hold control characters or halves of characters");
            return otherwise;
        }
        return text;
    }

    /** Whether PostgreSQL takes it as text and a log shows it as it is. */
    static boolean storable(String text) {
        return text.codePoints()
                .noneMatch(c -> (c < ' ' && c != '\n' && c != '\t')
                        || (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE));
    }

    String oneOf(String name, @Nullable String otherwise, String... allowed) {
        JsonNode value = get(name);
        String known = "must be one of " + String.join(", ", allowed);
        if (value == null) {
            if (otherwise == null) {
                error(name, "is missing: " + known);
                return allowed[0];
            }
            return otherwise;
        }
        if (value.isTextual()) {
            for (String word : allowed) {
                if (word.equals(value.asText())) {
                    return word;
                }
            }
        }
        error(name, known);
        return allowed[0];
    }

    /**
     * An array of one word or more, each of those that there are.
     *
     * @param otherwise where it is absent; null: it must be there
     * @param none what to do where there are no words at all
     */
    List<String> words(String name, @Nullable List<String> otherwise, Collection<String> allowed, String none) {
        JsonNode value = get(name);
        String known = allowed.isEmpty() ? "there are none; " + none : "there are " + String.join(", ", allowed);
        if (value == null) {
            if (otherwise == null && !has(name)) {
                error(name, "is missing: " + known);
            }
            return otherwise == null ? List.of() : otherwise;
        }
        if (!value.isArray() || value.isEmpty()) {
            error(name, "must be an array of one name or more: " + known);
            return List.of();
        }
        Set<String> words = new LinkedHashSet<>();
        for (int i = 0; i < value.size(); i++) {
            JsonNode word = value.get(i);
            if (!word.isTextual() || !allowed.contains(word.asText())) {
                error(name + "/" + i, "is not one of these: " + known);
            } else if (!words.add(word.asText())) {
                error(name + "/" + i, "is there twice");
            }
        }
        return List.copyOf(words);
    }

    boolean bool(String name, boolean otherwise) {
        JsonNode value = get(name);
        if (value == null) {
            return otherwise;
        }
        if (!value.isBoolean()) {
            error(name, "must be true or false");
            return otherwise;
        }
        return value.asBoolean();
    }

    double number(String name, double otherwise, double min, double max) {
        JsonNode value = get(name);
        if (value == null) {
            return otherwise;
        }
        if (!value.isNumber()) {
            error(name, "must be a number");
            return otherwise;
        }
        double number = value.asDouble();
        if (!(number >= min && number <= max)) {
            error(name, "must be between " + shown(min) + " and " + shown(max));
            return otherwise;
        }
        return number;
    }

    long integer(String name, long otherwise, long min, long max) {
        JsonNode value = get(name);
        if (value == null) {
            return otherwise;
        }
        if (!value.isIntegralNumber() || !value.canConvertToLong()) {
            error(name, "must be a whole number");
            return otherwise;
        }
        long number = value.asLong();
        if (number < min || number > max) {
            error(name, "must be between " + min + " and " + max);
            return otherwise;
        }
        return number;
    }

    /** A string such as {@code 500ms}, {@code 30s}, {@code 10m}, {@code 2h}, {@code 1d}, or a whole number of {@code unit}. */
    Duration duration(String name, Duration otherwise, Duration unit, Duration min, Duration max) {
        JsonNode value = get(name);
        if (value == null) {
            return otherwise;
        }
        @Nullable Duration duration = null;
        if (value.isIntegralNumber() && value.canConvertToInt() && value.asInt() >= 0) {
            duration = unit.multipliedBy(value.asInt());
        } else if (value.isTextual()) {
            duration = DurationText.parse(value.asText()).orElse(null);
        }
        if (duration == null || duration.compareTo(min) < 0 || duration.compareTo(max) > 0) {
            error(name, "must be a duration such as \"500ms\", \"30s\", \"10m\", \"2h\" from " + min + " to " + max);
            return otherwise;
        }
        return duration;
    }

    Map<String, String> labels(String name) {
        Map<String, String> labels = new TreeMap<>();
        labelled(name, false).forEach((label, value) -> labels.put(label, String.valueOf(value)));
        return labels;
    }

    /** Labels to be set, or, where they are null, taken away. */
    LabelPatch labelPatch(String name) {
        return new LabelPatch(labelled(name, true));
    }

    private Map<String, @Nullable String> labelled(String name, boolean nulls) {
        JsonNode value = get(name);
        if (value == null) {
            return Map.of();
        }
        Map<String, @Nullable String> labels = new TreeMap<>();
        if (!value.isObject() || value.size() > LABELS) {
            error(name, "must be an object of up to " + LABELS + " strings");
            return labels;
        }
        value.properties().forEach(e -> {
            boolean gone = nulls && e.getValue().isNull();
            if (!(gone || e.getValue().isTextual())
                    || e.getKey().length() > 63
                    || e.getValue().asText().length() > 255
                    || !storable(e.getKey())
                    || !storable(e.getValue().asText())) {
                error(
                        name,
                        "names have up to 63 characters, values are strings of up to 255, without control characters");
            }
            labels.put(e.getKey(), gone ? null : e.getValue().asText());
        });
        return labels;
    }

    /** The object under {@code name}; null where it is absent or of another type (reported). End it with {@link #end}. */
    @Nullable
    Fields object(String name) {
        JsonNode value = get(name);
        if (value == null) {
            return null;
        }
        if (!(value instanceof ObjectNode object)) {
            error(name, "must be an object");
            return null;
        }
        return new Fields(object, pointer + "/" + name, errors);
    }

    /** The objects of the array under {@code name}; null where it is absent or of another type (reported). */
    @Nullable
    List<Fields> objects(String name, int max) {
        JsonNode value = get(name);
        if (value == null) {
            return null;
        }
        if (!value.isArray() || value.size() > max) {
            error(name, "must be an array of up to " + max + " objects");
            return null;
        }
        List<Fields> all = new ArrayList<>();
        for (int i = 0; i < value.size(); i++) {
            if (value.get(i) instanceof ObjectNode object) {
                all.add(new Fields(object, pointer + "/" + name + "/" + i, errors));
            } else {
                error(name + "/" + i, "must be an object");
            }
        }
        return all;
    }

    private @Nullable JsonNode get(String name) {
        asked.add(name);
        JsonNode value = node.get(name);
        if (value != null && value.isNull()) {
            error(name, "must not be null; leave it out");
            return null;
        }
        return value;
    }

    private static String shown(double number) {
        return number == Math.rint(number) ? Long.toString((long) number) : Double.toString(number);
    }
}

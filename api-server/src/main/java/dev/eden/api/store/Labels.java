package dev.eden.api.store;

import dev.eden.api.json.Json;
import java.util.Map;
import java.util.TreeMap;

/** Labels as stored: one JSON object of strings. */
final class Labels {
    private Labels() {}

    static Map<String, String> of(String json) {
        Map<String, String> labels = new TreeMap<>();
        Json.tree(json)
                .properties()
                .forEach(e -> labels.put(e.getKey(), e.getValue().asText()));
        return labels;
    }
}

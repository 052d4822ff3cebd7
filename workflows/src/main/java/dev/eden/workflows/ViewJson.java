package dev.eden.workflows;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;

/** The view as the directory stores it: the same JSON, field for field, that the status query answers with. */
final class ViewJson {
    private static final ObjectMapper JSON = new ObjectMapper();

    private ViewJson() {}

    static String write(MigrationView view) {
        try {
            return JSON.writeValueAsString(view);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a view is always JSON", e);
        }
    }
}

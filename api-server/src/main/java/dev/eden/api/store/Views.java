package dev.eden.api.store;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.eden.workflows.MigrationView;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads views as the workflow writes them: the record's own names, not the API's. */
public final class Views {
    private static final Logger LOGGER = LoggerFactory.getLogger(Views.class);
    private static final ObjectMapper MAPPER = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();

    private Views() {}

    /** Empty for null and for what an incompatible version has written. */
    public static Optional<MigrationView> parse(@Nullable String json) {
        if (json == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(MAPPER.readValue(json, MigrationView.class));
        } catch (JsonProcessingException e) {
            LOGGER.atWarn().addKeyValue("error", e.getOriginalMessage()).log("a recorded view can't be read");
            return Optional.empty();
        }
    }
}

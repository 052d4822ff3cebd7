package dev.eden.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A canary's stage, for people: what it waits for, and what it has shown so far. */
final class StageText {
    private StageText() {}

    /** Empty where there are no stages. */
    static String of(JsonNode status, boolean coloured) {
        JsonNode canary = status.path("canary");
        JsonNode bake = canary.path("bake");
        if (!bake.isObject()) {
            return waitsForSomebody(canary, status.at("/strategy/stages"));
        }
        List<String> texts = new ArrayList<>();
        String missing = missing(bake);
        String waits = waits(canary);
        if (!waits.isEmpty()) {
            texts.add(Style.YELLOW.of(waits, coloured));
        } else if (bake.path("over").asBoolean()) {
            texts.add("baked");
        } else {
            texts.add("bakes until " + StatusText.text(bake, "ends_at")
                    + (missing.isEmpty() ? "" : ", samples so far: " + missing));
        }
        JsonNode seen = bake.path("seen");
        if (seen.path("reads").asLong() > 0) {
            texts.add(seen.path("errors").asLong() + " of " + seen.path("reads").asLong() + " reads failed ("
                    + StatusText.percent(seen.path("error_rate").asDouble()) + ")");
        }
        JsonNode latency = seen.path("latency");
        if (latency.isObject()) {
            texts.add(String.format(
                    Locale.ROOT,
                    "p99 at worst %.2f times the source's (%s:%s)",
                    latency.path("ratio").asDouble(),
                    StatusText.text(latency, "interlay"),
                    StatusText.text(latency, "proxy")));
        }
        return String.join("; ", texts);
    }

    private static String waitsForSomebody(JsonNode canary, JsonNode stages) {
        int number = canary.path("stage").asInt();
        if (number == 0 || stages.isEmpty()) {
            return "";
        }
        boolean back = canary.path("read_percentage").asDouble() == 0
                && stages.path(number - 1).path("read_percentage").asDouble() > 0;
        return (back ? "held, its reads were taken back; " : "")
                + (back || number < stages.size() ? "waits for advance" : "the last; waits for cutover");
    }

    /** Empty where it bakes still, or lacks nothing. */
    static String waits(JsonNode canary) {
        JsonNode bake = canary.path("bake");
        String missing = missing(bake);
        return missing.isEmpty() || !bake.path("over").asBoolean() ? "" : "baked, waits for samples: " + missing;
    }

    private static String missing(JsonNode bake) {
        List<String> missing = new ArrayList<>();
        bake.at("/seen/missing").forEach(one -> missing.add(ApiOptions.cell(one)));
        return String.join(", ", missing);
    }
}

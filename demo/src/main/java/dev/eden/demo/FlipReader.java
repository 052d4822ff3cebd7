package dev.eden.demo;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.eden.demo.check.Pauses;
import dev.eden.demo.history.History;
import dev.eden.demo.history.History.Window;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Measures every attempt by the clients' clocks: the server's report gives the moments of hold and open, the history the rest. */
final class FlipReader {
    /** The two clocks (wall and monotonic) of one machine are translated to about this. */
    private static final long CLOCK_SLACK_MICROS = 1000;

    private static final long AROUND_MICROS = 200_000;

    /** The step that begins the hold. */
    private static final String FIRST_STEP = "prepare";

    private FlipReader() {}

    /**
     * @param attempts of the status
     * @param asked from asking for each flip to its end, where the status gives no times
     */
    static List<Flip> read(JsonNode attempts, List<Window> asked, History history) {
        List<Flip> flips = new ArrayList<>();
        for (JsonNode attempt : attempts) {
            JsonNode report = report(attempt);
            long hold = number(attempt, report, "hold_at_micros", "holdAtMicros");
            long opened = number(attempt, report, "opened_at_micros", "openedAtMicros");
            String direction = word(attempt, report, "direction").contains("f") ? "forward" : "rollback";
            String outcome = word(attempt, report, "outcome");
            if (hold > 0 && opened >= hold) {
                Window window = new Window(
                        history.fromEpochMicros(hold) - CLOCK_SLACK_MICROS,
                        history.fromEpochMicros(opened) + CLOCK_SLACK_MICROS);
                flips.add(new Flip(
                        direction,
                        outcome,
                        true,
                        opened - hold,
                        steps(report),
                        proxies(report, hold),
                        Pauses.overlapping(history, window)));
            } else if (!outcome.equals("committed")) {
                flips.add(new Flip(direction, outcome, true, 0, Map.of(), Map.of(), new Pauses.Pause(List.of())));
            }
        }
        if (flips.stream().noneMatch(Flip::committed)) {
            for (int i = 0; i < asked.size(); i++) {
                Window slowest = Pauses.slowest(history, asked.get(i));
                Window around = new Window(slowest.from() - AROUND_MICROS, slowest.to() + AROUND_MICROS);
                flips.add(new Flip(
                        i % 2 == 0 ? "forward" : "rollback",
                        "committed",
                        false,
                        slowest.to() - slowest.from(),
                        Map.of(),
                        Map.of(),
                        Pauses.overlapping(history, around)));
            }
        }
        return flips;
    }

    private static Map<String, Double> steps(JsonNode report) {
        Map<String, Double> steps = new LinkedHashMap<>();
        for (JsonNode step : report.path("steps")) {
            String name = step.path("name").asText();
            if (steps.containsKey(FIRST_STEP) || name.equals(FIRST_STEP)) {
                steps.put(name, step.path("micros").asLong() / 1000.0);
            }
        }
        return steps;
    }

    /** When each proxy had drained and had opened, in milliseconds after the hold. */
    private static Map<String, Double> proxies(JsonNode report, long hold) {
        Map<String, Double> moments = new LinkedHashMap<>();
        for (JsonNode proxy : report.path("proxies")) {
            JsonNode times = proxy.has("acknowledged_at_micros")
                    ? proxy.get("acknowledged_at_micros")
                    : proxy.path("acknowledgedAtMicros");
            times.properties().forEach(time -> {
                if (time.getValue().asLong() >= hold) {
                    moments.put(
                            proxy.path("proxy").asText() + " " + time.getKey().toLowerCase(Locale.ROOT),
                            (time.getValue().asLong() - hold) / 1000.0);
                }
            });
        }
        return moments;
    }

    private static JsonNode report(JsonNode attempt) {
        JsonNode report = attempt.has("report") ? attempt.get("report") : attempt.path("report_json");
        if (report.isTextual()) {
            try {
                return new ObjectMapper().readTree(report.asText());
            } catch (JsonProcessingException e) {
                throw new DemoException("the report of an attempt is not JSON", e);
            }
        }
        return report;
    }

    private static long number(JsonNode attempt, JsonNode report, String snake, String camel) {
        for (JsonNode node : List.of(attempt, report)) {
            for (String name : List.of(snake, camel)) {
                if (node.path(name).isNumber()) {
                    return node.get(name).asLong();
                }
            }
        }
        return 0;
    }

    private static String word(JsonNode attempt, JsonNode report, String name) {
        return attempt.path(name).isTextual()
                ? attempt.get(name).asText()
                : report.path(name).asText("");
    }
}

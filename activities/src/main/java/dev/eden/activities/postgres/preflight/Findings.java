package dev.eden.activities.postgres.preflight;

import dev.eden.workflows.activity.PreparationActivities.Finding;
import java.util.ArrayList;
import java.util.List;

/** Collects findings in the order of the checks. */
final class Findings {
    private static final int NAMED = 8;

    private final List<Finding> list = new ArrayList<>();

    void info(String id, String message) {
        list.add(new Finding(id, "info", message, ""));
    }

    void warning(String id, String message, String remedy) {
        list.add(new Finding(id, "warning", message, remedy));
    }

    void failure(String id, String message, String remedy) {
        list.add(new Finding(id, "failure", message, remedy));
    }

    List<Finding> list() {
        return List.copyOf(list);
    }

    /** The first few by name, the rest by number. */
    static String some(List<String> names) {
        String first = String.join(", ", names.subList(0, Math.min(NAMED, names.size())));
        return names.size() <= NAMED ? first : first + " and " + (names.size() - NAMED) + " more";
    }
}

package dev.eden.api.operations;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What Grafana needs of a dashboard that it is given as a file. */
final class Dashboard {
    private static final int COLUMNS = 24;
    /** The variable by which a dashboard finds its source of data. */
    private static final String CHOSEN = "${datasource}";

    private static final Pattern VARIABLE = Pattern.compile("\\$(?:\\{(\\w+)(?::\\w+)?}|(\\w+))");

    private final List<String> problems = new ArrayList<>();
    private final Set<String> sources;
    private final List<JsonNode> panels = new ArrayList<>();

    private Dashboard(Set<String> sources) {
        this.sources = sources;
    }

    /**
     * What is wrong, in words; nothing where all is well.
     *
     * @param sources ids of the sources of data that are provisioned
     */
    static List<String> problems(JsonNode dashboard, Set<String> sources) {
        Dashboard looked = new Dashboard(sources);
        looked.whole(dashboard);
        return looked.problems;
    }

    private void whole(JsonNode dashboard) {
        require(!dashboard.path("uid").asText().isEmpty(), "no uid");
        require(!dashboard.path("title").asText().isEmpty(), "no title");
        require(dashboard.path("schemaVersion").isInt(), "no version of the schema");
        collect(dashboard.path("panels"));
        require(!panels.isEmpty(), "no panels");
        Set<Integer> ids = new HashSet<>();
        for (JsonNode panel : panels) {
            String name = "panel " + panel.path("id").asText("without id");
            require(panel.path("id").isInt() && ids.add(panel.path("id").asInt()), name + ": its id is used twice");
            require(!panel.path("title").asText().isEmpty(), name + ": no title");
            place(panel, name);
            if (!panel.path("type").asText().equals("row")) {
                asks(panel, name);
            }
        }
        overlaps();
        variables(dashboard);
    }

    private void collect(JsonNode list) {
        for (JsonNode panel : list) {
            panels.add(panel);
            collect(panel.path("panels"));
        }
    }

    private void asks(JsonNode panel, String name) {
        require(!panel.path("type").asText().isEmpty(), name + ": no type");
        source(panel, name);
        require(!panel.path("targets").isEmpty(), name + ": no queries");
        Set<String> letters = new HashSet<>();
        for (JsonNode target : panel.path("targets")) {
            source(target, name);
            require(!target.path("expr").asText().isEmpty(), name + ": an empty query");
            require(letters.add(target.path("refId").asText()), name + ": two queries of one letter");
        }
    }

    /** In somebody's own Grafana the source has another id: whoever looks chooses it. */
    private void source(JsonNode asking, String name) {
        String uid = asking.path("datasource").path("uid").asText();
        require(uid.equals(CHOSEN), name + ": it asks '" + uid + "', whatever source of data is chosen");
    }

    private void choice(JsonNode variable) {
        require(variable.path("query").asText().equals("prometheus"), "the source of data is no Prometheus");
        String first = variable.path("current").path("value").asText();
        require(sources.contains(first), "no source of data is called '" + first + "'");
    }

    private void place(JsonNode panel, String name) {
        JsonNode at = panel.path("gridPos");
        require(
                at.path("w").asInt() > 0
                        && at.path("h").asInt() > 0
                        && at.path("x").isInt()
                        && at.path("y").isInt()
                        && at.path("x").asInt() + at.path("w").asInt() <= COLUMNS,
                name + ": it is outside of the page");
    }

    private void overlaps() {
        Set<String> taken = new HashSet<>();
        for (JsonNode panel : panels) {
            JsonNode at = panel.path("gridPos");
            for (int x = 0; x < at.path("w").asInt(); x++) {
                for (int y = 0; y < at.path("h").asInt(); y++) {
                    String cell = at.path("x").asInt() + x + "/" + (at.path("y").asInt() + y);
                    if (!taken.add(cell)) {
                        problems.add("panel " + panel.path("id").asText() + ": it lies upon another");
                        return;
                    }
                }
            }
        }
    }

    private void variables(JsonNode dashboard) {
        Set<String> defined = new TreeSet<>();
        for (JsonNode variable : dashboard.path("templating").path("list")) {
            String name = variable.path("name").asText();
            require(defined.add(name), "the variable " + name + " is there twice");
            require(!variable.path("query").asText().isEmpty(), "the variable " + name + " asks nothing");
            if (variable.path("type").asText().equals("datasource")) {
                choice(variable);
            } else {
                source(variable, "variable " + name);
            }
        }
        Set<String> used = new TreeSet<>();
        for (JsonNode panel : panels) {
            List<String> texts = new ArrayList<>(panel.findValuesAsText("expr"));
            texts.addAll(panel.findValuesAsText("title"));
            texts.addAll(panel.findValuesAsText("legendFormat"));
            texts.forEach(text -> named(text, used));
        }
        dashboard
                .findValues("datasource")
                .forEach(source -> named(source.path("uid").asText(), used));
        dashboard.path("templating").findValuesAsText("query").forEach(text -> named(text, used));
        require(defined.equals(used), "variables " + defined + " are there, " + used + " are used");
    }

    private static void named(String text, Set<String> used) {
        Matcher matcher = VARIABLE.matcher(text);
        while (matcher.find()) {
            String name = matcher.group(1) == null ? matcher.group(2) : matcher.group(1);
            // Grafana's own.
            if (!name.startsWith("__")) {
                used.add(name);
            }
        }
    }

    private void require(boolean holds, String otherwise) {
        if (!holds) {
            problems.add(otherwise);
        }
    }
}

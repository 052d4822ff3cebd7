package dev.eden.api.operations;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.json.Json;
import dev.eden.api.operations.MetricsTable.Metric;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rules and dashboard ask for metrics that there are, and every alert is written down. */
class MonitoringTest {
    private static final String DASHBOARD = "infra/grafana/dashboards/eden.json";
    private static final String RULES = "infra/prometheus/rules.yml";
    private static final String SCRAPED = "infra/prometheus/prometheus.yml";
    private static final String IN_A_CLUSTER = "infra/prometheus/kubernetes.yml";
    /** Suffixes that Prometheus' summaries add. */
    private static final String ADDED = "_(sum|count)$";

    private final Set<String> metrics =
            MetricsTable.metrics().stream().map(Metric::name).collect(Collectors.toCollection(TreeSet::new));

    @Test
    void everyAlertIsInTheTableOfMetricsUnderTheMetricsItLooksAt() {
        Map<String, Set<String>> looksAt = rules();
        assertThat(looksAt).hasSizeGreaterThan(10);
        Map<String, Set<String>> documented = new TreeMap<>();
        MetricsTable.metrics()
                .forEach(metric -> metric.alerts()
                        .forEach(alert -> documented
                                .computeIfAbsent(alert, _ -> new TreeSet<>())
                                .add(metric.name())));
        Set<String> ofPrometheusItself = looksAt.entrySet().stream()
                .filter(rule -> rule.getValue().isEmpty())
                .map(Map.Entry::getKey)
                .collect(Collectors.toCollection(TreeSet::new));
        assertThat(MetricsTable.alerts(Project.text("docs/metrics.md"))).containsAll(ofPrometheusItself);
        looksAt.keySet().removeAll(ofPrometheusItself);
        assertThat(documented).isEqualTo(looksAt);
    }

    @Test
    void rulesAndDashboardAskForMetricsThatThereAre() {
        rules().values().forEach(named -> assertThat(metrics).containsAll(named));
        List<String> queries = queries();
        assertThat(queries).hasSizeGreaterThan(15);
        queries.forEach(query -> {
            Set<String> named = MetricsTable.named(query).stream()
                    .map(name -> metrics.contains(name) ? name : name.replaceFirst(ADDED, ""))
                    .collect(Collectors.toSet());
            assertThat(metrics).as(query).containsAll(named);
            assertThat(named).as(query).isNotEmpty();
        });
    }

    /** Whoever is woken by an alert, or reads the table, finds the curve. */
    @Test
    void everyMetricIsOnAPanel() {
        Set<String> shown = dashboard().path("panels").findValuesAsText("expr").stream()
                .flatMap(query -> MetricsTable.named(query).stream())
                .map(name -> metrics.contains(name) ? name : name.replaceFirst(ADDED, ""))
                .collect(Collectors.toCollection(TreeSet::new));
        assertThat(shown).isEqualTo(metrics);
    }

    /** An axis has one unit: that of what is drawn on it. */
    @Test
    void everyPanelHasTheUnitOfItsMetrics() {
        Map<String, String> units =
                MetricsTable.metrics().stream().collect(Collectors.toMap(Metric::name, Metric::unit));
        assertThat(problemsOfUnits(dashboard(), units)).isEmpty();
        assertThat(problemsOfUnits(
                        Json.tree(Project.text(DASHBOARD).replace("\"unit\": \"ms\"", "\"unit\": \"short\"")), units))
                .anyMatch(problem -> problem.startsWith("Replication lag: short"));
    }

    private List<String> problemsOfUnits(JsonNode dashboard, Map<String, String> units) {
        List<String> problems = new ArrayList<>();
        for (JsonNode panel : dashboard.path("panels")) {
            String shown = panel.at("/fieldConfig/defaults/unit").asText();
            for (JsonNode target : panel.path("targets")) {
                String query = target.path("expr").asText();
                // What only chooses among the curves has no say.
                String of = MetricsTable.named(query.replaceFirst(" and on .*", "")).stream()
                        .map(name -> metrics.contains(name) ? name : name.replaceFirst(ADDED, ""))
                        .map(units::get)
                        .collect(Collectors.joining(" "));
                if (!shownAs(query.startsWith("count ") ? "1" : query.contains("rate(") ? of + " a second" : of)
                        .contains(shown)) {
                    problems.add(panel.path("title").asText() + ": " + shown + " for " + query);
                }
            }
        }
        return problems;
    }

    /** Grafana's names of a unit. */
    private static Set<String> shownAs(String unit) {
        return switch (unit) {
            case "1", "0 or 1" -> Set.of("short");
            case "1/s", "1 a second" -> Set.of("ops", "cps");
            case "%" -> Set.of("percent");
            case "0 to 1", "s a second" -> Set.of("percentunit");
            case "B" -> Set.of("bytes");
            case "B/s", "B a second" -> Set.of("Bps");
            case "ms", "s" -> Set.of(unit);
            default -> Set.of();
        };
    }

    /** A curve of events that no proxy counts stays at nothing. */
    @Test
    void everyEventOfTheDashboardIsOneThatProxiesCount() {
        String counted = Project.text("proxy/src/main/java/dev/eden/proxy/postgres/PostgresLoop.java")
                + Project.text("proxy/src/main/java/dev/eden/proxy/redis/Snapshots.java");
        List<String> asked = queries().stream()
                .flatMap(query ->
                        Pattern.compile("event=~?\"([^\"]+)\"").matcher(query).results())
                .flatMap(found -> Stream.of(found.group(1).split("\\|")))
                .toList();
        assertThat(asked)
                .isNotEmpty()
                .allSatisfy(event -> assertThat(counted).contains("events.put(\"" + event.replace(".*", "")));
    }

    /** A rule about a job that nobody scrapes under that name never fires. */
    @Test
    @SuppressWarnings("unchecked")
    void everyJobOfTheRulesIsOneThatIsScraped() {
        Set<String> asked = Pattern.compile("job=~?\"([^\"]*)\"")
                .matcher(Project.text(RULES))
                .results()
                .map(found -> found.group(1))
                .collect(Collectors.toSet());
        Set<String> scraped = Project.list(Project.yaml(SCRAPED), "scrape_configs").stream()
                .map(job -> String.valueOf(((Map<?, ?>) job).get("job_name")))
                .collect(Collectors.toSet());
        assertThat(asked).isNotEmpty().isEqualTo(scraped);
        Set<String> given = Project.list(Project.yaml(IN_A_CLUSTER), "scrape_configs").stream()
                .flatMap(job -> Project.list((Map<String, Object>) job, "relabel_configs").stream())
                .map(rule -> (Map<String, Object>) rule)
                .filter(rule -> "job".equals(rule.get("target_label")))
                .map(rule -> String.valueOf(rule.get("replacement")))
                .collect(Collectors.toSet());
        assertThat(given).isEqualTo(asked);
    }

    /** Where the rest of a cluster is scraped once a minute, fifteen seconds are seen all the same. */
    @Test
    @SuppressWarnings("unchecked")
    void whatIsAskedOftenIsSaidWhereItIsAsked() {
        for (String config : List.of(SCRAPED, IN_A_CLUSTER)) {
            assertThat(Project.list(Project.yaml(config), "scrape_configs"))
                    .as(config)
                    .isNotEmpty()
                    .allSatisfy(job -> assertThat((Map<String, Object>) job).containsEntry("scrape_interval", "5s"));
        }
        assertThat(Project.list(Project.yaml(RULES), "groups"))
                .allSatisfy(group -> assertThat((Map<String, Object>) group).containsEntry("interval", "5s"));
    }

    /** Two samples of a Prometheus that asks once a minute are the least that a rate is made of. */
    @Test
    void noRateNeedsSamplesThatOthersDoNotHave() {
        assertThat(Project.text(RULES)).doesNotContainPattern("\\[(\\d+s|1m)]");
        assertThat(queries().stream().filter(query -> query.contains("[")))
                .isNotEmpty()
                .allMatch(query -> query.contains("[$__rate_interval]"));
    }

    @Test
    void theDashboardIsOneThatGrafanaShows() {
        assertThat(sources()).hasSize(1);
        assertThat(Dashboard.problems(dashboard(), sources())).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"id\": 7,                      | \"id\": 6,                       | panel 6: its id is used twice",
                "\"value\": \"eden-prometheus\"  | \"value\": \"prometheus\"         | no source of data is called"
                        + " 'prometheus'",
                "\"uid\": \"${datasource}\"      | \"uid\": \"eden-prometheus\"      | it asks 'eden-prometheus'",
                "\"name\": \"migration\"         | \"name\": \"move\"                | [datasource, interlay, move]"
                        + " are there, [datasource, interlay, migration] are used",
                "$interlay                       | $front                           | [datasource, front, interlay,"
                        + " migration] are used",
                "\"expr\": \"min by              | \"expression\": \"min by          | panel 2: an empty query",
                "\"w\": 12                       | \"w\": 25                        | it is outside of the page",
                "\"y\": 14                       | \"y\": 13                        | it lies upon another",
                "\"schemaVersion\": 39           | \"schemaVersion\": \"39\"         | no version of the schema",
            })
    void whatGrafanaWouldNotShowIsSeen(String right, String wrong, String problem) {
        String text = Project.text(DASHBOARD);
        assertThat(text).contains(right);
        assertThat(Dashboard.problems(
                        Json.tree(text.replaceFirst(Pattern.quote(right), Matcher.quoteReplacement(wrong))), sources()))
                .anyMatch(found -> found.contains(problem));
    }

    @Test
    void promtoolFindsTheRulesRight(@TempDir Path folder) throws Exception {
        assumeTrue(
                Project.installed("promtool"),
                "promtool (Debian: prometheus) is not here: the rules are not checked by it");
        assertThat(Project.run("promtool", "check", "rules", RULES)).contains("SUCCESS");
        // Debian's promtool knows no Kubernetes: what finds the pods is replaced, what renames them is checked.
        Path cluster = Files.writeString(
                folder.resolve("kubernetes.yml"),
                Project.text(IN_A_CLUSTER)
                        .replace(
                                "kubernetes_sd_configs:\n      - role: pod",
                                "static_configs:\n      - targets: [\"pod\"]"));
        for (String config : List.of(SCRAPED, cluster.toString())) {
            assertThat(Project.run("promtool", "check", "config", "--syntax-only", config))
                    .contains("SUCCESS");
        }
        assertThat(Project.run("promtool", "test", "rules", "infra/prometheus/rules-test.yml"))
                .contains("SUCCESS");
    }

    @Test
    void everyAlertHasACaseInWhichItFires() {
        String cases = Project.text("infra/prometheus/rules-test.yml").replace("exp_alerts: []", "");
        assertThat(rules().keySet())
                .allSatisfy(alert -> assertThat(cases)
                        .as(alert)
                        .containsPattern("alertname: " + alert + "\\s+exp_alerts:\\s+- exp_labels"));
    }

    @Test
    void promtoolUnderstandsTheDashboardsQueries(@TempDir Path folder) throws Exception {
        assumeTrue(
                Project.installed("promtool"),
                "promtool (Debian: prometheus) is not here: the queries are not checked by it");
        StringBuilder rules = new StringBuilder("groups:\n  - name: dashboard\n    rules:\n");
        int number = 0;
        for (JsonNode query : dashboard().path("panels").findValues("expr")) {
            String plain = query.asText().replaceAll("\\$__\\w+", "5m").replaceAll("\\$\\{?\\w+(:\\w+)?}?", "any");
            rules.append("      - {record: q")
                    .append(number++)
                    .append(", expr: '")
                    .append(plain.replace("'", "''"))
                    .append("'}\n");
        }
        Path file = Files.writeString(folder.resolve("queries.yml"), rules);
        assertThat(Project.run("promtool", "check", "rules", file.toString()))
                .contains("SUCCESS: " + number + " rules");
    }

    /** The metrics of each alert, by its name. */
    @SuppressWarnings("unchecked")
    static Map<String, Set<String>> rules() {
        Map<String, Set<String>> found = new TreeMap<>();
        for (Object group : Project.list(Project.yaml(RULES), "groups")) {
            for (Object rule : Project.list((Map<String, Object>) group, "rules")) {
                Map<String, Object> one = (Map<String, Object>) rule;
                found.put(String.valueOf(one.get("alert")), MetricsTable.named(String.valueOf(one.get("expr"))));
            }
        }
        return found;
    }

    private static JsonNode dashboard() {
        return Json.tree(Project.text(DASHBOARD));
    }

    private static Set<String> sources() {
        return Project.list(Project.yaml("infra/grafana/provisioning/datasources/prometheus.yml"), "datasources")
                .stream()
                .map(source -> String.valueOf(((Map<?, ?>) source).get("uid")))
                .collect(Collectors.toSet());
    }

    private static List<String> queries() {
        JsonNode dashboard = dashboard();
        return Stream.concat(
                        dashboard.path("panels").findValuesAsText("expr").stream(),
                        StreamSupport.stream(
                                        dashboard
                                                .path("templating")
                                                .path("list")
                                                .spliterator(),
                                        false)
                                .filter(variable ->
                                        variable.path("type").asText().equals("query"))
                                .map(variable -> variable.path("query").asText()))
                .toList();
    }
}

package dev.eden.api.operations;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What {@code docker-compose.yml} mounts and publishes, held against what the images and Eden's code read and listen on. */
final class Composition {
    private static final Pattern PUBLISHED = Pattern.compile("\\$\\{EDEN_BIND:-127\\.0\\.0\\.1}:(\\d+):(\\d+)");
    private static final String GRAFANAS_DASHBOARDS = "infra/grafana/provisioning/dashboards/eden.yml";
    /** Where the images of others keep their data, and what they listen on, when nobody says anything. */
    private static final Map<String, Defaults> OF_OTHERS = Map.of(
            "postgres", new Defaults("/var/lib/postgresql/data", "5432", "PGDATA"),
            "redis", new Defaults("/data", "6379", "--port"),
            "prom/prometheus", new Defaults("/prometheus", "9090", "--web.listen-address"),
            "grafana/grafana", new Defaults("/var/lib/grafana", "3000", "GF_SERVER_HTTP_PORT"),
            "temporalio/ui", new Defaults("-", "8080", "TEMPORAL_UI_PORT"));
    /** The images from 18 on have a folder for each version below their volume. */
    private static final Defaults POSTGRES_18 = new Defaults("/var/lib/postgresql", "5432", "PGDATA");

    /** {@code unless}: what changes one of them, and must not stand in the file. */
    private record Defaults(String data, String port, String unless) {}

    private record Mount(String service, String from, String to, boolean readOnly) {}

    private final Map<String, Object> services;
    private final Map<String, Object> volumes;
    private final List<String> problems = new ArrayList<>();

    private Composition(Map<String, Object> compose) {
        services = Project.map(compose, "services");
        volumes = Project.map(compose, "volumes");
    }

    /** What is wrong, in words; nothing where all is well. */
    static List<String> problems(Map<String, Object> compose) {
        Composition composition = new Composition(compose);
        composition.mounts();
        composition.ports();
        composition.addresses();
        composition.profiles();
        composition.databases();
        return composition.problems;
    }

    private void mounts() {
        Set<String> unused = new TreeSet<>(volumes.keySet());
        for (Mount mount : all()) {
            String what = mount.service + ": " + mount.from + " at " + mount.to;
            if (!mount.from.startsWith("./")) {
                unused.remove(mount.from);
                require(volumes.containsKey(mount.from), what + ": there is no such volume");
                require(mount.to.equals(data(mount.service)), what + ": its data are in " + data(mount.service));
                continue;
            }
            require(Files.isDirectory(Project.ROOT.resolve(mount.from)), what + ": is not in the project");
            require(mount.readOnly, what + ": the project's files can be written");
        }
        require(unused.isEmpty(), "volumes that nobody mounts: " + unused);
        files("prometheus", option(command("prometheus"), "--config.file="));
        Project.list(Project.yaml("infra/prometheus/prometheus.yml"), "rule_files")
                .forEach(file -> files("prometheus", String.valueOf(file)));
        // Where Grafana looks by itself, and where these files send it.
        files("grafana", "/etc/grafana/provisioning/datasources/prometheus.yml");
        files("grafana", "/etc/grafana/provisioning/dashboards/eden.yml");
        files("grafana", environment("grafana").getOrDefault("GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH", "not said"));
        files("grafana", provided() + "/eden.json");
        files("temporal-codec", command("temporal-codec").getLast());
        files("postgres-source", "/docker-entrypoint-initdb.d/orders.sh");
    }

    @SuppressWarnings("unchecked")
    private static String provided() {
        Map<String, Object> provider = (Map<String, Object>)
                Project.list(Project.yaml(GRAFANAS_DASHBOARDS), "providers").getFirst();
        return String.valueOf(Project.map(provider, "options").get("path"));
    }

    /** A file that a container reads is one of the project's, through one of its mounts. */
    private void files(String service, String path) {
        List<Path> there = all().stream()
                .filter(mount -> mount.service.equals(service) && mount.from.startsWith("./"))
                .filter(mount -> path.startsWith(mount.to + "/"))
                .map(mount -> Project.ROOT.resolve(mount.from).resolve(path.substring(mount.to.length() + 1)))
                .filter(Files::isRegularFile)
                .toList();
        require(there.size() == 1, service + " reads " + path + ": it is mounted " + there.size() + " times");
    }

    private void ports() {
        Set<String> outside = new TreeSet<>();
        services.keySet()
                .forEach(service -> Project.list(service(service), "ports").forEach(port -> {
                    Matcher matcher = PUBLISHED.matcher(String.valueOf(port));
                    if (!matcher.matches()) {
                        problems.add(service + ": " + port + " is reached from other machines");
                        return;
                    }
                    require(outside.add(matcher.group(1)), service + ": " + matcher.group(1) + " is published twice");
                    String listens = listens(service);
                    require(
                            matcher.group(2).equals(listens),
                            service + ": " + matcher.group(2) + " is published, it listens on " + listens);
                }));
        require(
                outside.equals(Set.of("8000", "6379", "6380", "5432", "5433", "9090", "3000", "8080", "8081")),
                "published: " + outside);
    }

    /** A service that is up needs others that are up: those without a profile, and those of its own. */
    private void profiles() {
        services.keySet()
                .forEach(service -> needed(service).forEach(other -> {
                    List<Object> profiles = Project.list(service(other), "profiles");
                    require(
                            profiles.isEmpty() || profiles.equals(Project.list(service(service), "profiles")),
                            service + " depends on " + other + ", which is of another profile");
                }));
    }

    private Set<String> needed(String service) {
        Object needed = service(service).get("depends_on");
        Set<String> names = new TreeSet<>();
        if (needed instanceof Map<?, ?> conditions) {
            conditions.keySet().forEach(name -> names.add(String.valueOf(name)));
        } else if (needed != null) {
            Project.list(service(service), "depends_on").forEach(name -> names.add(String.valueOf(name)));
        }
        return names;
    }

    /** Every database that is started keeps its data, and what Eden moves is what Eden can move. */
    private void databases() {
        for (String service : services.keySet()) {
            String image = image(service);
            boolean starts = !command(service).contains("sh");
            if (starts && (image.equals("postgres") || image.equals("redis"))) {
                require(
                        all().stream().anyMatch(mount -> mount.service.equals(service) && !mount.from.startsWith("./")),
                        service + " forgets its data");
            }
            if (starts && image.equals("postgres") && service.contains("-")) {
                require(command(service).contains("wal_level=logical"), service + " can't be moved: its wal_level");
            }
        }
    }

    private void addresses() {
        published("temporal-ui", "EDEN_TEMPORAL_UI");
        published("eden", "EDEN_PUBLIC_URL");
        String codec = environment("temporal-codec").getOrDefault("EDEN_CODEC", "not said");
        require(codec.equals("eden:" + listens("eden")), "the codec is asked at " + codec);
        String sources = Project.text("infra/grafana/provisioning/datasources/prometheus.yml");
        require(
                sources.contains("http://prometheus:" + listens("prometheus")),
                "Grafana does not ask Prometheus where it listens");
    }

    /** Where Eden says that a service is reached, it is published. */
    private void published(String service, String variable) {
        URI said = URI.create(environment("eden").getOrDefault(variable, "http://not-said:1"));
        require(
                Project.list(service(service), "ports").toString().contains(":" + said.getPort() + ":"),
                service + " is not published at " + said);
    }

    private String listens(String service) {
        List<String> command = command(service);
        if (own(service)) {
            return switch (command.getFirst()) {
                case "server" -> Project.defaultOf("server", "--api-port");
                case "proxy" ->
                    (command.contains("--listen")
                                    ? command.get(command.indexOf("--listen") + 1)
                                    : Project.defaultOf("proxy", "--listen"))
                            .replaceFirst("^.*:", "");
                default -> "nothing";
            };
        }
        if (image(service).equals("haproxy")) {
            return Project.text("infra/haproxy/codec.cfg").replaceFirst("(?s)^.*\\n *bind :(\\d+)\\n.*$", "$1");
        }
        Defaults defaults = defaults(service);
        require(
                !(command + environment(service).keySet().toString()).contains(defaults.unless),
                service + ": " + defaults.unless + " is set, and this test does not read it");
        return defaults.port;
    }

    private String data(String service) {
        if (own(service)) {
            return Project.text("Dockerfile").replaceFirst("(?s)^.*EDEN_DATA_DIR=(\\S+).*$", "$1");
        }
        return defaults(service).data;
    }

    private Defaults defaults(String service) {
        String version = String.valueOf(service(service).get("image")).replaceFirst("^.*:v?(\\d+).*$", "$1");
        return image(service).equals("postgres") && Integer.parseInt(version) >= 18
                ? POSTGRES_18
                : OF_OTHERS.getOrDefault(
                        image(service), new Defaults("nowhere that is known", "nothing that is known", "-"));
    }

    private String image(String service) {
        return String.valueOf(service(service).get("image")).replaceFirst(":.*$", "");
    }

    private List<Mount> all() {
        List<Mount> all = new ArrayList<>();
        services.keySet()
                .forEach(service -> Project.list(service(service), "volumes").forEach(volume -> {
                    String[] parts = String.valueOf(volume).split(":");
                    all.add(new Mount(service, parts[0], parts[1], parts.length > 2 && parts[2].equals("ro")));
                }));
        return all;
    }

    private boolean own(String service) {
        return String.valueOf(service(service).get("image")).startsWith("eden:");
    }

    private Map<String, Object> service(String name) {
        return Project.map(services, name);
    }

    private List<String> command(String service) {
        return Project.list(service(service), "command").stream()
                .map(String::valueOf)
                .toList();
    }

    private static String option(List<String> command, String prefix) {
        return command.stream()
                .filter(argument -> argument.startsWith(prefix))
                .map(argument -> argument.substring(prefix.length()))
                .findFirst()
                .orElse("not said");
    }

    private Map<String, String> environment(String service) {
        Map<String, String> variables = new LinkedHashMap<>();
        if (service(service).containsKey("environment")) {
            Project.map(service(service), "environment")
                    .forEach((name, value) -> variables.put(name, String.valueOf(value)));
        }
        return variables;
    }

    private void require(boolean holds, String otherwise) {
        if (!holds) {
            problems.add(otherwise);
        }
    }
}

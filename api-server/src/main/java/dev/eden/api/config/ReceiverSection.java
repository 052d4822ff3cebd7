package dev.eden.api.config;

import dev.eden.api.problem.StartupException;
import dev.eden.proxy.Secret;
import java.net.URI;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.Tag;

/**
 * {@code notify.receivers}, the one section whose keys somebody has chosen: it is in the file alone, since no variable and no flag could be named for each.
 */
final class ReceiverSection {
    static final String KEY = "notify.receivers";
    static final String EXAMPLE = """

            #notify:
            #   # who may be told of migrations, by names that you choose; a migration names them (docs/guide/notifications.md)
            #   receivers:
            #     oncall:
            #       # where to: http or https; url instead, where the address is no secret
            #       url_file: /run/secrets/oncall-url
            #       # what is sent is signed with it; without it, it is not
            #       secret_file: /run/secrets/oncall-secret
            """;

    private static final Pattern NAME = Pattern.compile("[A-Za-z][A-Za-z0-9_.-]{0,62}");
    private static final List<String> SETTINGS = List.of("url", "url_file", "secret_file");
    private static final int SHORTEST_SECRET = 16;

    private final ConfigFile file;
    private final Map<String, Written> receivers = new LinkedHashMap<>();

    ReceiverSection(ConfigFile file) {
        this.file = file;
    }

    /** @param at where the name stands */
    private record Written(ConfigFile.Value at, Map<String, ConfigFile.Value> settings) {}

    /** Their names, in the order of the file. */
    Set<String> names() {
        return receivers.keySet();
    }

    String place(String name) {
        return file.place(written(name).at());
    }

    /** Reads the files that it names. Throws {@link StartupException}. */
    Receiver open(String name) {
        Map<String, ConfigFile.Value> settings = written(name).settings();
        ConfigFile.Value inFile = settings.get("url_file");
        ConfigFile.Value secret = settings.get("secret_file");
        return new Receiver(
                name,
                inFile == null
                        ? new Secret(Objects.requireNonNull(settings.get("url"), "refused before")
                                .text())
                        : urlIn(inFile),
                secret == null ? null : secretIn(secret));
    }

    private Written written(String name) {
        Written written = receivers.get(name);
        if (written == null) {
            throw new IllegalArgumentException("no receiver " + name);
        }
        return written;
    }

    private Secret urlIn(ConfigFile.Value named) {
        Secret url = Configuration.secretIn(named.text(), file.place(named));
        problem(url.reveal()).ifPresent(problem -> {
            throw new StartupException(
                    file.place(named) + ": the URL in the file " + named.text() + " " + problem,
                    "put the receiver's address into it, and nothing else");
        });
        return url;
    }

    private Secret secretIn(ConfigFile.Value named) {
        Secret secret = Configuration.secretIn(named.text(), file.place(named));
        if (secret.reveal().length() < SHORTEST_SECRET) {
            throw new StartupException(
                    file.place(named) + ": the secret in the file " + named.text() + " is too short",
                    "use at least " + SHORTEST_SECRET + " characters: openssl rand -hex 32");
        }
        return secret;
    }

    void read(Node node) {
        if (Tag.NULL.equals(node.getTag())) {
            return;
        }
        if (!(node instanceof MappingNode mapping)) {
            file.fault(node.getStartMark(), KEY + " is a section with receivers by their names");
            return;
        }
        for (NodeTuple tuple : mapping.getValue()) {
            if (!(tuple.getKeyNode() instanceof ScalarNode nameNode)) {
                file.fault(tuple.getKeyNode().getStartMark(), "a key is a word");
                continue;
            }
            String name = nameNode.getValue();
            if (!NAME.matcher(name).matches()) {
                file.fault(
                        nameNode.getStartMark(),
                        "a receiver's name begins with a letter and has up to 63 letters, digits, '_', '.' or '-'");
            } else if (receivers.containsKey(name)) {
                file.fault(nameNode.getStartMark(), KEY + "." + name + " is there twice");
            } else {
                receivers.put(name, receiver(nameNode, tuple.getValueNode()));
            }
        }
    }

    private Written receiver(ScalarNode name, Node node) {
        String key = KEY + "." + name.getValue();
        Map<String, ConfigFile.Value> settings = new LinkedHashMap<>();
        if (node instanceof MappingNode mapping) {
            Set<String> seen = new HashSet<>();
            mapping.getValue().forEach(tuple -> setting(key, tuple, seen, settings));
            if (!seen.contains("url") && !seen.contains("url_file")) {
                file.fault(name.getStartMark(), key + " has no address: url, or url_file for one that is a secret");
            } else if (seen.contains("url") && seen.contains("url_file")) {
                file.fault(name.getStartMark(), key + " has url and url_file, which are for the same: one of them");
            }
        } else {
            file.fault(node.getStartMark(), key + " is a section with url or url_file, and secret_file");
        }
        return new Written(ConfigFile.value(name), settings);
    }

    private void setting(String of, NodeTuple tuple, Set<String> seen, Map<String, ConfigFile.Value> settings) {
        if (!(tuple.getKeyNode() instanceof ScalarNode keyNode)) {
            file.fault(tuple.getKeyNode().getStartMark(), "a key is a word");
            return;
        }
        String setting = keyNode.getValue();
        String key = of + "." + setting;
        if (setting.equals("secret")) {
            file.fault(
                    keyNode.getStartMark(), key + " would be a secret in this file; name a file with " + key + "_file");
        } else if (!SETTINGS.contains(setting)) {
            file.fault(
                    keyNode.getStartMark(),
                    "there is no setting " + key + "; there are " + String.join(", ", SETTINGS));
        } else if (!seen.add(setting)) {
            file.fault(keyNode.getStartMark(), key + " is there twice");
        } else if (!(tuple.getValueNode() instanceof ScalarNode value)) {
            file.fault(tuple.getValueNode().getStartMark(), key + " is one value");
        } else {
            (setting.equals("url") ? problem(value.getValue()) : Kind.FILE.problem(value.getValue()))
                    .ifPresent(problem -> file.fault(value.getStartMark(), key + " " + problem));
            settings.put(setting, ConfigFile.value(value));
        }
    }

    /** What is wrong with an address, without the address. */
    private static Optional<String> problem(String url) {
        Optional<String> problem = Kind.URL.problem(url);
        if (problem.isPresent()) {
            return problem;
        }
        URI uri = URI.create(url);
        return uri.getRawUserInfo() != null
                ? Optional.of("has a user in it, which would not be sent")
                : uri.getPort() > 65_535 ? Optional.of("has a port that there is not") : Optional.empty();
    }
}

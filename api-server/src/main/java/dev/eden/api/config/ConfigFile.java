package dev.eden.api.config;

import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.Tag;
import org.yaml.snakeyaml.reader.ReaderException;

/**
 * A configuration file as it was written: values with their places, and everything that is wrong with it at once. Nothing of a
 * wrong value is repeated where it may be a secret.
 */
public final class ConfigFile {
    private final Map<Setting, Value> values = new EnumMap<>(Setting.class);
    private final List<Fault> faults = new ArrayList<>();
    private final ReceiverSection receivers = new ReceiverSection(this);
    private final String name;

    private ConfigFile(String name) {
        this.name = name;
    }

    /** A value and where it stands; lines and columns begin with 1. */
    record Value(String text, int line, int column) {}

    static Value value(ScalarNode scalar) {
        Mark mark = scalar.getStartMark();
        return new Value(scalar.getValue(), mark.getLine() + 1, mark.getColumn() + 1);
    }

    /** Something wrong, and where. */
    public record Fault(String file, int line, int column, String message) {
        @Override
        public String toString() {
            return file + ":" + line + ":" + column + ": " + message;
        }
    }

    /** No file: no values, no faults. */
    static ConfigFile none() {
        return new ConfigFile("");
    }

    public static ConfigFile read(Path path) {
        ConfigFile file = new ConfigFile(path.toString());
        String text;
        try {
            text = Files.readString(path);
        } catch (IOException e) {
            file.faults.add(new Fault(file.name, 1, 1, "the file can't be read"));
            return file;
        }
        try {
            LoaderOptions options = new LoaderOptions();
            options.setMaxAliasesForCollections(0);
            Node root = new Yaml(new SafeConstructor(options)).compose(new StringReader(text));
            if (root != null) {
                file.section("", root);
            }
        } catch (MarkedYAMLException e) {
            file.fault(e.getProblemMark(), "is not YAML: " + e.getProblem());
        } catch (ReaderException e) {
            // Its message repeats what is around the character.
            long line = text.substring(0, Math.min(e.getPosition(), text.length()))
                    .lines()
                    .count();
            file.faults.add(new Fault(file.name, (int) Math.max(1, line), 1, "there is a control character near here"));
        } catch (YAMLException e) {
            file.faults.add(new Fault(
                    file.name, 1, 1, "is not YAML that Eden reads: no aliases of sections, no nesting without end"));
        }
        return file;
    }

    public List<Fault> faults() {
        return List.copyOf(faults);
    }

    Map<Setting, Value> values() {
        return values;
    }

    ReceiverSection receivers() {
        return receivers;
    }

    /** Where a value of this file stands. */
    String place(Value value) {
        return name + ":" + value.line() + ":" + value.column();
    }

    private void section(String prefix, Node node) {
        if (Tag.NULL.equals(node.getTag())) {
            return;
        }
        if (!(node instanceof MappingNode mapping)) {
            fault(
                    node.getStartMark(),
                    prefix.isEmpty() ? "a configuration is a mapping" : prefix + " is a section with settings");
            return;
        }
        Set<String> seen = new HashSet<>();
        for (NodeTuple tuple : mapping.getValue()) {
            if (!(tuple.getKeyNode() instanceof ScalarNode keyNode)) {
                fault(tuple.getKeyNode().getStartMark(), "a key is a word");
                continue;
            }
            String key = prefix.isEmpty() ? keyNode.getValue() : prefix + "." + keyNode.getValue();
            if (!seen.add(key)) {
                fault(keyNode.getStartMark(), key + " is there twice");
            } else if (key.equals(ReceiverSection.KEY)) {
                receivers.read(tuple.getValueNode());
            } else if (isSection(key)) {
                section(key, tuple.getValueNode());
            } else {
                Setting.ofKey(key)
                        .ifPresentOrElse(setting -> value(setting, tuple.getValueNode()), () -> unknown(key, keyNode));
            }
        }
    }

    private void value(Setting setting, Node node) {
        if (!(node instanceof ScalarNode scalar)) {
            fault(node.getStartMark(), setting.key() + " is one value");
            return;
        }
        String text = scalar.getValue();
        setting.kind()
                .problem(text)
                .ifPresentOrElse(problem -> fault(scalar.getStartMark(), setting.key() + " " + problem), () -> {
                    if (setting == Setting.DATABASE_URL && Kind.DatabaseAddress.hasPassword(text)) {
                        fault(
                                scalar.getStartMark(),
                                "database.url has a password in it; put it into database.password_file or EDEN_DATABASE_PASSWORD");
                    }
                });
        values.put(setting, value(scalar));
    }

    private void unknown(String key, ScalarNode node) {
        for (Setting setting : Setting.values()) {
            if (setting.kind() instanceof Kind.Secret && setting.key().equals(key + "_file")) {
                fault(
                        node.getStartMark(),
                        key + " would be a secret in this file; name a file with " + setting.key() + ", or use "
                                + setting.variable());
                return;
            }
        }
        String near = java.util.Arrays.stream(Setting.values())
                .map(Setting::key)
                .filter(known -> nearly(known, key))
                .findFirst()
                .map(known -> "; did you mean " + known + "?")
                .orElse("; docs/configuration.md lists all");
        fault(node.getStartMark(), "there is no setting " + key + near);
    }

    /** The same section with a few letters wrong, or the same word in another section. */
    private static boolean nearly(String known, String key) {
        return last(known).equals(last(key)) || Spelling.distance(known, key) <= 2;
    }

    private static String last(String key) {
        return key.substring(key.lastIndexOf('.') + 1);
    }

    private static boolean isSection(String key) {
        for (Setting setting : Setting.values()) {
            if (setting.key().startsWith(key + ".")) {
                return true;
            }
        }
        return ReceiverSection.KEY.startsWith(key + ".");
    }

    void fault(Mark mark, String message) {
        faults.add(new Fault(name, mark.getLine() + 1, mark.getColumn() + 1, message));
    }
}

package dev.eden.api.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.eden.api.json.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The servers a person works with, in {@code ~/.config/eden/contexts.json}: for its owner only (0600), because a token may be in
 * it. A file that others can read is refused.
 */
final class Contexts {
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rw-------");

    private final Path file;
    private @Nullable String current;
    private final Map<String, Context> contexts = new LinkedHashMap<>();

    private Contexts(Path file) {
        this.file = file;
    }

    /**
     * Of the three that say where the token comes from at most one is set.
     *
     * @param caFile authorities of the server's certificate
     */
    record Context(
            String url,
            @Nullable String token,
            @Nullable String tokenFile,
            @Nullable String tokenEnv,
            @Nullable String caFile) {

        String tokenSource() {
            return tokenFile != null
                    ? "file " + tokenFile
                    : tokenEnv != null ? "variable " + tokenEnv : token != null ? "stored" : "EDEN_TOKEN";
        }

        @Override
        public String toString() {
            return "Context[url=" + url + ", token " + tokenSource() + "]";
        }
    }

    static Contexts load(Terminal terminal) {
        Contexts contexts = new Contexts(terminal.configDirectory().resolve("contexts.json"));
        if (Files.exists(contexts.file)) {
            contexts.read();
        }
        return contexts;
    }

    Map<String, Context> all() {
        return contexts;
    }

    Optional<String> current() {
        return Optional.ofNullable(current);
    }

    Context get(String name) {
        Context found = contexts.get(name);
        if (found == null) {
            throw new CliFailure(
                    ExitCode.NOT_FOUND,
                    "there is no context " + name,
                    contexts.isEmpty()
                            ? "make one: eden context add " + name + " --url http://HOST:8000 --token-file FILE"
                            : "one of " + String.join(", ", contexts.keySet()));
        }
        return found;
    }

    void put(String name, Context context) {
        contexts.put(name, context);
        if (current == null) {
            current = name;
        }
        write();
    }

    void use(String name) {
        get(name);
        current = name;
        write();
    }

    void remove(String name) {
        get(name);
        contexts.remove(name);
        if (name.equals(current)) {
            current = null;
        }
        write();
    }

    private void read() {
        JsonNode tree;
        try {
            if (posix() && !OWNER_ONLY.containsAll(Files.getPosixFilePermissions(file))) {
                throw new CliFailure(
                        ExitCode.FAILED, file + " may hold tokens and others can read it", "chmod 600 " + file);
            }
            tree = Json.mapper().readTree(Files.readString(file));
        } catch (JsonProcessingException e) {
            throw new CliFailure(ExitCode.FAILED, file + " is not JSON", "correct it, or delete it and begin anew");
        } catch (IOException e) {
            throw new CliFailure(ExitCode.FAILED, file + " can't be read", "make it readable to you alone");
        }
        current = text(tree, "current");
        tree.path("contexts")
                .properties()
                .forEach(entry -> contexts.put(
                        entry.getKey(),
                        new Context(
                                entry.getValue().path("url").asText(),
                                text(entry.getValue(), "token"),
                                text(entry.getValue(), "token_file"),
                                text(entry.getValue(), "token_env"),
                                text(entry.getValue(), "ca_file"))));
    }

    private void write() {
        ObjectNode tree = Json.mapper().createObjectNode();
        tree.put("current", current);
        ObjectNode all = tree.putObject("contexts");
        contexts.forEach((name, context) -> {
            ObjectNode node = all.putObject(name);
            node.put("url", context.url());
            putIfThere(node, "token", context.token());
            putIfThere(node, "token_file", context.tokenFile());
            putIfThere(node, "token_env", context.tokenEnv());
            putIfThere(node, "ca_file", context.caFile());
        });
        try {
            Files.createDirectories(file.getParent());
            Path fresh = file.resolveSibling("contexts.json.new");
            Files.deleteIfExists(fresh);
            if (posix()) {
                Files.createFile(fresh, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
            }
            Files.writeString(fresh, tree.toPrettyString() + "\n", StandardOpenOption.CREATE);
            Files.move(fresh, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new CliFailure(ExitCode.FAILED, file + " can't be written", "check its folder's permissions");
        }
    }

    private boolean posix() {
        return file.getFileSystem().supportedFileAttributeViews().contains("posix");
    }

    private static void putIfThere(ObjectNode node, String name, @Nullable String value) {
        if (value != null) {
            node.put(name, value);
        }
    }

    private static @Nullable String text(JsonNode tree, String name) {
        return tree.path(name).isTextual() ? tree.path(name).asText() : null;
    }
}

package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A document's commands, pasted into bash as they are printed: only what the document says by a variable differs. */
final class Pasted {
    private static final int PATIENCE_SECONDS = 60;

    private final Path folder;
    private final Map<String, String> variables;

    /** @param folder for what bash and curl leave */
    Pasted(Path folder, Map<String, String> variables) throws IOException {
        this.folder = folder;
        this.variables = Map.copyOf(variables);
        // curl reads it (CURL_HOME), so that a test sees the status and the command stays as it is printed.
        Files.writeString(folder.resolve(".curlrc"), "silent\nshow-error\nwrite-out = \"\\n%{http_code}\"\n");
    }

    /** What one curl was answered. */
    record Answer(int status, String body) {
        JsonNode json() {
            return Json.tree(body.isEmpty() ? "{}" : body);
        }
    }

    Answer curl(String command) throws IOException, InterruptedException {
        String said = run(command);
        int status = said.lastIndexOf('\n');
        return new Answer(Integer.parseInt(said.substring(status + 1)), said.substring(0, status));
    }

    /** What it says on standard output; it has to end well. */
    String run(String commands) throws IOException, InterruptedException {
        Path output = folder.resolve("output");
        Path errors = folder.resolve("errors");
        ProcessBuilder shell = new ProcessBuilder("bash", "-eu", "-o", "pipefail", "-c", commands)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(output.toFile())
                .redirectError(errors.toFile());
        shell.environment().put("CURL_HOME", folder.toString());
        shell.environment().putAll(variables);
        Process process = shell.start();
        boolean ended = process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
        process.destroy();
        String said = Files.readString(output, StandardCharsets.UTF_8);
        assertThat(ended && process.waitFor() == 0)
                .as(commands + "\n" + said + "\n" + Files.readString(errors, StandardCharsets.UTF_8))
                .isTrue();
        return said;
    }
}

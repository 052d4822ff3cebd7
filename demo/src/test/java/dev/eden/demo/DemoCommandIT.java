package dev.eden.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import picocli.CommandLine;

/** The demo's own parts, end to end, on a stand-in for Eden that moves nothing and loses nothing. */
@Isolated("takes what this JVM prints, and every processor")
class DemoCommandIT {
    @Test
    void anHonestServiceGetsAPassAndTheLastLineIsJson() throws Exception {
        JsonNode json = passes("--json", "--seconds=20", "--keys=5000", "--rate=1500", "--seed=5");

        assertThat(json.get("engine").asText()).isEqualTo("redis");
        assertThat(json.get("acknowledged_writes").asLong()).isGreaterThan(1_000);
        assertThat(json.get("ops_per_second").asLong()).isPositive();
        assertThat(json.at("/flips/0/requests").asInt()).isPositive();
    }

    @Test
    void anHonestServiceOfPostgresGetsAPassToo() throws Exception {
        JsonNode json =
                passes("--postgres", "--from=18", "--json", "--seconds=20", "--keys=2000", "--rate=300", "--seed=5");

        assertThat(json.get("engine").asText()).isEqualTo("postgres");
        assertThat(json.get("acknowledged_writes").asLong()).isGreaterThan(100);
        assertThat(json.get("in_doubt").asLong()).isZero();
    }

    /** Runs the demo, which must pass with three flips; gives its last line. */
    private static JsonNode passes(String... arguments) throws Exception {
        ByteArrayOutputStream captured = new ByteArrayOutputStream();
        PrintStream before = System.out;
        int exit;
        System.setOut(new PrintStream(captured, true, StandardCharsets.UTF_8));
        try {
            exit = new CommandLine(new DemoCommand()).execute(arguments);
        } finally {
            System.setOut(before);
        }

        List<String> lines = captured.toString(StandardCharsets.UTF_8).lines().toList();
        assertThat(exit).as(() -> String.join("\n", lines)).isZero();
        JsonNode json = new ObjectMapper().readTree(lines.getLast());
        assertThat(json.get("verdict").asText()).isEqualTo("passed");
        assertThat(json.get("flips")).hasSize(3);
        return json;
    }

    @Test
    void senselessOptionsAreRefusedInWords() {
        CommandLine command = new CommandLine(new DemoCommand());
        ByteArrayOutputStream errors = new ByteArrayOutputStream();
        command.setErr(new java.io.PrintWriter(errors, true, StandardCharsets.UTF_8));

        assertThat(command.execute("--seconds=1")).isEqualTo(2);
        assertThat(errors.toString(StandardCharsets.UTF_8)).contains("--seconds must be between");
        assertThat(command.execute("--postgres", "--to=13")).isEqualTo(2);
        assertThat(errors.toString(StandardCharsets.UTF_8)).contains("--to must be between 14 and 18");
        assertThat(command.execute("--all", "--keep")).isEqualTo(2);
        assertThat(errors.toString(StandardCharsets.UTF_8)).contains("--keep is for one database");
    }
}

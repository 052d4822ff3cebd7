package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.eden.demo.chaos.ChaosCommand;
import dev.eden.embedded.EmbeddedTemporal;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** A sample of what {@code eden chaos} runs at length: one migration under load, a fault in each flip, nothing lost. */
@Tag("alone")
class ChaosIT {
    @Test
    void nothingIsLostWhenProcessesDieOrStallInTheMiddleOfAFlip() throws Exception {
        JsonNode json = passed(
                "--faults=cutover.fence:kill:server,cutover.commit:stop:server,proxy.drained:kill:proxy-1,"
                        + "random:kill:store,cutover.turn:cut:server~standby",
                "--seed=7",
                "--seconds=240",
                "--keys=2000",
                "--rate=800",
                "--clients=12");
        assertThat(json.get("faults").size()).isEqualTo(5);
    }

    /** There and back, three times, with half of the reads on the target. docs/postgres-histories.sh runs many of these. */
    @Test
    void nothingIsLostOfAPostgresEither() throws Exception {
        JsonNode json = passed(
                "--postgres",
                "--faults=cutover.unfence:kill:server,proxy.drained:stop:proxy-1,cutover.turn:kill:server,"
                        + "cutover.fence:cut:owner~standby,proxy.armed:cut:proxy-2,cutover.commit:kill:proxy-3",
                "--proxies=3",
                "--share=0.5",
                "--seed=7",
                "--seconds=240",
                "--keys=2000",
                "--rate=300",
                "--clients=8",
                "--deadline=1500");
        assertThat(json.get("faults").size()).isEqualTo(6);
    }

    private static JsonNode passed(String... arguments) throws Exception {
        assumeTrue(
                EmbeddedTemporal.devServerBinary().isPresent(),
                "SKIPPED: faults need the durable Temporal dev server, and there is none here (infra/temporal/build makes it)");
        ByteArrayOutputStream captured = new ByteArrayOutputStream();
        PrintStream before = System.out;
        int exit;
        System.setOut(new PrintStream(captured, true, StandardCharsets.UTF_8));
        try {
            exit = new CommandLine(new ChaosCommand())
                    .execute(Stream.concat(Stream.of(arguments), Stream.of("--json"))
                            .toArray(String[]::new));
        } finally {
            System.setOut(before);
        }
        List<String> lines = captured.toString(StandardCharsets.UTF_8).lines().toList();
        assertThat(exit).as(() -> String.join("\n", lines)).isZero();
        JsonNode json = new ObjectMapper().readTree(lines.getLast());
        assertThat(json.get("verdict").asText()).isEqualTo("passed");
        assertThat(json.get("acknowledged_writes").asLong()).isGreaterThan(1_000);
        assertThat(json.get("unreached").asInt()).isZero();
        return json;
    }
}

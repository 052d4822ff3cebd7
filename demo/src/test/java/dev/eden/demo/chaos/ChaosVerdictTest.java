package dev.eden.demo.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.eden.demo.history.History.Window;
import dev.eden.demo.load.LoadStats;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ChaosVerdictTest {
    private final FaultReport struck = report(1, "cutover.fence");
    private final FaultReport missed = report(2, "settle.restore");

    ChaosVerdictTest() {
        struck.window = new Window(10, 20);
        struck.outcome = "aborted";
    }

    @Test
    void aRunInWhichEveryFaultStruckPasses() throws Exception {
        ChaosVerdict verdict = verdict(List.of(struck), null);
        assertThat(verdict.exitStatus()).isZero();
        assertThat(json(verdict).get("verdict").asText()).isEqualTo("passed");
        assertThat(json(verdict).get("unreached").asInt()).isZero();
    }

    @Test
    void aFaultThatNeverStruckIsNoPass() throws Exception {
        ChaosVerdict verdict = verdict(List.of(struck, missed), null);
        assertThat(verdict.passed()).isFalse();
        assertThat(verdict.exitStatus()).isEqualTo(3);
        assertThat(json(verdict).get("verdict").asText()).isEqualTo("incomplete");
        assertThat(json(verdict).get("unreached").asInt()).isEqualTo(1);
        assertThat(verdict.words())
                .contains("INCOMPLETE; seed 7", "  ! #2 settle.restore kill: not reached")
                .anyMatch(line -> line.endsWith("1 of 2 faults struck"));
    }

    @Test
    void aFailureWeighsMore() {
        assertThat(verdict(List.of(missed), "it did not settle").exitStatus()).isEqualTo(1);
    }

    @Test
    void onlyClientsOfTheKilledProxiesMayLoseTheirConnection() {
        FaultReport report = report(1, "settle.unfence", Node.PROXY_1);
        report.window = new Window(1_000_000, 2_000_000);
        report.backAt = 1_500_000;
        ChaosVerdict.blame(List.of(report), new LoadStats.Trouble(0, 0, true, "lost"), 1_200_000);
        assertThat(report.anomalies).isEmpty();
        ChaosVerdict.blame(List.of(report), new LoadStats.Trouble(1, 0, true, "lost"), 1_200_000);
        assertThat(report.anomalies).hasSize(1);

        // Both came to the point.
        report.anomalies.clear();
        report.also.add(Node.PROXY_2);
        ChaosVerdict.blame(List.of(report), new LoadStats.Trouble(1, 0, true, "lost"), 1_200_000);
        assertThat(report.anomalies).isEmpty();
        ChaosVerdict.blame(List.of(report), new LoadStats.Trouble(1, 0, false, "ERR"), 1_200_000);
        assertThat(report.anomalies).hasSize(1);
    }

    @Test
    void aListenerMayBeToldThatItsProxyCouldNotReadTheCommit() {
        LoadStats.Trouble told =
                new LoadStats.Trouble(-1, 0, true, "listener: 57P01 FATAL: eden: the interlay has moved");
        LoadStats.Trouble lost = new LoadStats.Trouble(-1, 0, true, "listener: 08006 the connection was lost");
        LoadStats.Trouble client = new LoadStats.Trouble(3, 0, true, "57P01 FATAL: eden: the interlay has moved");
        FaultReport store = report(1, "cutover.unfence", Node.STORE);
        FaultReport server = report(2, "cutover.unfence", Node.SERVER);
        for (FaultReport report : List.of(store, server)) {
            report.window = new Window(1_000_000, 2_000_000);
            report.backAt = 1_500_000;
            for (LoadStats.Trouble trouble : List.of(told, lost, client)) {
                ChaosVerdict.blame(List.of(report), trouble, 1_200_000);
            }
        }
        assertThat(store.anomalies).hasSize(2);
        assertThat(server.anomalies).hasSize(3);
    }

    @Test
    void aPartitionFromADatabaseExcusesListenersOfItsProxyAlone() {
        FaultReport report = report(1, "cutover.turn", Way.PROXY_2_OWNER);
        report.window = new Window(1_000_000, 2_000_000);
        report.backAt = 1_500_000;
        String late = "57P01 FATAL: eden: this proxy was late, and notifications may have been missed";
        ChaosVerdict.blame(List.of(report), new LoadStats.Trouble(-2, 0, true, "listener: " + late), 1_200_000);
        assertThat(report.anomalies).isEmpty();
        ChaosVerdict.blame(List.of(report), new LoadStats.Trouble(-1, 0, true, "listener: " + late), 1_200_000);
        ChaosVerdict.blame(List.of(report), new LoadStats.Trouble(-2, 0, true, "listener: 08006 lost"), 1_200_000);
        ChaosVerdict.blame(List.of(report), new LoadStats.Trouble(1, 0, true, late), 1_200_000);
        assertThat(report.anomalies).hasSize(3);
    }

    private static JsonNode json(ChaosVerdict verdict) throws Exception {
        return new ObjectMapper().readTree(verdict.json());
    }

    private static ChaosVerdict verdict(List<FaultReport> reports, @Nullable String failure) {
        ChaosOptions options = new ChaosOptions(List.of(), true, List.of(), List.of(), 7, 60, 100, 8, 100, 0, 300, 2);
        return new ChaosVerdict(options, reports, failure);
    }

    private static FaultReport report(int number, String point) {
        return report(number, point, Node.SERVER);
    }

    private static FaultReport report(int number, String point, Victim victim) {
        return new FaultReport(number, new Fault(point, true, 0, victim, Blow.KILL, 100, 2), 2);
    }
}

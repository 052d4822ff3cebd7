package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.canary.RouteCanary;
import dev.eden.activities.store.RouteLedger;
import dev.eden.activities.store.RouteLedger.Reported;
import dev.eden.proxy.TrafficReport;
import dev.eden.workflows.HistoryJson;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.MigrationSpec.Gates;
import dev.eden.workflows.Strategy;
import dev.eden.workflows.Strategy.WriteMode;
import dev.eden.workflows.activity.CanaryActivities;
import dev.eden.workflows.activity.CanaryActivities.CanaryRequest;
import dev.eden.workflows.activity.CanaryActivities.CanaryVerdict;
import io.temporal.client.WorkflowClientOptions;
import io.temporal.testing.TestActivityEnvironment;
import io.temporal.testing.TestEnvironmentOptions;
import java.lang.reflect.Proxy;
import java.time.Clock;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a canary's watch tells besides its verdict. */
class StageToldTest {
    private static final Strategy STRATEGY =
            new Strategy("canary", 0.5, "session", 5, null, new WriteMode("dual_write", null, "source", null));
    /** A target that fails a read ends the watch. */
    private static final MigrationSpec SPEC = new MigrationSpec(
            "m",
            "",
            "postgres",
            "source",
            "target",
            List.of("front"),
            STRATEGY,
            new MigrationSpec.Data("logical", "logical", "fail", null),
            new Gates(0.01, -1, -1, 1, 100, "hold"),
            MigrationSpec.FailureHandling.PAUSE,
            MigrationSpec.CutoverBudget.defaults(),
            null);

    @Test
    void readsThatDifferAreToldOfThoughNothingGatesThem() {
        Deque<List<Reported>> heard =
                new ArrayDeque<>(List.of(heard(10, 0, 0), heard(20, 1, 0), heard(30, 1, 0), heard(40, 3, 9)));
        RouteLedger routes = (RouteLedger) Proxy.newProxyInstance(
                RouteLedger.class.getClassLoader(), new Class<?>[] {RouteLedger.class}, (_, method, _) -> {
                    assertThat(method.getName()).isEqualTo("traffic");
                    return heard.size() > 1 ? heard.removeFirst() : heard.getFirst();
                });
        ToldStages stages = new ToldStages();
        TestActivityEnvironment environment = TestActivityEnvironment.newInstance(TestEnvironmentOptions.newBuilder()
                .setWorkflowClientOptions(WorkflowClientOptions.newBuilder()
                        .setDataConverter(HistoryJson.converter())
                        .build())
                .build());
        try {
            environment.registerActivitiesImplementations(new RouteCanary(routes, stages, Clock.systemUTC()));
            CanaryVerdict verdict =
                    environment.newActivityStub(CanaryActivities.class).watch(new CanaryRequest(SPEC, STRATEGY));
            assertThat(verdict.breached()).isTrue();
        } finally {
            environment.close();
        }
        assertThat(stages.differences)
                .containsExactly(
                        "1: 1 of 10 reads asked of both sides had different rows, rate 0.1000, not gated",
                        "3: 3 of 30 reads asked of both sides had different rows, rate 0.1000, not gated");
    }

    private static List<Reported> heard(long compared, long mismatched, long errors) {
        var active = new TrafficReport.Side(compared, 0, 1, 1, compared);
        var standby = new TrafficReport.Side(compared, errors, 1, 1, compared);
        return List.of(new Reported(
                "front",
                "p1",
                "i1",
                new TrafficReport(
                        1, 1, 0, active, standby, compared, compared, compared, compared, mismatched, Map.of())));
    }
}

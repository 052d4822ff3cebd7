package dev.eden.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.ByteString;
import dev.eden.workflows.Command.Kind;
import dev.eden.workflows.MigrationPhase.Canary;
import dev.eden.workflows.MigrationPhase.NeedsOperator;
import dev.eden.workflows.MigrationPhase.RollingBack;
import dev.eden.workflows.activity.DirectoryActivities.PhaseRecord;
import io.temporal.api.common.v1.Payload;
import io.temporal.common.converter.DataConverter;
import io.temporal.common.converter.DefaultDataConverter;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What lives in histories comes back as it went in, through the converter that production uses. */
class JsonTest {
    private static final DataConverter CONVERTER = HistoryJson.converter();

    private static <T> T there(T value, Class<T> type) {
        return CONVERTER.fromPayload(CONVERTER.toPayload(value).orElseThrow(), type, type);
    }

    static List<MigrationPhase> phases() {
        return List.of(
                new MigrationPhase.Created(),
                new MigrationPhase.Initializing(),
                new MigrationPhase.Replicating(),
                new MigrationPhase.Validating(),
                new Canary(3),
                new MigrationPhase.CuttingOver(2),
                new MigrationPhase.Baking(),
                new RollingBack(true),
                new MigrationPhase.Completed(),
                new MigrationPhase.RolledBack(),
                new NeedsOperator("why", new RollingBack(true)));
    }

    @ParameterizedTest
    @MethodSource("phases")
    void phasesKeepTheirType(MigrationPhase phase) {
        assertThat(there(phase, MigrationPhase.class)).isEqualTo(phase);
        String json = CONVERTER.toPayload(phase).orElseThrow().getData().toStringUtf8();
        assertThat(json).contains("\"phase\":\"" + phase.label() + "\"");
    }

    private static <T> T typed(String json, Class<T> type) {
        Payload payload = Payload.newBuilder()
                .putMetadata("encoding", ByteString.copyFromUtf8("json/plain"))
                .setData(ByteString.copyFromUtf8(json))
                .build();
        return CONVERTER.fromPayload(payload, type, type);
    }

    @Test
    void aCommandTypedInTheWordsOfTheRestApiIsUnderstood() {
        Command command = typed("""
                {"actor": "kim", "empty_target": true, "phase": "canary", "strategy": {"type": "canary", "read_percentage": 0.2,
                 "write_mode": {"write_percentage": 0.0}, "stages": [{"read_percentage": 0.1, "bakeSeconds": 60,
                 "gates": {"max_error_rate": 0.01, "min_samples": 7}}]}}""", Command.class);
        assertThat(command.emptyTarget()).isTrue();
        assertThat(command.phase()).isEqualTo("canary");
        Strategy strategy = Objects.requireNonNull(command.strategy());
        assertThat(strategy.readPercentage()).isEqualTo(0.2);
        assertThat(strategy.writeMode()).isEqualTo(new Strategy.WriteMode("dual_write", null, "source", 0.0));
        assertThat(strategy.plan())
                .containsExactly(new Strategy.Stage(0.1, 60, new MigrationSpec.Gates(0.01, -1, -1, 7, 100, "hold")));
        assertThat(strategy.problem()).isEmpty();
    }

    @Test
    void everythingThatIsCarriedComesBack() {
        Strategy strategy = Bench.canary(0.25, new Strategy.Stage(0.05, 60), new Strategy.Stage(0.5, 0));
        Command command = new Command(Kind.PATCH_STRATEGY, "id", "alice", "because", strategy, true)
                .askedBy(new Correlation("r1", "00-" + "a".repeat(32) + "-" + "b".repeat(16) + "-01"))
                .naming(false, List.of(Strategy.ACK))
                .meantFor("canary");
        var carried = new CarriedState(
                new NeedsOperator("why", new Canary(1)),
                strategy,
                true,
                true,
                1,
                2,
                3,
                "reason",
                List.of(command),
                List.of("a", "b"),
                0.5,
                true,
                true,
                strategy,
                true,
                4,
                5,
                true,
                true,
                true,
                true,
                true,
                6,
                true,
                true);
        MigrationInput input = new MigrationInput(Bench.spec(), carried, 100);
        assertThat(there(input, MigrationInput.class)).isEqualTo(input);
    }

    /** As records of a version were that reads strictly what others have written. */
    private record FormerCommand(
            Kind kind,
            String id,
            String actor,
            String reason,
            @Nullable Strategy strategy,
            @Nullable Boolean emptyTarget,
            @Nullable String request,
            @Nullable String traceparent) {}

    private record FormerRecord(
            String migration,
            long revision,
            String phase,
            String viewJson,
            String actor,
            String event,
            String reason,
            @Nullable Strategy strategy) {}

    /** Any server may take what another has begun, also one of the version before, and the one after may know more. */
    @Test
    void serversOfTwoVersionsReadEachOther() {
        DataConverter former = DefaultDataConverter.STANDARD_INSTANCE;
        Command abort = new Command(Kind.ABORT, "id", "alice", "because", null, true);
        assertThat(former.fromPayload(
                        CONVERTER.toPayload(abort).orElseThrow(), FormerCommand.class, FormerCommand.class))
                .isEqualTo(new FormerCommand(Kind.ABORT, "id", "alice", "because", null, true, null, null));
        PhaseRecord record = new PhaseRecord("m", 3, "canary", "{}", "eden", "phase_changed", "", null);
        assertThat(former.fromPayload(
                        CONVERTER.toPayload(record).orElseThrow(), FormerRecord.class, FormerRecord.class))
                .isEqualTo(new FormerRecord("m", 3, "canary", "{}", "eden", "phase_changed", "", null));
        Payload later = CONVERTER
                .toPayload(Map.of("kind", "ABORT", "id", "id", "actor", "alice", "reason", "", "urgency", "high"))
                .orElseThrow();
        assertThat(CONVERTER.fromPayload(later, Command.class, Command.class))
                .isEqualTo(new Command(Kind.ABORT, "id", "alice", "", null));
    }

    @Test
    void aBudgetOfBeforeHasNoWordForOpenTransactions() throws Exception {
        ObjectMapper json = new ObjectMapper();
        var told = new MigrationSpec.CutoverBudget(100, 5, MigrationSpec.CutoverBudget.CANCEL);
        assertThat(there(told, MigrationSpec.CutoverBudget.class)).isEqualTo(told);
        assertThat(told.cancels()).isTrue();
        var before = json.readValue("{\"deadlineMs\":100,\"maxAttempts\":5}", MigrationSpec.CutoverBudget.class);
        assertThat(before).isEqualTo(MigrationSpec.CutoverBudget.defaults());
        assertThat(before.cancels()).isFalse();
    }

    @Test
    void theViewOfTheDirectoryIsTheViewOfTheQuery() throws Exception {
        var view = new MigrationView(
                new Canary(1), false, 0.25, true, false, List.of("b"), 1, 0, "r", List.of("cutover"), true, 5L);
        assertThat(new ObjectMapper().readValue(ViewJson.write(view), MigrationView.class))
                .isEqualTo(view);
        assertThat(there(view, MigrationView.class)).isEqualTo(view);
        String before = ViewJson.write(view).replace(",\"failed\":true,\"bakeUntilMillis\":5", "");
        MigrationView old = new ObjectMapper().readValue(before, MigrationView.class);
        assertThat(old.failed()).as("what an older version recorded").isNull();
        assertThat(old.bakeUntilMillis()).isNull();
    }

    @Test
    void whatACommandSaysOfItsRequestIsHeldAgainstItsForm() {
        String parent = "00-" + "a".repeat(32) + "-" + "b".repeat(16) + "-01";
        Command plain = new Command(Kind.CUTOVER, "id", "alice", "because", null);
        Command good = plain.askedBy(new Correlation("r-1._", parent)).naming(false, List.of(Strategy.ACK));
        assertThat(CommandInbox.complete(Kind.CUTOVER, good)).isEqualTo(good);
        for (String bad : List.of("", "a b", "r\n", "x".repeat(65), parent + "0")) {
            assertThat(CommandInbox.complete(Kind.CUTOVER, plain.askedBy(new Correlation(bad, bad))))
                    .as("the command is taken, what is no correlation is left out")
                    .isEqualTo(plain.askedBy(new Correlation(bad.equals(parent + "0") ? bad : null, null)));
        }
    }

    @Test
    void aCommandThatNamesNoTermsIsReadByServersThatKnowOfNone() {
        Command plain = new Command(Kind.ROLLBACK, "id", "alice", "because", null);
        assertThat(CONVERTER.toPayload(plain).orElseThrow().getData().toStringUtf8())
                .doesNotContain("termsNamed");
        assertThat(there(plain, Command.class)).isEqualTo(plain);
    }

    @Test
    void aCommandTypedByHandNeedsLittle() throws Exception {
        ObjectMapper json = new ObjectMapper();
        Command pause = json.readValue("{\"actor\":\"bob\"}", Command.class);
        assertThat(CommandInbox.complete(Kind.PAUSE, pause))
                .isEqualTo(new Command(Kind.PAUSE, "", "bob", "", null, null));
        Command patch = json.readValue("{\"strategy\":{\"type\":\"canary\",\"readPercentage\":0.1}}", Command.class);
        assertThat(Optional.ofNullable(patch.strategy()).flatMap(Strategy::problem))
                .isEmpty();
    }
}

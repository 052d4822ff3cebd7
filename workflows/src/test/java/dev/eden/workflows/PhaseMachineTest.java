package dev.eden.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.workflows.Command.Kind;
import dev.eden.workflows.MigrationPhase.Baking;
import dev.eden.workflows.MigrationPhase.Canary;
import dev.eden.workflows.MigrationPhase.Completed;
import dev.eden.workflows.MigrationPhase.Created;
import dev.eden.workflows.MigrationPhase.CuttingOver;
import dev.eden.workflows.MigrationPhase.Initializing;
import dev.eden.workflows.MigrationPhase.NeedsOperator;
import dev.eden.workflows.MigrationPhase.Replicating;
import dev.eden.workflows.MigrationPhase.RolledBack;
import dev.eden.workflows.MigrationPhase.RollingBack;
import dev.eden.workflows.MigrationPhase.Validating;
import dev.eden.workflows.MigrationSpec.FailureHandling;
import dev.eden.workflows.PhaseMachine.Event;
import dev.eden.workflows.PhaseMachine.Facts;
import dev.eden.workflows.PhaseMachine.Moved;
import dev.eden.workflows.PhaseMachine.Refused;
import dev.eden.workflows.PhaseMachine.Transition;
import io.temporal.workflow.QueryMethod;
import io.temporal.workflow.SignalMethod;
import io.temporal.workflow.UpdateMethod;
import java.io.IOException;
import java.lang.annotation.Annotation;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Every phase against every command and every event. */
class PhaseMachineTest {
    private static final List<MigrationPhase> PHASES = List.of(
            new Created(),
            new Initializing(),
            new Replicating(),
            new Validating(),
            new Canary(0),
            new CuttingOver(1),
            new Baking(),
            new RollingBack(true),
            new RollingBack(false),
            new Completed(),
            new RolledBack(),
            new NeedsOperator("why", new Canary(0)));

    /** Validated, two stages, nothing out of the ordinary; writes are where the phase says. */
    private static Facts facts(MigrationPhase phase) {
        boolean target = phase instanceof Baking || phase.equals(new RollingBack(true));
        return new Facts(
                false,
                target,
                true,
                true,
                false,
                false,
                false,
                false,
                0,
                2,
                2,
                FailureHandling.NEEDS_OPERATOR,
                false,
                false,
                false);
    }

    private static Facts paused(Facts f) {
        return f.after(Kind.PAUSE, new Canary(0));
    }

    private static Facts finalizing(Facts f) {
        return f.after(Kind.FINALIZE, new Baking());
    }

    private static String told(Transition transition) {
        return switch (transition) {
            case Moved(NeedsOperator(String why, MigrationPhase to)) ->
                "needs_operator(" + why + "," + told(new Moved(to)) + ")";
            case Moved(Canary(int stage)) -> "canary" + stage;
            case Moved(CuttingOver(int attempt)) -> "cutting_over" + attempt;
            case Moved(RollingBack(boolean flip)) -> flip ? "flip_back" : "rolling_back";
            case Moved(MigrationPhase phase) -> phase.label();
            case Refused _ -> "-";
        };
    }

    /** The table: one line a phase, one column a command; "-" is refused. */
    @ParameterizedTest
    @CsvSource(useHeadersInDisplayName = true, delimiter = '|', textBlock = """
            phase             | advance | pause         | resume  | abort        | cutover       | rollback     | finalize | patch_strategy
            created           | -       | created       | -       | rolling_back | -             | rolling_back | -        | created
            initializing      | -       | initializing  | -       | rolling_back | -             | rolling_back | -        | initializing
            replicating       | -       | replicating   | -       | rolling_back | -             | rolling_back | -        | replicating
            validating        | -       | validating    | -       | rolling_back | -             | rolling_back | -        | validating
            canary0           | canary1 | canary0       | -       | rolling_back | cutting_over1 | rolling_back | -        | canary0
            cutting_over1     | -       | cutting_over1 | -       | rolling_back | -             | rolling_back | -        | -
            baking            | -       | baking        | -       | flip_back    | -             | flip_back    | baking   | -
            flip_back         | -       | flip_back     | -       | flip_back    | -             | -            | -        | -
            rolling_back      | -       | -             | -       | -            | -             | -            | -        | -
            completed         | -       | -             | -       | -            | -             | -            | -        | -
            rolled_back       | -       | -             | -       | -            | -             | -            | -        | -
            needs_operator    | -       | -             | canary0 | rolling_back | -             | rolling_back | -        | needs_operator
            """)
    void commands(
            String phase,
            String advance,
            String pause,
            String resume,
            String abort,
            String cutover,
            String rollback,
            String finalize,
            String patch) {
        MigrationPhase at = PHASES.stream()
                .filter(p -> told(new Moved(p)).replaceAll("\\(.*", "").equals(phase))
                .findFirst()
                .orElseThrow();
        List<String> expected = List.of(advance, pause, resume, abort, cutover, rollback, finalize, patch);
        List<String> answers = Arrays.stream(Kind.values())
                .map(kind -> told(PhaseMachine.onCommand(at, kind, facts(at))).replaceAll("\\(.*", ""))
                .toList();
        assertThat(answers).isEqualTo(expected);
    }

    static Stream<MigrationPhase> phases() {
        return PHASES.stream();
    }

    @ParameterizedTest
    @MethodSource("phases")
    void allowedIsWhatIsNotRefusedAndEveryRefusalSaysWhyAndWhatIsAllowed(MigrationPhase phase) {
        for (Facts facts : List.of(facts(phase), paused(facts(phase)), finalizing(facts(phase)))) {
            List<String> allowed = PhaseMachine.allowed(phase, facts);
            for (Kind kind : Kind.values()) {
                switch (PhaseMachine.onCommand(phase, kind, facts)) {
                    case Moved _ -> assertThat(allowed).contains(kind.label());
                    case Refused refused -> {
                        assertThat(allowed).doesNotContain(kind.label());
                        assertThat(refused.why()).isNotBlank();
                        assertThat(refused.allowed()).isEqualTo(allowed);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("phases")
    void whilePausedNothingNewIsStarted(MigrationPhase phase) {
        Facts facts = paused(facts(phase));
        if (phase.ended() || phase instanceof NeedsOperator) {
            return;
        }
        assertThat(PhaseMachine.allowed(phase, facts))
                .contains("resume")
                .doesNotContain("pause", "advance", "cutover", "finalize");
    }

    @Test
    void cutoverNamesEveryBlocker() {
        Facts facts = new Facts(
                true,
                false,
                false,
                false,
                false,
                false,
                false,
                false,
                0,
                0,
                3,
                FailureHandling.PAUSE,
                false,
                false,
                false);
        assertThat(facts.blockers(new Validating())).hasSize(4);
        assertThat(PhaseMachine.onCommand(new Validating(), Kind.CUTOVER, facts))
                .isInstanceOfSatisfying(
                        Refused.class,
                        refused -> assertThat(refused.why())
                                .contains("the phase is validating", "comparison", "paused", "replication is stopped"));
    }

    /** The source owns the writes, both are equal, and the log is followed. */
    private static Facts staged(boolean held, int stage, int stages, int attemptsLeft, boolean breachRollsBack) {
        return new Facts(
                false,
                false,
                true,
                true,
                false,
                false,
                held,
                false,
                stage,
                stages,
                attemptsLeft,
                FailureHandling.PAUSE,
                breachRollsBack,
                false,
                false);
    }

    @Test
    void advanceNeedsAPlanAndEndsWithItsLastStage() {
        Facts last = staged(false, 1, 2, 3, false);
        assertThat(told(PhaseMachine.onCommand(new Canary(1), Kind.ADVANCE, last)))
                .isEqualTo("-");
        Facts none = staged(false, 0, 0, 3, false);
        assertThat(told(PhaseMachine.onCommand(new Canary(0), Kind.ADVANCE, none)))
                .isEqualTo("-");
        Facts held = staged(true, 1, 2, 3, false);
        assertThat(told(PhaseMachine.onCommand(new Canary(1), Kind.ADVANCE, held)))
                .as("a held stage is entered again")
                .isEqualTo("canary1");
    }

    /** The way back is gone: to resume would fail again. */
    @Test
    void afterAFailureAMigrationThatHasFlippedCanBeFinalised() {
        Facts failed = new Facts(
                true,
                true,
                true,
                false,
                false,
                false,
                false,
                true,
                0,
                0,
                3,
                FailureHandling.PAUSE,
                false,
                false,
                false);
        assertThat(told(PhaseMachine.onCommand(new Baking(), Kind.FINALIZE, failed)))
                .isEqualTo("baking");
        assertThat(told(PhaseMachine.onCommand(new Baking(), Kind.FINALIZE, paused(facts(new Baking())))))
                .as("paused by somebody")
                .isEqualTo("-");
    }

    @Test
    void finalisingIsNotTakenBack() {
        Facts facts = finalizing(facts(new Baking()));
        assertThat(PhaseMachine.allowed(new Baking(), facts)).isEmpty();
        assertThat(PhaseMachine.allowed(new NeedsOperator("why", new Baking()), facts))
                .contains("resume")
                .doesNotContain("rollback", "abort");
    }

    @Test
    void anOperatorMayGoForwardWhereTheWayBackIsBlocked() {
        var parked = new NeedsOperator("reverse stream lost", new RollingBack(true));
        assertThat(PhaseMachine.allowed(parked, facts(new Baking())))
                .containsExactly("resume", "abort", "rollback", "finalize");
        assertThat(told(PhaseMachine.onCommand(parked, Kind.FINALIZE, facts(new Baking()))))
                .isEqualTo("baking");
        assertThat(told(PhaseMachine.onCommand(parked, Kind.ROLLBACK, facts(new Baking()))))
                .isEqualTo("flip_back");
    }

    @ParameterizedTest
    @CsvSource(useHeadersInDisplayName = true, delimiter = '|', textBlock = """
            event          | from -> to; every other phase refuses
            started        | created -> initializing
            prepared       | initializing -> replicating
            caught_up      | replicating -> validating
            validated      | validating -> canary0
            stage_baked    | canary0 -> canary1
            cutover_due    | canary0 -> cutting_over1
            committed      | cutting_over1 -> baking, flip_back -> canary0
            aborted        | cutting_over1 -> cutting_over2, flip_back -> flip_back
            not_ready      | cutting_over1 -> canary0, flip_back -> flip_back
            cleaned_up     | rolling_back -> rolled_back
            gate_breached  | canary0 -> canary0, baking -> flip_back
            """)
    void events(String name, String transitions) {
        Event event = switch (name) {
            case "started" -> new Event.Started();
            case "prepared" -> new Event.Prepared();
            case "caught_up" -> new Event.CaughtUp();
            case "validated" -> new Event.Validated();
            case "stage_baked" -> new Event.StageBaked("");
            case "cutover_due" -> new Event.CutoverDue();
            case "committed" -> new Event.Committed();
            case "aborted" -> new Event.Aborted("why");
            case "not_ready" -> new Event.NotReady("why");
            case "cleaned_up" -> new Event.CleanedUp();
            default -> new Event.GateBreached("why");
        };
        List<String> moves = PHASES.stream()
                .filter(phase -> PhaseMachine.onEvent(phase, event, facts(phase)) instanceof Moved)
                .map(phase -> told(new Moved(phase)) + " -> " + told(PhaseMachine.onEvent(phase, event, facts(phase))))
                .toList();
        assertThat(moves).containsExactly(transitions.split(", "));
    }

    @Test
    void anAbortAfterAFlipEndsTheMigration() {
        Facts ending = facts(new RollingBack(true)).after(Kind.ABORT, new RollingBack(true));
        assertThat(told(PhaseMachine.onEvent(new RollingBack(true), new Event.Committed(), ending)))
                .isEqualTo("rolling_back");
        assertThat(told(PhaseMachine.onCommand(new RollingBack(true), Kind.ABORT, ending)))
                .as("once is enough")
                .isEqualTo("-");
    }

    @Test
    void whereTheSourceOwnsTheWritesAgainOnlyAnAbortEndsTheMigration() {
        for (MigrationPhase phase : List.of(
                new Replicating(), new Canary(0), new CuttingOver(1), new NeedsOperator("why", new Canary(0)))) {
            Facts usual = facts(phase);
            Facts back = new Facts(
                    false,
                    false,
                    true,
                    true,
                    false,
                    false,
                    true,
                    false,
                    0,
                    2,
                    2,
                    usual.failureHandling(),
                    false,
                    true,
                    false);
            assertThat(told(PhaseMachine.onCommand(phase, Kind.ROLLBACK, back))).isEqualTo("-");
            assertThat(PhaseMachine.allowed(phase, back)).contains("abort").doesNotContain("rollback");
            assertThat(told(PhaseMachine.onCommand(phase, Kind.ROLLBACK, back.ofBefore())))
                    .as("runs of before")
                    .isEqualTo("rolling_back");
        }
    }

    @Test
    void theBudgetOfAttemptsEnds() {
        Facts spent = staged(false, 1, 2, 0, false);
        assertThat(told(PhaseMachine.onEvent(new CuttingOver(3), new Event.Aborted("why"), spent)))
                .isEqualTo("canary1");
        assertThat(told(PhaseMachine.onEvent(new RollingBack(true), new Event.Aborted("why"), spent)))
                .isEqualTo("needs_operator(why,flip_back)");
    }

    @Test
    void cleaningUpAfterFinaliseCompletes() {
        assertThat(told(PhaseMachine.onEvent(new Baking(), new Event.CleanedUp(), finalizing(facts(new Baking())))))
                .isEqualTo("completed");
    }

    @Test
    void aBreachRollsBackWhereTheGatesSaySo() {
        Facts rollback = staged(false, 0, 0, 3, true);
        assertThat(told(PhaseMachine.onEvent(new Canary(0), new Event.GateBreached("why"), rollback)))
                .isEqualTo("rolling_back");
    }

    @ParameterizedTest
    @EnumSource(FailureHandling.class)
    void failures(FailureHandling handling) {
        for (MigrationPhase phase : PHASES) {
            Facts usual = facts(phase);
            Facts facts = new Facts(
                    false,
                    usual.targetOwnsWrites(),
                    true,
                    true,
                    false,
                    false,
                    false,
                    false,
                    0,
                    2,
                    2,
                    handling,
                    false,
                    false,
                    false);
            String where = told(new Moved(phase));
            String expected = switch (phase) {
                case Completed _, RolledBack _ -> "-";
                case NeedsOperator _ -> where;
                case RollingBack _ -> "needs_operator(why," + where + ")";
                case Created _, Initializing _, Replicating _, Validating _, Canary _, CuttingOver _, Baking _ ->
                    switch (handling) {
                        case PAUSE -> where;
                        case NEEDS_OPERATOR -> "needs_operator(why," + where + ")";
                        case ROLLBACK_ALL -> phase instanceof Baking ? "flip_back" : "rolling_back";
                    };
            };
            assertThat(told(PhaseMachine.onEvent(phase, new Event.Failed("why"), facts)))
                    .as(where)
                    .isEqualTo(expected);
        }
    }

    @Test
    void whatWasValidatedBeforeReplicationFailedIsValidatedAgain() {
        var failed = new Event.ReplicationFailed("why");
        for (MigrationPhase phase : List.of(new Replicating(), new Validating(), new Canary(1), new CuttingOver(2))) {
            assertThat(told(PhaseMachine.onEvent(phase, failed, facts(phase))))
                    .isEqualTo("needs_operator(why,replicating)");
        }
        assertThat(told(PhaseMachine.onEvent(new Baking(), failed, facts(new Baking()))))
                .isEqualTo("needs_operator(why,baking)");
        assertThat(told(PhaseMachine.onEvent(new NeedsOperator("first", new Canary(1)), failed, facts(new Canary(1)))))
                .isEqualTo("needs_operator(first,replicating)");
    }

    @Test
    void whatIsLoadedAgainIsValidatedAgainAndWaitsForNobody() {
        var again = new Event.LoadedAgain("why");
        for (MigrationPhase phase : List.of(new Replicating(), new Validating(), new Canary(1), new CuttingOver(2))) {
            assertThat(told(PhaseMachine.onEvent(phase, again, facts(phase)))).isEqualTo("replicating");
        }
        assertThat(told(PhaseMachine.onEvent(new NeedsOperator("first", new Canary(1)), again, facts(new Canary(1)))))
                .isEqualTo("needs_operator(first,replicating)");
    }

    /** docs/operating.md has a table of what Temporal's own tools may send: names by the annotations, phases by this machine. */
    @Test
    void theDocumentSaysWhichCommandsThereAreAndWhere() throws IOException {
        String section =
                document().split("(?m)^## Commands by Temporal's own tools$")[1].split("(?m)^## ")[0];
        Map<String, Set<String>> documented = new TreeMap<>();
        Matcher row = Pattern.compile("(?m)^\\| `(\\w+)` \\| ([^|]*)\\|[^|]*\\| ([^|]*) \\|$")
                .matcher(section);
        while (row.find()) {
            documented.put(row.group(1), new TreeSet<>(List.of(row.group(3).split(", "))));
            Matcher member = Pattern.compile("`(\\w+)`").matcher(row.group(2));
            while (member.find()) {
                assertThat(Command.class.getRecordComponents())
                        .extracting(RecordComponent::getName)
                        .contains(member.group(1));
            }
        }
        Map<String, Set<String>> taken = new TreeMap<>();
        for (Kind kind : Kind.values()) {
            taken.put(kind.label(), takenIn(kind));
        }
        assertThat(documented).isEqualTo(taken);

        Method[] methods = MigrationWorkflow.class.getMethods();
        assertThat(named(methods, SignalMethod.class, SignalMethod::name)).isEqualTo(taken.keySet());
        assertThat(named(methods, UpdateMethod.class, UpdateMethod::name)).isEqualTo(taken.keySet());
        assertThat(named(methods, QueryMethod.class, QueryMethod::name)).containsExactly("view");
        assertThat(section).contains("query `view`");
    }

    /** Where something can be so that the command is taken. */
    private static Set<String> takenIn(Kind kind) {
        List<MigrationPhase> phases = Stream.concat(PHASES.stream(), Stream.of(new NeedsOperator("why", new Baking())))
                .toList();
        Set<String> labels = new TreeSet<>();
        for (int bits = 0; bits < 1 << 8; bits++) {
            Facts facts = new Facts(
                    (bits & 1) != 0,
                    (bits & 2) != 0,
                    (bits & 4) != 0,
                    (bits & 8) != 0,
                    (bits & 16) != 0,
                    (bits & 32) != 0,
                    (bits & 64) != 0,
                    (bits & 128) != 0,
                    0,
                    2,
                    2,
                    FailureHandling.NEEDS_OPERATOR,
                    false,
                    false,
                    false);
            phases.stream()
                    .filter(phase -> PhaseMachine.onCommand(phase, kind, facts) instanceof Moved)
                    .forEach(phase -> labels.add(phase.label()));
        }
        return labels;
    }

    private static <A extends Annotation> Set<String> named(
            Method[] methods, Class<A> annotation, Function<A, String> name) {
        return Arrays.stream(methods)
                .flatMap(method -> Stream.ofNullable(method.getAnnotation(annotation)))
                .map(name)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static String document() throws IOException {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.exists(folder.resolve("docs/operating.md"))) {
            folder = Objects.requireNonNull(folder.getParent());
        }
        return Files.readString(folder.resolve("docs/operating.md"));
    }
}

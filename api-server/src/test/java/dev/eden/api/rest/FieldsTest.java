package dev.eden.api.rest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.activities.store.Tuning;
import dev.eden.api.json.Json;
import dev.eden.api.notify.NotificationKind;
import dev.eden.api.problem.FieldError;
import dev.eden.api.problem.Problem;
import dev.eden.api.store.EndpointStore;
import dev.eden.api.store.MigrationDefinition;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.Strategy;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class FieldsTest {
    private static final Strategy CUT_OVER =
            new Strategy("canary", 0.75, "session", 5, null, new Strategy.WriteMode("cutover", null, "source", 1.0));

    private static final MigrationDefinition DEFINITION = new MigrationDefinition(
            CUT_OVER,
            new MigrationSpec.Data("scan", "auto", "fail"),
            new MigrationSpec.Gates(0.01, -1, -1, 200, 5_000, "rollback"),
            "pause",
            MigrationSpec.CutoverBudget.defaults(),
            null,
            null);

    private static Strategy strategy(MigrationRequests.Patch patch) {
        return Objects.requireNonNull(patch.strategy()).strategy();
    }

    private static Tuning tuning(MigrationRequests.Patch patch, Tuning present) {
        return Objects.requireNonNull(patch.tuning()).apply(present);
    }

    @Test
    void aStagesOwnGatesBeginWithTheMigrations() {
        String stage = "{\"strategy\":{\"stages\":[{\"read_percentage\":0.1,\"gates\":%s}]}}";
        Strategy patched = strategy(
                MigrationRequests.patch(bytes(stage.formatted("{\"max_latency_ratio\":1.5}")), DEFINITION, "redis"));
        assertThat(patched.stages())
                .extracting(Strategy.Stage::gates)
                .containsExactly(new MigrationSpec.Gates(0.01, 1.5, -1, 200, 5_000, "rollback"));
        String created =
                "{\"id\":\"m\",\"gates\":{\"max_error_rate\":0.01,\"on_breach\":\"rollback\"},\"strategy\":{\"type\":\"canary\",\"stages\":[{\"read_percentage\":0.1,\"gates\":{\"max_error_rate\":null}}]}}";
        assertThat(MigrationRequests.create(bytes(created), Set.of())
                        .definition()
                        .strategy()
                        .stages())
                .extracting(Strategy.Stage::gates)
                .as("null is off")
                .containsExactly(new MigrationSpec.Gates(-1, -1, -1, 100, 100, "rollback"));
        byte[] mismatches = bytes(stage.formatted("{\"max_mismatch_rate\":0}"));
        assertThatThrownBy(() -> MigrationRequests.patch(mismatches, DEFINITION, "redis"))
                .isInstanceOfSatisfying(
                        Problem.class,
                        problem -> assertThat(problem.errors())
                                .extracting("pointer")
                                .containsExactly("/strategy/stages/0/gates/max_mismatch_rate"));
        for (String other : new String[] {"postgres", null}) {
            assertThat(MigrationRequests.patch(mismatches, DEFINITION, other).strategy())
                    .isNotNull();
        }
    }

    @Test
    void aPatchKeepsWhatItLeavesOutButNeverTheWishToCutOver() {
        MigrationRequests.Patch patch =
                MigrationRequests.patch(bytes("{\"strategy\":{\"consistency\":\"global\"}}"), DEFINITION, null);

        Strategy patched = strategy(patch);
        assertThat(patched.readPercentage()).isEqualTo(0.75);
        assertThat(patched.consistency()).isEqualTo("global");
        assertThat(patched.writeMode().asksForCutover()).isFalse();
    }

    @Test
    void anotherTypeLeavesAllButSharesAndStagesAsItIs() {
        Strategy staged = new Strategy(
                "canary",
                0.75,
                "global",
                20,
                List.of(new Strategy.Stage(0.1, 60)),
                new Strategy.WriteMode("dual_write", "old_authoritative", "both", null));
        MigrationDefinition definition = new MigrationDefinition(
                staged, DEFINITION.data(), DEFINITION.gates(), "pause", DEFINITION.cutover(), null, null);
        assertThat(strategy(
                        MigrationRequests.patch(bytes("{\"strategy\":{\"type\":\"blue_green\"}}"), definition, null)))
                .isEqualTo(new Strategy("blue_green", 0, "global", 20, null, staged.writeMode()));
    }

    @Test
    void aWrongAddressIsTheOneThingThatIsSaid() {
        String body =
                "{\"id\":\"e\",\"uri\":\"postgresql://h/d?sslmode=prefer\",\"options\":{\"link_ca_file\":\"/ca.pem\"}}";
        assertThatThrownBy(() -> EndpointRequests.read(bytes(body), null))
                .isInstanceOfSatisfying(
                        Problem.class,
                        problem -> assertThat(problem.errors())
                                .extracting("pointer")
                                .containsExactly("/uri"));
    }

    @Test
    void aPasswordAloneIsOfTheUsersThatTheUriNames() {
        String body = "{\"id\":\"e\",\"uri\":\"postgresql://app%s@h/d\",\"credentials\":{\"password\":\"p\"%s}}";
        for (String same : List.of("", ",\"username\":\"app\"")) {
            assertThat(EndpointRequests.read(bytes(body.formatted("", same)), null)
                            .credentials())
                    .isInstanceOfSatisfying(EndpointStore.Credentials.Given.class, given -> {
                        assertThat(given.login().user()).isEqualTo("app");
                        assertThat(given.login().password().reveal()).isEqualTo("p");
                    });
        }
        for (String twice : List.of(body.formatted(":q", ""), body.formatted("", ",\"username\":\"other\""))) {
            assertThatThrownBy(() -> EndpointRequests.read(bytes(twice), null))
                    .isInstanceOfSatisfying(
                            Problem.class,
                            problem -> assertThat(problem.errors())
                                    .extracting("pointer")
                                    .containsExactly("/credentials"));
        }
        assertThatThrownBy(() -> EndpointRequests.read(bytes("{\"id\":\"e\",\"uri\":\"redis://app@h\"}"), null))
                .isInstanceOfSatisfying(
                        Problem.class,
                        problem -> assertThat(problem.errors())
                                .extracting("detail")
                                .containsExactly("names a user without a password, and there are no credentials"));
    }

    @Test
    void aPasswordAloneIsOfTheUserThereIsOrOfAServersFirst() {
        String body = "{\"id\":\"e\",\"uri\":\"%s\",\"credentials\":{\"password\":\"p\"}}";
        assertThat(EndpointRequests.read(bytes(body.formatted("postgresql://h/d")), null)
                        .credentials())
                .isInstanceOfSatisfying(
                        EndpointStore.Credentials.Password.class,
                        password -> assertThat(password.otherwise()).isEqualTo("postgres"));
        assertThat(EndpointRequests.read(bytes(body.formatted("redis://h")), "e")
                        .credentials())
                .isInstanceOfSatisfying(
                        EndpointStore.Credentials.Password.class,
                        password -> assertThat(password.otherwise()).isEqualTo("default"));
    }

    @Test
    void whoeverLetsASchemaGrowMeansAPostgres() {
        String body = "{\"id\":\"m\",\"strategy\":{\"type\":\"canary\"},\"data\":%s}";
        assertThat(MigrationRequests.create(bytes(body.formatted("{\"ddl\":\"additive\"}")), Set.of())
                        .definition()
                        .data())
                .isEqualTo(new MigrationSpec.Data("logical", "auto", "fail", "additive"));
        for (String type : new String[] {"scan", "none"}) {
            byte[] other = bytes(body.formatted("{\"type\":\"" + type + "\",\"ddl\":\"additive\"}"));
            assertThatThrownBy(() -> MigrationRequests.create(other, Set.of()))
                    .isInstanceOfSatisfying(
                            Problem.class,
                            problem -> assertThat(problem.errors())
                                    .extracting("pointer")
                                    .containsExactly("/data/ddl"));
        }
    }

    @Test
    void aPostgresIsTunedButHasNoBatch() {
        byte[] rates = bytes(
                "{\"tuning\":{\"copy_rate\":65536,\"parallelism\":3,\"max_source_latency_ms\":9,\"batch\":null}}");
        assertThat(tuning(MigrationRequests.patch(rates, DEFINITION, "postgres"), new Tuning(null, null, 7, null)))
                .as("null takes back what was set before the engine was known")
                .isEqualTo(new Tuning(65_536L, 3, null, 9));
        byte[] batch = bytes("{\"tuning\":{\"batch\":7}}");
        assertThatThrownBy(() -> MigrationRequests.patch(batch, DEFINITION, "postgres"))
                .isInstanceOfSatisfying(
                        Problem.class,
                        problem -> assertThat(problem.errors()).singleElement().satisfies(error -> {
                            assertThat(error.pointer()).isEqualTo("/tuning/batch");
                            assertThat(error.detail()).contains("is for Redis");
                        }));
        for (String other : new String[] {"redis", null}) {
            assertThat(tuning(MigrationRequests.patch(batch, DEFINITION, other), Tuning.NONE))
                    .isEqualTo(new Tuning(null, null, 7, null));
        }
    }

    /** What may be named is said, since nothing else tells whoever asks for it. */
    @Test
    void whoIsToldOfWhatIsAmongThoseThatThereAre() {
        Set<String> receivers = new LinkedHashSet<>(List.of("oncall", "chat"));
        assertThat(notified("{\"receivers\":[\"chat\"]}", receivers))
                .isEqualTo(new MigrationDefinition.Notify(List.of("chat"), NotificationKind.usual()));
        assertThat(notified("{\"receivers\":[\"chat\",\"oncall\"],\"on\":[\"completed\"]}", receivers))
                .isEqualTo(new MigrationDefinition.Notify(List.of("chat", "oncall"), List.of("completed")));
        assertThat(notified("{}", receivers)).isNull();
        assertThat(NotificationKind.usual()).contains("needs_operator").doesNotContain("started");
        assertThat(refused("{\"receivers\":[\"chat\",\"pager\"],\"on\":[\"ended\"]}", receivers))
                .extracting(FieldError::pointer, FieldError::detail)
                .satisfiesExactly(
                        one -> assertThat(one.toList())
                                .containsExactly("/notify/receivers/1", "is not one of these: there are oncall, chat"),
                        one -> assertThat(one.toList().toString())
                                .contains("/notify/on/0", "started", "needs_operator", "completed"));
        assertThat(refused("{\"on\":[\"completed\"]}", receivers))
                .singleElement()
                .satisfies(error -> assertThat(error.detail()).isEqualTo("is missing: there are oncall, chat"));
        assertThat(refused("{\"receivers\":[\"chat\",\"chat\"]}", receivers))
                .singleElement()
                .satisfies(error -> assertThat(error.detail()).isEqualTo("is there twice"));
        assertThat(refused("{\"receivers\":[]}", receivers)).hasSize(1);
        assertThat(refused("{\"receivers\":\"chat\"}", receivers)).hasSize(1);
        assertThat(refused("{\"url\":\"http://h/\"}", Set.of()))
                .as("nobody is configured, and nobody can be here")
                .extracting(FieldError::pointer)
                .containsExactly("/notify/receivers", "/notify/url");
        assertThat(Json.read(Json.write(DEFINITION), MigrationDefinition.class))
                .as("one from before, or of which nobody is told")
                .isEqualTo(DEFINITION);
    }

    private static MigrationDefinition.@Nullable Notify notified(String notify, Set<String> receivers) {
        return MigrationRequests.create(
                        bytes("{\"id\":\"m\",\"strategy\":{\"type\":\"canary\"},\"notify\":" + notify + "}"), receivers)
                .definition()
                .told();
    }

    private static List<FieldError> refused(String notify, Set<String> receivers) {
        return assertThatExceptionOfType(Problem.class)
                .isThrownBy(() -> notified(notify, receivers))
                .actual()
                .errors();
    }

    /** Other servers, and statements, look for these names. */
    @Test
    void aDefinitionIsStoredInTheWordsOfTheApi() {
        assertThat(Json.write(DEFINITION).toString())
                .contains("\"read_percentage\":", "\"max_wait_ms\":", "\"write_mode\":")
                .doesNotContain("readPercentage", "maxWait\"");
    }

    @Test
    void aPatchOfLabelsLeavesThoseThatItDoesNotName() {
        MigrationRequests.Patch patch =
                MigrationRequests.patch(bytes("{\"labels\":{\"a\":\"new\",\"b\":null}}"), DEFINITION, null);
        assertThat(patch.strategy()).isNull();
        assertThat(patch.tuning()).isNull();
        LabelPatch labels = Objects.requireNonNull(patch.labels());
        assertThat(labels.apply(Map.of("a", "old", "b", "gone", "c", "kept")))
                .isEqualTo(Map.of("a", "new", "c", "kept"));
        Map<String, String> full = new TreeMap<>();
        for (int i = 0; i < Fields.LABELS; i++) {
            full.put("l" + i, "");
        }
        assertThat(new LabelPatch(Map.of("l0", "x")).apply(full)).hasSize(Fields.LABELS);
        assertThatThrownBy(() -> labels.apply(full))
                .isInstanceOfSatisfying(
                        Problem.class,
                        problem -> assertThat(problem.errors())
                                .extracting("pointer")
                                .containsExactly("/labels"));
        assertThatThrownBy(() -> MigrationRequests.create(
                        bytes("{\"id\":\"m\",\"strategy\":{\"type\":\"canary\"},\"labels\":{\"a\":null}}"), Set.of()))
                .as("of one that is made")
                .isInstanceOf(Problem.class);
        for (String wrong : List.of("null", "[]", "{\"a\":1}", "{\"" + "n".repeat(64) + "\":null}")) {
            assertThatThrownBy(() -> MigrationRequests.patch(bytes("{\"labels\":" + wrong + "}"), DEFINITION, null))
                    .as(wrong)
                    .isInstanceOf(Problem.class);
        }
    }

    @Test
    void allThatIsWrongIsReportedAtOnceAndNoValueRepeated() {
        assertThatThrownBy(() -> MigrationRequests.create(
                        bytes("{\"id\":\"s3cret 1\",\"strategy\":{\"type\":\"s3cret2\",\"x\":1},\"y\":2}"), Set.of()))
                .isInstanceOfSatisfying(Problem.class, problem -> {
                    assertThat(problem.errors())
                            .extracting("pointer")
                            .containsExactlyInAnyOrder("/id", "/strategy/type", "/strategy/x", "/y");
                    assertThat(problem.errors().toString()).doesNotContain("s3cret");
                });
    }

    @Test
    void namesOfOtherModulesAreTurnedIntoTheApis() {
        assertThat(Json.snakeCase(Json.tree("{\"holdAtMicros\":1,\"steps\":[{\"aB\":{\"cD\":2}}]}")))
                .isEqualTo(Json.tree("{\"hold_at_micros\":1,\"steps\":[{\"a_b\":{\"c_d\":2}}]}"));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}

package dev.eden.api.notify;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.api.json.Json;
import dev.eden.api.store.AuditLog;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NotificationKindTest {
    @ParameterizedTest
    @CsvSource({
        "phase_changed, created, initializing, false,",
        "phase_changed, initializing, replicating, false,",
        "phase_changed, validating, canary, false, ready",
        "phase_changed, canary, canary, false,",
        "stage_promoted, canary, canary, false,",
        "command.pause, canary, canary, false,",
        "command.cutover, canary, cutting_over, false,",
        "attempt_lost, cutting_over, cutting_over, false,",
        "attempt_aborted, cutting_over, cutting_over, false,",
        "attempt_aborted, cutting_over, canary, false, cutover_failed",
        "attempt_refused, cutting_over, canary, false, cutover_failed",
        "flipped, cutting_over, cutting_over, false,",
        "phase_changed, cutting_over, baking, false, cutover_committed",
        "gate_breached, canary, canary, false, gate_breached",
        "gate_breached, canary, rolling_back, false, gate_breached",
        "gate_breached, baking, baking, false, gate_breached",
        "command.rollback, baking, rolling_back, false, rolling_back",
        "command.abort, canary, rolling_back, false, rolling_back",
        "command.abort, rolling_back, rolling_back, false,",
        "phase_changed, rolling_back, canary, false, rollback_committed",
        "phase_changed, rolling_back, rolled_back, false, rolled_back",
        "phase_changed, baking, completed, false, completed",
        "command_refused, completed, completed, false,",
        "step_failed, replicating, replicating, true, needs_operator",
        "step_failed, replicating, replicating, false, step_failed",
        "step_failed, replicating, rolling_back, false, step_failed",
        "step_failed, replicating, needs_operator, false, needs_operator",
        "step_failed, needs_operator, needs_operator, false, needs_operator",
        "attempt_aborted, rolling_back, needs_operator, false, needs_operator",
        "recovered, canary, needs_operator, false, needs_operator",
        "command.resume, needs_operator, canary, false,",
        "command.finalize, needs_operator, baking, false,",
        "migration.created,, created, false,",
        "migration.started,, created, false, started",
        "migration.orphaned,, canary, false, needs_operator",
        "notification.given_up,, completed, false,",
        "attempt_refused,, canary, false,",
    })
    void whatIsRecordedIsOneOfTheseAtMost(
            String event, @Nullable String before, String phase, boolean failed, @Nullable String kind) {
        assertThat(NotificationKind.of(event(event, before, phase, failed)).map(NotificationKind::label))
                .as(event + " " + before + " " + phase)
                .isEqualTo(Optional.ofNullable(kind));
    }

    /** The workflow that flipped was lost before it could say so. */
    @Test
    void aCutoverBehindWhichTheWorkflowWasLostIsToldWhereItIsResumed() {
        assertThat(NotificationKind.of(resumed("cutting_over", "baking"))).contains(NotificationKind.CUTOVER_COMMITTED);
        assertThat(NotificationKind.of(resumed("baking", "baking")))
                .as("told before")
                .isEmpty();
        assertThat(NotificationKind.of(resumed("cutting_over", "canary"))).isEmpty();
    }

    private static AuditLog.Event resumed(String parkedIn, String phase) {
        AuditLog.Event event = event("command.resume", "needs_operator\",\"parked_in\":\"" + parkedIn, phase, false);
        assertThat(event.before()).hasSize(2);
        return event;
    }

    @Test
    void allOfThemAreDescribed() throws Exception {
        assertThat(Files.readString(Path.of("..", "docs", "openapi.yaml")))
                .contains("    NotificationKind:\n      type: string\n      enum: " + NotificationKind.labels() + "\n");
        String page = Files.readString(Path.of("..", "docs", "guide", "notifications.md"));
        assertThat(Pattern.compile("(?m)^\\| `([a-z_]+)` \\| (.+?) \\| (yes|no) \\|$")
                        .matcher(page)
                        .results()
                        .map(row -> row.group(1) + ": " + row.group(3))
                        .toList())
                .isEqualTo(NotificationKind.labels().stream()
                        .map(kind -> kind + ": " + (NotificationKind.usual().contains(kind) ? "yes" : "no"))
                        .toList());
    }

    @Test
    void everyRunbookIsThere() throws Exception {
        String document = Files.readString(Path.of("..", "docs", "operating.md"));
        List<String> headings = Pattern.compile("(?m)^### (.+)$")
                .matcher(document)
                .results()
                .map((MatchResult heading) -> heading.group(1))
                .toList();
        assertThat(Runbook.values()).allSatisfy(runbook -> assertThat(headings).contains(runbook.heading()));
        assertThat(Runbook.of(NotificationKind.NEEDS_OPERATOR, "step_failed", "ReplicationStopped: a value too large"))
                .hasValueSatisfying(runbook -> {
                    assertThat(runbook.code()).isEqualTo("replication-stopped");
                    assertThat(runbook.link()).isEqualTo("docs/operating.md#replicationstopped");
                });
        assertThat(Runbook.of(NotificationKind.NEEDS_OPERATOR, "attempt_aborted", "rollback, attempt 2 aborted: x")
                        .map(Runbook::link))
                .contains("docs/operating.md#rollback-attempt");
        assertThat(Runbook.of(NotificationKind.NEEDS_OPERATOR, "step_failed", "java.lang.Oops"))
                .contains(Runbook.ANYTHING_ELSE);
    }

    static AuditLog.Event event(String event, @Nullable String before, String phase, boolean failed) {
        return new AuditLog.Event(
                1,
                "2026-01-01T00:00:00Z",
                "eden",
                event,
                "migration/m",
                "m",
                phase,
                "",
                before == null ? null : Json.tree("{\"phase\":\"" + before + "\"}"),
                Json.tree("{\"failed\":" + failed + "}"),
                "5f8e");
    }
}

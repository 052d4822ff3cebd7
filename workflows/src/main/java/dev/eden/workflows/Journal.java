package dev.eden.workflows;

import dev.eden.workflows.Command.Kind;
import dev.eden.workflows.activity.DirectoryActivities.Glance;
import dev.eden.workflows.activity.DirectoryActivities.PhaseRecord;
import io.temporal.workflow.Workflow;

/** What people see of a run: the page and search attributes in Temporal, and the records that the REST interface and the audit log are made of. */
final class Journal {
    private final MigrationState state;

    Journal(MigrationState state) {
        this.state = state;
    }

    /** Temporal's page and search attributes as the state is now. */
    void publish() {
        Workflow.setCurrentDetails(PhaseTable.markdown(state));
        if (state.indexed()) {
            Workflow.upsertTypedSearchAttributes(
                    SearchAttributesNeeded.PHASE.valueSet(state.phase().label()),
                    SearchAttributesNeeded.STRATEGY.valueSet(state.strategy().type()),
                    SearchAttributesNeeded.READ_PERCENTAGE.valueSet(Math.round(state.shareInForce() * 100)));
        }
    }

    /** @param event one of {@link AuditEvents}, or a command's label */
    void record(String event, String actor, String reason) {
        PhaseRecord record = new PhaseRecord(
                state.spec().id(),
                state.nextRevision(),
                state.phase().label(),
                ViewJson.write(state.view()),
                actor,
                event,
                reason,
                event.equals(Kind.PATCH_STRATEGY.label()) ? state.strategy() : null);
        Glance glance = Steps.directory(event + " → " + state.phase().label()).record(record);
        if (glance != null) {
            state.glanced(glance, Workflow.currentTimeMillis());
            Workflow.setCurrentDetails(PhaseTable.markdown(state));
        }
    }
}

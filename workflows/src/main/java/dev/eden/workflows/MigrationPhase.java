package dev.eden.workflows;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;

/**
 * Where a migration stands. {@link PhaseMachine} is the only place that moves from one to another; everything that people
 * see (REST, search attribute, metric label, log key) is {@link #label()}.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "phase")
@JsonSubTypes({
    @JsonSubTypes.Type(value = MigrationPhase.Created.class, name = "created"),
    @JsonSubTypes.Type(value = MigrationPhase.Initializing.class, name = "initializing"),
    @JsonSubTypes.Type(value = MigrationPhase.Replicating.class, name = "replicating"),
    @JsonSubTypes.Type(value = MigrationPhase.Validating.class, name = "validating"),
    @JsonSubTypes.Type(value = MigrationPhase.Canary.class, name = "canary"),
    @JsonSubTypes.Type(value = MigrationPhase.CuttingOver.class, name = "cutting_over"),
    @JsonSubTypes.Type(value = MigrationPhase.Baking.class, name = "baking"),
    @JsonSubTypes.Type(value = MigrationPhase.RollingBack.class, name = "rolling_back"),
    @JsonSubTypes.Type(value = MigrationPhase.Completed.class, name = "completed"),
    @JsonSubTypes.Type(value = MigrationPhase.RolledBack.class, name = "rolled_back"),
    @JsonSubTypes.Type(value = MigrationPhase.NeedsOperator.class, name = "needs_operator"),
})
public sealed interface MigrationPhase {

    /** Registered, nothing started. */
    record Created() implements MigrationPhase {}

    /** Preflight, Eden's own users, the target's fence, the reverse path's backlog. */
    record Initializing() implements MigrationPhase {}

    /** Full load, then the change stream until it has caught up. */
    record Replicating() implements MigrationPhase {}

    /** Full comparison, repair, comparison again. */
    record Validating() implements MigrationPhase {}

    /** Reads are shifted; {@code stage} counts from 0. The diff is empty and cutover may be asked for. */
    record Canary(int stage) implements MigrationPhase {}

    /** One attempt of the cutover protocol runs, forwards. */
    record CuttingOver(int attempt) implements MigrationPhase {}

    /** The target owns writes; reverse replication keeps the source current. */
    record Baking() implements MigrationPhase {}

    /** Taking it back; {@code flip}: writes are with the target, so the protocol runs with the sides swapped. */
    record RollingBack(boolean flip) implements MigrationPhase {}

    /** Finalised; nothing of Eden's is left on either server. */
    record Completed() implements MigrationPhase {}

    /** The source owns writes and nothing of Eden's is left on either server. */
    record RolledBack() implements MigrationPhase {}

    /** Parked and alarmed; {@code resumeTo} is entered again by the resume command. */
    record NeedsOperator(String reason, MigrationPhase resumeTo) implements MigrationPhase {}

    /** One phase of a flip or a rollback, which goes on over several attempts and phases. */
    default boolean flips() {
        return switch (this) {
            case CuttingOver _, RollingBack _ -> true;
            case Created _, Initializing _, Replicating _, Validating _, Canary _ -> false;
            case Baking _, NeedsOperator _, Completed _, RolledBack _ -> false;
        };
    }

    /** The word that REST, search attributes, metrics and logs use. */
    default String label() {
        return switch (this) {
            case Created _ -> "created";
            case Initializing _ -> "initializing";
            case Replicating _ -> "replicating";
            case Validating _ -> "validating";
            case Canary _ -> "canary";
            case CuttingOver _ -> "cutting_over";
            case Baking _ -> "baking";
            case RollingBack _ -> "rolling_back";
            case Completed _ -> "completed";
            case RolledBack _ -> "rolled_back";
            case NeedsOperator _ -> "needs_operator";
        };
    }

    /** True where the workflow has ended. */
    default boolean ended() {
        return switch (this) {
            case Completed _, RolledBack _ -> true;
            case Created _, Initializing _, Replicating _, Validating _, Canary _, CuttingOver _, Baking _ -> false;
            case RollingBack _, NeedsOperator _ -> false;
        };
    }
}

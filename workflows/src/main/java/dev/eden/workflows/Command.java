package dev.eden.workflows;

import com.fasterxml.jackson.annotation.JsonAlias;
import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What an operator may ask of a running migration. Every command carries an id (at-least-once delivery is harmless), the
 * actor and a reason; it arrives as an Update or as a Signal of the same name and both end in one handler.
 *
 * @param strategy the whole new strategy of {@code patch_strategy}; a plan of stages is kept only where it names one
 * @param emptyTarget for {@code rollback} and {@code abort}: delete what was copied to the target
 * @param request id of the REST request that it came with ({@link Correlation}); null where there was none
 * @param traceparent of the span of that request; null where there was none
 * @param shareNamed of {@code patch_strategy}: whether its type, its share of reads or its stages are the caller's words; false: they stay what
 *     they are, whatever {@code strategy} has. Null (typed by hand, or from before there was this): they are what {@code strategy} has
 * @param phase label of the only phase that it is meant for; null: of any. Compared when it arrives: what was accepted is obeyed wherever that leads
 *     meanwhile
 * @param termsNamed of {@code patch_strategy}: which of {@link Strategy#CONSISTENCY}, {@link Strategy#MAX_WAIT} and {@link Strategy#ACK} are the caller's
 *     words; as for {@code shareNamed}, the others stay what they are. Not written where it is null: servers from before there was this read the rest
 */
public record Command(
        Kind kind,
        String id,
        String actor,
        String reason,
        @Nullable Strategy strategy,
        @JsonAlias("empty_target") @Nullable Boolean emptyTarget,
        @Nullable String request,
        @Nullable String traceparent,
        @Nullable Boolean shareNamed,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable List<String> termsNamed,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable String phase) {

    public Command(Kind kind, String id, String actor, String reason, @Nullable Strategy strategy) {
        this(kind, id, actor, reason, strategy, null);
    }

    public Command(
            Kind kind,
            String id,
            String actor,
            String reason,
            @Nullable Strategy strategy,
            @Nullable Boolean emptyTarget) {
        this(kind, id, actor, reason, strategy, emptyTarget, null, null, null, null, null);
    }

    /** The same, on behalf of {@code asker}. */
    public Command askedBy(Correlation asker) {
        return new Command(
                kind,
                id,
                actor,
                reason,
                strategy,
                emptyTarget,
                asker.request(),
                asker.traceparent(),
                shareNamed,
                termsNamed,
                phase);
    }

    /** The same patch, of which is known what it says: anything about reads, and which terms. */
    public Command naming(@Nullable Boolean share, @Nullable List<String> terms) {
        return new Command(kind, id, actor, reason, strategy, emptyTarget, request, traceparent, share, terms, phase);
    }

    /** The same, for that phase only; null: for any. */
    public Command meantFor(@Nullable String only) {
        return new Command(
                kind, id, actor, reason, strategy, emptyTarget, request, traceparent, shareNamed, termsNamed, only);
    }

    /** What this patch makes of the present strategy's terms, whatever else was changed since it was put together. */
    Strategy onto(Strategy present) {
        Strategy whole = Objects.requireNonNull(strategy);
        return termsNamed == null ? whole : whole.withUnnamedTermsOf(present, termsNamed);
    }

    Correlation asker() {
        return new Correlation(request, traceparent);
    }

    /** The commands; {@link #label()} is the REST path, the update name and the signal name. */
    public enum Kind {
        ADVANCE("advance"),
        PAUSE("pause"),
        RESUME("resume"),
        ABORT("abort"),
        CUTOVER("cutover"),
        ROLLBACK("rollback"),
        FINALIZE("finalize"),
        PATCH_STRATEGY("patch_strategy");

        private final String label;

        Kind(String label) {
            this.label = label;
        }

        public String label() {
            return label;
        }
    }

    /** The kind that decides where this leads: a patch that asks for cutover is a cutover. */
    Kind effect() {
        return kind == Kind.PATCH_STRATEGY
                        && strategy != null
                        && strategy.writeMode().asksForCutover()
                ? Kind.CUTOVER
                : kind;
    }
}

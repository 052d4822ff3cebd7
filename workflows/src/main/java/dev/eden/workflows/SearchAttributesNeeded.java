package dev.eden.workflows;

import io.temporal.api.enums.v1.IndexedValueType;
import io.temporal.common.SearchAttributeKey;
import io.temporal.common.SearchAttributes;
import java.util.Map;

/**
 * The search attributes of a migration. The server registers {@link #ALL} at start; where that succeeded it starts workflows
 * with {@link #atStart}. A workflow that was started without them never upserts one: an upsert of an attribute that the
 * namespace does not know would stop the workflow task for ever, a start with one is refused at once.
 */
public final class SearchAttributesNeeded {
    static final SearchAttributeKey<String> PHASE = SearchAttributeKey.forKeyword("EdenPhase");
    static final SearchAttributeKey<String> MIGRATION = SearchAttributeKey.forKeyword("EdenMigration");
    static final SearchAttributeKey<String> ENGINE = SearchAttributeKey.forKeyword("EdenEngine");
    static final SearchAttributeKey<String> STRATEGY = SearchAttributeKey.forKeyword("EdenStrategy");
    static final SearchAttributeKey<Long> READ_PERCENTAGE = SearchAttributeKey.forLong("EdenReadPercentage");

    /** Name and type of every attribute, for registration. {@code EdenReadPercentage} is in whole per cent. */
    public static final Map<String, IndexedValueType> ALL = Map.of(
            PHASE.getName(), PHASE.getValueType(),
            MIGRATION.getName(), MIGRATION.getValueType(),
            ENGINE.getName(), ENGINE.getValueType(),
            STRATEGY.getName(), STRATEGY.getValueType(),
            READ_PERCENTAGE.getName(), READ_PERCENTAGE.getValueType());

    private SearchAttributesNeeded() {}

    /** For {@code WorkflowOptions.setTypedSearchAttributes} of a new migration. */
    public static SearchAttributes atStart(MigrationSpec spec) {
        return of(spec, new MigrationPhase.Created(), spec.strategy().type(), 0);
    }

    static SearchAttributes of(MigrationSpec spec, MigrationPhase phase, String strategy, double readPercentage) {
        return SearchAttributes.newBuilder()
                .set(PHASE, phase.label())
                .set(MIGRATION, spec.id())
                .set(ENGINE, spec.engine())
                .set(STRATEGY, strategy)
                .set(READ_PERCENTAGE, Math.round(readPercentage * 100))
                .build();
    }
}

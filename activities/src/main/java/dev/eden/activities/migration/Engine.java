package dev.eden.activities.migration;

import dev.eden.workflows.MigrationSpec;

/** Which kind of database a migration moves. */
enum Engine {
    REDIS,
    POSTGRES;

    static Engine of(MigrationSpec spec) {
        return of(spec.engine());
    }

    /** {@code redis} or {@code postgres}. */
    static Engine of(String name) {
        return switch (name) {
            case "redis" -> REDIS;
            case "postgres" -> POSTGRES;
            default -> throw new IllegalArgumentException("no engine " + name);
        };
    }
}

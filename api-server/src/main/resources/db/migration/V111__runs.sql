-- A workflow that was reset counts its revisions again from where it was reset to: its run's are recorded shifted, behind those of the runs before it.
CREATE TABLE migration_run (
    migration text   NOT NULL REFERENCES migration (id) ON DELETE CASCADE,
    run       text   NOT NULL,
    shift     bigint NOT NULL CHECK (shift >= 0),
    PRIMARY KEY (migration, run)
);

-- Attempts that were settled before they were armed: their coordinators may be alive still, and must not arm them any more.
CREATE TABLE attempt_closed (
    migration text        NOT NULL,
    -- Of the workflow, which counts the number.
    run       text        NOT NULL,
    number    integer     NOT NULL,
    closed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (migration, run, number)
);

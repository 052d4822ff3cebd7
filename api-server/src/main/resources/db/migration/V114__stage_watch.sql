-- What a canary's stage has shown so far: another worker, another run of the workflow or other terms of the strategy do not begin it anew.
CREATE TABLE stage_watch (
    migration text  PRIMARY KEY REFERENCES migration (id) ON DELETE CASCADE,
    baked_at  bigint NOT NULL,
    counted   jsonb NOT NULL
);

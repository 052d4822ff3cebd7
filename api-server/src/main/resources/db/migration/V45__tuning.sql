-- What operators set of a copy while it runs; null: the default. Read by the replicator about twice a second.
CREATE TABLE tuning (
    migration             text        PRIMARY KEY REFERENCES migration (id) ON DELETE CASCADE,
    copy_rate             bigint      CHECK (copy_rate > 0),
    parallelism           integer     CHECK (parallelism BETWEEN 1 AND 16),
    batch                 integer     CHECK (batch BETWEEN 1 AND 8192),
    max_source_latency_ms integer     CHECK (max_source_latency_ms > 0),
    changed_at            timestamptz NOT NULL DEFAULT now()
);

-- What was expected when the migration was started; the report holds the outcome against it.
CREATE TABLE forecast (
    migration text        PRIMARY KEY REFERENCES migration (id) ON DELETE CASCADE,
    forecast  jsonb       NOT NULL,
    made_at   timestamptz NOT NULL DEFAULT now()
);

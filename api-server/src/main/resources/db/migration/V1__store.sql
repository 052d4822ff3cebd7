-- What Eden knows: databases, fronts, migrations, who may ask for what, and what happened. The route rows have a file of their own.

CREATE TABLE endpoint (
    id          text        PRIMARY KEY CHECK (id ~ '^[A-Za-z][A-Za-z0-9_.-]{0,62}$'),
    engine      text        NOT NULL CHECK (engine IN ('redis', 'postgres')),
    host        text        NOT NULL,
    port        integer     NOT NULL CHECK (port BETWEEN 1 AND 65535),
    tls         boolean     NOT NULL,
    database    text,
    -- AES-256-GCM of {"username":…,"password":…}; the additional data is the row's identity.
    credentials bytea,
    labels      jsonb       NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE interlay (
    id         text        PRIMARY KEY CHECK (id ~ '^[A-Za-z][A-Za-z0-9_.-]{0,62}$'),
    engine     text        NOT NULL CHECK (engine IN ('redis', 'postgres')),
    -- Null until bound: an interlay made by `eden server --listen` takes the first endpoint of its engine.
    endpoint   text        REFERENCES endpoint (id),
    listen     text,
    tls        boolean     NOT NULL DEFAULT false,
    pool       integer     CHECK (pool BETWEEN 1 AND 10000),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE migration (
    id          text        PRIMARY KEY CHECK (id ~ '^[A-Za-z][A-Za-z0-9_.-]{0,62}$'),
    description text        NOT NULL,
    -- Engine and sides are known once the first interlay is added.
    engine      text        CHECK (engine IN ('redis', 'postgres')),
    source      text,
    target      text,
    spec        jsonb       NOT NULL,
    phase       text        NOT NULL DEFAULT 'created',
    view        jsonb,
    revision    bigint      NOT NULL DEFAULT 0,
    labels      jsonb       NOT NULL DEFAULT '{}',
    created_by  text        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    started_at  timestamptz,
    ended_at    timestamptz,
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CHECK ((source IS NULL) = (target IS NULL)),
    CHECK (source <> target)
);
CREATE INDEX migration_phase ON migration (phase);

CREATE TABLE migration_interlay (
    migration text NOT NULL REFERENCES migration (id) ON DELETE CASCADE,
    interlay  text NOT NULL,
    PRIMARY KEY (migration, interlay)
);

-- The claim: its key is the rule that an endpoint is in one migration at a time, as source or as target. Given back when the migration ends.
CREATE TABLE migration_endpoint (
    endpoint  text PRIMARY KEY REFERENCES endpoint (id),
    migration text NOT NULL REFERENCES migration (id) ON DELETE CASCADE,
    role      text NOT NULL CHECK (role IN ('source', 'target')),
    UNIQUE (migration, role)
);

-- What Eden made or changed on a server, kept before it is done; the additional data of the cipher is (migration, endpoint, name).
CREATE TABLE server_record (
    migration  text        NOT NULL,
    endpoint   text        NOT NULL,
    name       text        NOT NULL,
    value      bytea       NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (migration, endpoint, name)
);

CREATE TABLE token (
    hash       bytea       PRIMARY KEY CHECK (octet_length(hash) = 32),
    id         uuid        NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    role       text        NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    label      text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz
);

CREATE TABLE audit_log (
    id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor     text        NOT NULL,
    event     text        NOT NULL,
    subject   text        NOT NULL,
    migration text,
    phase     text,
    -- Growing with the workflow's records; makes a repeated record harmless.
    revision  bigint,
    reason    text        NOT NULL DEFAULT '',
    before    jsonb,
    after     jsonb,
    UNIQUE (migration, revision)
);
CREATE INDEX audit_log_migration ON audit_log (migration, id);

CREATE FUNCTION audit_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_log is append-only';
END
$$;
CREATE TRIGGER audit_log_append_only
    BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION audit_log_is_append_only();
CREATE TRIGGER audit_log_no_truncate
    BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_is_append_only();

CREATE TABLE idempotency (
    key          text        NOT NULL,
    token        uuid        NOT NULL,
    route        text        NOT NULL,
    request_hash bytea       NOT NULL,
    -- Null while the first request runs.
    status       integer,
    media_type   text,
    body         text,
    location     text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (token, key)
);
CREATE INDEX idempotency_created ON idempotency (created_at);

CREATE TABLE validation_report (
    id         text        PRIMARY KEY,
    migration  text        NOT NULL,
    report     jsonb       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX validation_report_migration ON validation_report (migration, created_at DESC);

-- A known text under the encryption key: a start with another key is noticed before anything is read or written with it.
CREATE TABLE encryption_check (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    value    bytea   NOT NULL
);

-- Where authority is. One row per interlay; all rows of a migration change in one transaction, by compare-and-set on (epoch, state, attempt).

CREATE TABLE route (
    interlay    text             PRIMARY KEY REFERENCES interlay (id) ON DELETE CASCADE,
    -- Grows with every change of the row, whatever changed.
    version     bigint           NOT NULL DEFAULT 1,
    epoch       bigint           NOT NULL DEFAULT 1,
    state       text             NOT NULL DEFAULT 'STABLE'
        CHECK (state IN ('STABLE', 'ARMED', 'PREPARED', 'ABORTING', 'COMMITTED')),
    attempt     bigint           NOT NULL DEFAULT 0,
    deadline_ms bigint           NOT NULL DEFAULT 0,
    coordinator text,
    active      text,
    standby     text,
    -- 0…15, another after each change of the active server: tags SCAN cursors.
    active_tag  integer          NOT NULL DEFAULT 0 CHECK (active_tag BETWEEN 0 AND 15),
    migration   text,
    -- Where the log of the current direction begins; set by the commit of a flip.
    turn_replid text,
    turn_offset bigint,
    read_share  double precision NOT NULL DEFAULT 0 CHECK (read_share BETWEEN 0 AND 1),
    consistency text             NOT NULL DEFAULT 'SESSION',
    max_wait_ms bigint           NOT NULL DEFAULT 5,
    ack_both    boolean          NOT NULL DEFAULT false,
    -- Of the last change of state.
    changed_at  timestamptz      NOT NULL DEFAULT clock_timestamp(),
    CHECK (active IS DISTINCT FROM standby OR active IS NULL),
    CHECK (standby IS NULL OR migration IS NOT NULL)
);
CREATE INDEX route_migration ON route (migration);

CREATE TABLE attempt (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    migration   text        NOT NULL,
    epoch       bigint      NOT NULL,
    direction   text        NOT NULL,
    coordinator text        NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- AES-256-GCM; what to end and what to restore on the servers, stored before it is changed.
    undo        bytea,
    -- Why it was aborted, if it was.
    reason      text,
    outcome     text,
    report      jsonb
);
CREATE INDEX attempt_migration ON attempt (migration, id);

CREATE TABLE proxy (
    name        text        NOT NULL,
    interlay    text        NOT NULL REFERENCES interlay (id) ON DELETE CASCADE,
    incarnation text        NOT NULL,
    listen      text        NOT NULL,
    version     text        NOT NULL,
    joined_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    traffic     jsonb,
    PRIMARY KEY (interlay, name)
);

CREATE TABLE acknowledgement (
    attempt  bigint      NOT NULL,
    proxy    text        NOT NULL,
    interlay text        NOT NULL,
    step     text        NOT NULL,
    detail   text        NOT NULL,
    at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (attempt, proxy, interlay, step)
);

CREATE TABLE replication (
    migration    text   PRIMARY KEY,
    generation   bigint NOT NULL DEFAULT 0,
    -- The first direction's log begins here, once the full load has ended.
    loaded       boolean NOT NULL DEFAULT false,
    start_replid text,
    start_offset bigint NOT NULL DEFAULT 0,
    progress     jsonb
);

CREATE FUNCTION route_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        NEW.version := OLD.version + 1;
        IF NEW.state <> OLD.state THEN
            NEW.changed_at := clock_timestamp();
        END IF;
    END IF;
    PERFORM pg_notify('eden_route', NEW.interlay);
    RETURN NEW;
END
$$;
CREATE TRIGGER route_changed BEFORE INSERT OR UPDATE ON route FOR EACH ROW EXECUTE FUNCTION route_changed();

CREATE FUNCTION acknowledged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('eden_acknowledgement', NEW.attempt::text);
    RETURN NEW;
END
$$;
CREATE TRIGGER acknowledged AFTER INSERT ON acknowledgement FOR EACH ROW EXECUTE FUNCTION acknowledged();

-- How far each receiver that a migration names has been told of it. Servers share the work: who tells of a row next has moved its due_at on, so that
-- nobody else does meanwhile, and somebody else does where it dies.
CREATE TABLE notification (
    migration     text        NOT NULL REFERENCES migration (id) ON DELETE CASCADE,
    receiver      text        NOT NULL,
    -- What it is told of. Not read from the migration's spec, which a server of an older version may write again without it.
    kinds         jsonb       NOT NULL,
    -- Of the audit log: entries up to there were told, given up, or were nothing to tell.
    position      bigint      NOT NULL DEFAULT 0,
    due_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    claim         uuid,
    -- In a row, and since when.
    failures      integer     NOT NULL DEFAULT 0,
    failing_since timestamptz,
    PRIMARY KEY (migration, receiver)
);
CREATE INDEX notification_due ON notification (receiver, due_at);

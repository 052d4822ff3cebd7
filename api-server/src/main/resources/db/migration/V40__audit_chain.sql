-- Each audit entry carries its place in the order of commits and the hash of the entry before: a changed, missing or moved one shows.

ALTER TABLE audit_log
    -- Null only inside the transaction that appends.
    ADD COLUMN position bigint UNIQUE,
    ADD COLUMN previous bytea,
    -- SHA-256 of previous and of the entry as audit_text has it.
    ADD COLUMN hash     bytea;

DROP INDEX audit_log_migration;
CREATE INDEX audit_log_migration ON audit_log (migration, position);

-- Where the chain ends: without it entries cut off the end would not show.
CREATE TABLE audit_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    position bigint  NOT NULL,
    hash     bytea   NOT NULL
);
INSERT INTO audit_head (position, hash) VALUES (0, sha256('eden audit log'));

-- What is hashed. AuditChain has the same expression; neither may change without a new chain.
CREATE FUNCTION audit_text(e audit_log) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_array(e.position, e.id, (extract(epoch FROM e.at) * 1000000)::bigint, e.actor, e.event, e.subject, e.migration,
        e.phase, e.revision, e.reason, e.before, e.after)::text
$$;

CREATE OR REPLACE FUNCTION audit_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        -- The chaining of an entry that has just been appended, once.
        IF OLD.hash IS NULL AND NEW.hash IS NOT NULL
            AND to_jsonb(NEW) - '{position,previous,hash}'::text[] = to_jsonb(OLD) - '{position,previous,hash}'::text[] THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'audit_log is append-only';
END
$$;

CREATE FUNCTION audit_chain(entry_id bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    head  audit_head;
    entry audit_log;
BEGIN
    SELECT * INTO STRICT head FROM audit_head FOR UPDATE;
    SELECT * INTO STRICT entry FROM audit_log WHERE id = entry_id;
    entry.position := head.position + 1;
    entry.previous := head.hash;
    entry.hash := sha256(head.hash || convert_to(audit_text(entry), 'UTF8'));
    UPDATE audit_log SET position = entry.position, previous = entry.previous, hash = entry.hash WHERE id = entry_id;
    UPDATE audit_head SET position = entry.position, hash = entry.hash;
END
$$;

DO $$
DECLARE
    existing bigint;
BEGIN
    FOR existing IN SELECT id FROM audit_log ORDER BY id LOOP
        PERFORM audit_chain(existing);
    END LOOP;
END
$$;

CREATE FUNCTION audit_chained() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM audit_chain(NEW.id);
    RETURN NULL;
END
$$;
-- At the commit: appends wait for each other then only, when they hold nothing that another could want.
CREATE CONSTRAINT TRIGGER audit_chained
    AFTER INSERT ON audit_log DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION audit_chained();

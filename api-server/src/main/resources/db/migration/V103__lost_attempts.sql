-- What is needed to tell of an attempt whose coordinator is gone.

-- Since when clients have waited for the attempt of the row; null: not yet.
ALTER TABLE route ADD COLUMN held_at timestamptz;

-- Counted by the workflow; 0: a rehearsal, or from before.
ALTER TABLE attempt ADD COLUMN number integer NOT NULL DEFAULT 0;

CREATE INDEX attempt_untold ON attempt (migration) WHERE report IS NULL;

CREATE OR REPLACE FUNCTION route_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        NEW.version := OLD.version + 1;
        IF NEW.state <> OLD.state THEN
            NEW.changed_at := clock_timestamp();
            IF NEW.state = 'ARMED' THEN
                NEW.held_at := NULL;
            ELSIF NEW.state = 'PREPARED' THEN
                NEW.held_at := NEW.changed_at;
            END IF;
        END IF;
    END IF;
    PERFORM pg_notify('eden_route', NEW.interlay);
    RETURN NEW;
END
$$;

-- A full load that had ended is void, and the migration's workflow may not have heard of it yet. Servers from before void loads, too.
ALTER TABLE replication ADD COLUMN loss_untold boolean NOT NULL DEFAULT false;

CREATE FUNCTION load_voided() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.loss_untold := true;
    RETURN NEW;
END
$$;
CREATE TRIGGER load_voided BEFORE UPDATE OF loaded ON replication
    FOR EACH ROW WHEN (OLD.loaded AND NOT NEW.loaded) EXECUTE FUNCTION load_voided();

-- The last server of before may have died in between.
UPDATE replication SET loss_untold = true FROM migration
    WHERE migration.id = replication.migration AND NOT loaded AND migration.phase IN ('validating', 'canary', 'cutting_over')
        AND NOT EXISTS (SELECT FROM route WHERE route.migration = replication.migration AND turn_replid IS NOT NULL);

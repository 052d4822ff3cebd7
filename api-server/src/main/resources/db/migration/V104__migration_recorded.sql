-- Whoever waits for a workflow to have recorded something hears of it; once per record, by migration.

CREATE FUNCTION migration_recorded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('eden_migration', NEW.id);
    RETURN NULL;
END
$$;
CREATE TRIGGER migration_recorded AFTER UPDATE OF revision ON migration
    FOR EACH ROW WHEN (NEW.revision > OLD.revision) EXECUTE FUNCTION migration_recorded();

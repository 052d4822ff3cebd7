-- Which versions of the conversation through this store the servers speak: the last one that started says so.
CREATE TABLE wire (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    oldest   integer NOT NULL,
    newest   integer NOT NULL,
    CHECK (oldest <= newest)
);
INSERT INTO wire (oldest, newest) VALUES (1, 2);

ALTER TABLE proxy
    -- What it states beside its version; one that states nothing is from before.
    ADD COLUMN wire    integer NOT NULL GENERATED ALWAYS AS (coalesce(substring(version FROM '\+wire\.([0-9]{1,6})$')::integer, 1)) STORED,
    -- As of seen_at; left as it was by proxies that speak 1.
    ADD COLUMN serving boolean;

-- A proxy that is too old does not know that it should not join.
CREATE FUNCTION proxy_speaks() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    taken wire;
BEGIN
    SELECT * INTO STRICT taken FROM wire;
    IF NEW.wire < taken.oldest OR NEW.wire > taken.newest THEN
        RAISE EXCEPTION 'proxy % speaks wire version %, the servers % to %', NEW.name, NEW.wire, taken.oldest, taken.newest
            USING HINT = 'servers first, then proxies';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER proxy_speaks AFTER INSERT OR UPDATE OF version ON proxy FOR EACH ROW EXECUTE FUNCTION proxy_speaks();

package dev.eden.activities.postgres;

/** A database with something of most kinds, in words that each version takes and some print in their own way. */
public final class RichSchema {
    public static final String SQL = """
            CREATE SCHEMA shop;
            CREATE TYPE shop.mood AS ENUM ('sad', 'fine', 'it''s ok');
            CREATE TYPE shop."Two" AS (a text COLLATE "C", b numeric(10,2), json text);
            CREATE DOMAIN shop.positive AS int NOT NULL CONSTRAINT above CHECK (VALUE > 0);
            CREATE DOMAIN shop.mail AS varchar(80) CHECK (VALUE ~ '@' AND length(VALUE) > 3);
            CREATE TYPE shop.span AS RANGE (SUBTYPE = float8);
            CREATE TYPE shop.words AS RANGE (SUBTYPE = text, COLLATION = "C");
            CREATE FUNCTION shop.low(t text, n int DEFAULT 1 + 1) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS 'SELECT pg_catalog.lower(t)';
            CREATE PROCEDURE shop.act(INOUT n int) LANGUAGE plpgsql SECURITY DEFINER SET search_path = shop, pg_temp AS 'BEGIN n := n + 1; END';
            CREATE FUNCTION shop.noted() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.note := 'x'; RETURN NEW; END$$;
            CREATE TABLE shop.customer (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, mail shop.mail NOT NULL, name varchar(60) COLLATE "C", mood shop.mood DEFAULT 'fine',
                pair shop."Two", since timestamptz(3) DEFAULT now(), span shop.span, note text, state varchar(9) DEFAULT 'new',
                doubled int GENERATED ALWAYS AS (length(note) * 2) STORED, amount numeric(12,2) CHECK (amount >= 0 AND (amount < 1000 OR state <> 'new')),
                CONSTRAINT "State's" CHECK (state IN ('new', 'old') AND (name IS NULL OR name <> '' OR note ~~ 'x%')),
                CONSTRAINT of_mood CHECK (mood = ANY ('{sad,fine}'::shop.mood[]) OR mood > 'fine'), CONSTRAINT no_more CHECK (id > 0) NO INHERIT,
                CONSTRAINT ranged CHECK (id BETWEEN 1 AND 5000000 AND amount NOT BETWEEN -2 AND -1 AND name <> 'x'), CONSTRAINT quoted CHECK (state IN ('it''s', 'a)', 'b (c)', E'd\\\\e', 'new', 'old')),
                CONSTRAINT mail_once UNIQUE (mail) DEFERRABLE INITIALLY DEFERRED, UNIQUE (name, state) INCLUDE (amount),
                CONSTRAINT apart EXCLUDE USING gist (span WITH &&) WHERE (note IS NOT NULL));
            CREATE UNIQUE INDEX by_name ON shop.customer (lower((name)::text) text_pattern_ops DESC NULLS LAST, (coalesce(state, 'x'))) WHERE (mood <> 'sad');
            CREATE UNIQUE INDEX of_few ON shop.customer (since) WHERE id BETWEEN 1 AND 5 AND amount > 0;
            CREATE INDEX by_note ON shop.customer USING btree (note COLLATE "C") INCLUDE (amount) WITH (fillfactor = 70, deduplicate_items = off);
            CREATE INDEX by_low ON shop.customer (shop.low(note), since DESC);
            CREATE INDEX by_hash ON shop.customer USING hash (state);
            CREATE TABLE shop.orders (id int, at date, json jsonb, customer bigint REFERENCES shop.customer ON DELETE CASCADE ON UPDATE SET NULL DEFERRABLE, total shop.positive,
                PRIMARY KEY (id, at), CONSTRAINT real CHECK (at > '2000-01-01')) PARTITION BY RANGE (at);
            CREATE TABLE shop.orders_1 PARTITION OF shop.orders FOR VALUES FROM (MINVALUE) TO ('2024-01-01');
            CREATE TABLE shop.orders_2 PARTITION OF shop.orders FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
            CREATE TABLE shop.orders_rest PARTITION OF shop.orders DEFAULT;
            CREATE INDEX by_customer ON shop.orders (customer);
            CREATE TABLE shop.hashed (a bigint PRIMARY KEY, b text) PARTITION BY HASH (a);
            CREATE TABLE shop.hashed_0 PARTITION OF shop.hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
            CREATE TABLE shop.hashed_1 PARTITION OF shop.hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
            CREATE TABLE shop.parent (a int PRIMARY KEY, b text CHECK (b <> ''), "Odd.Name" text, json text DEFAULT 'x' CONSTRAINT json_value CHECK (json <> ''));
            ALTER TABLE shop.parent ADD CONSTRAINT json_query CHECK (json <> 'z') NOT VALID;
            COMMENT ON CONSTRAINT json_value ON shop.parent IS 'a keyword since 17, as the column';
            CREATE INDEX json_table ON shop.parent (json, (json || b)) WHERE json <> 'y';
            CREATE TABLE shop.child (c text UNIQUE) INHERITS (shop.parent);
            CREATE TABLE shop.later (a int PRIMARY KEY, b int REFERENCES shop.parent);
            ALTER TABLE shop.later ADD CONSTRAINT recent CHECK (b > 0) NOT VALID;
            ALTER TABLE shop.later ADD CONSTRAINT other FOREIGN KEY (b) REFERENCES shop.hashed (a) MATCH FULL NOT VALID;
            CREATE UNLOGGED TABLE shop.scratch (a int PRIMARY KEY);
            CREATE TABLE shop.found (a int NOT NULL, b text);
            CREATE UNIQUE INDEX found_by ON shop.found (a);
            ALTER TABLE shop.found REPLICA IDENTITY USING INDEX found_by;
            CREATE SEQUENCE shop.numbers AS smallint CYCLE;
            CREATE VIEW shop.seen AS SELECT c.*, o.total FROM shop.customer AS c JOIN shop.orders AS o ON o.customer = c.id;
            CREATE MATERIALIZED VIEW shop.kept AS SELECT state, count(*) AS n FROM shop.customer GROUP BY state;
            CREATE UNIQUE INDEX kept_by ON shop.kept (state);
            CREATE TRIGGER noted BEFORE UPDATE OF note ON shop.customer FOR EACH ROW WHEN (OLD.note IS DISTINCT FROM NEW.note OR (NEW.state)::text = 'x') EXECUTE FUNCTION shop.noted('a');
            CREATE TRIGGER quiet AFTER INSERT ON shop.later REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION shop.noted();
            ALTER TABLE shop.later DISABLE TRIGGER quiet;
            CREATE RULE nothing AS ON DELETE TO shop.found DO INSTEAD NOTHING;
            ALTER TABLE shop.customer ENABLE ROW LEVEL SECURITY;
            CREATE POLICY theirs ON shop.customer AS RESTRICTIVE FOR UPDATE TO PUBLIC USING (name = current_user AND (state = 'x' OR id > 3)) WITH CHECK (id IN (SELECT a FROM shop.parent));
            """;

    /** By itself: the driver would not find where it ends. */
    public static final String PARSED =
            "CREATE FUNCTION shop.parsed(n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT n + 1; END";

    private RichSchema() {}
}

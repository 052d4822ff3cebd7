-- What the load copied: progress is of the direction that runs now, and a flip begins another one. Null: not known.
ALTER TABLE replication ADD COLUMN loaded_items bigint;
ALTER TABLE replication ADD COLUMN loaded_bytes bigint;
UPDATE replication SET loaded_items = (progress ->> 'keysDone')::bigint, loaded_bytes = (progress ->> 'bytes')::bigint
    WHERE EXISTS (SELECT FROM route WHERE route.migration = replication.migration AND turn_replid IS NULL);

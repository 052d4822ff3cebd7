-- Keys of Temporal's payloads, each sealed with the encryption key: a history stays readable when that key has been replaced.
CREATE TABLE payload_key (
    id         text        PRIMARY KEY,
    value      bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

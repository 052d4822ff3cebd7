-- Requests to cancel that arrived at another proxy than their client did. Gone when answered; what a proxy that died left is swept by the next.
CREATE TABLE cancel (
    id       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    interlay text        NOT NULL REFERENCES interlay (id) ON DELETE CASCADE,
    -- Of the client's key, and a digest of all of it.
    pid      integer     NOT NULL,
    digest   text        NOT NULL,
    state    text        NOT NULL DEFAULT 'ASKED' CHECK (state IN ('ASKED', 'TAKEN', 'DONE')),
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

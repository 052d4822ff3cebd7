-- For how long a client keeps a connection to a server; null: a transaction. Proxies read it when they start, older ones not at all.
ALTER TABLE interlay
    ADD COLUMN pooling text CHECK (pooling IN ('transaction', 'session')),
    ADD CHECK (pooling IS NULL OR engine = 'postgres');

-- How the other server of a migration verifies this endpoint's when it replicates from it (options.link_tls, options.link_ca_file).
ALTER TABLE endpoint
    ADD COLUMN link_tls text NOT NULL DEFAULT 'system' CHECK (link_tls IN ('system', 'require')),
    ADD COLUMN link_ca_file text;

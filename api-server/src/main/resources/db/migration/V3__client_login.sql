-- Clients that never log in are logged in with the endpoint's credentials by the proxies (options.client_login: "endpoint").
ALTER TABLE endpoint ADD COLUMN client_login boolean NOT NULL DEFAULT false;

-- Whether the request has made or deleted what it asked for: written with that, where status and body come a commit later.
ALTER TABLE idempotency ADD COLUMN effective boolean NOT NULL DEFAULT false;

#!/bin/sh
# What docker-compose.yml's profile postgres moves: a million rows, and an application's role. The image runs it once, at the first start of postgres-source.
set -eu
psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set ON_ERROR_STOP=1 --set password="$POSTGRES_PASSWORD" <<'SQL'
CREATE ROLE app LOGIN PASSWORD :'password';
GRANT CREATE ON SCHEMA public TO app;
SQL
pgbench --initialize --init-steps=tGp --scale 10 --quiet --username app "$POSTGRES_DB"
# pgbench leaves its history without a key.
psql --username app --dbname "$POSTGRES_DB" --set ON_ERROR_STOP=1 \
    --command 'ALTER TABLE pgbench_history ADD id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY'

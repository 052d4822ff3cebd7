#!/usr/bin/env bash
# What drivers see through Eden's PostgreSQL proxy, in both poolings, and what they see directly: psql, psycopg 3 (libpq, pipeline mode), pgx, pgjdbc. Each
# prints a line a check (login, prepared statements, pipelines, COPY, cancel, LISTEN, errors with their positions); the lines must be the same. TLS apart, which
# PostgresLoginIT has. Needs PostgreSQL's server and psql (PG_BIN, default Debian's 15), a JDK 25 (JAVA_HOME) and Maven; drivers that are not there are left
# out and named: python3 with psycopg (PYTHON), go, pgjdbc's jar (from the proxy's own classpath). Under root the server runs as the user nobody.
#   docs/drivers/matrix.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=${PG_BIN:-/usr/lib/postgresql/15/bin} python=${PYTHON:-python3}
java="${JAVA_HOME:-/usr}/bin/java"
work=$(mktemp -d)
chmod 755 "$work"
pids=()
as=()
[ "$(id -u)" -ne 0 ] || as=(setpriv --reuid=nobody --regid="$(id -gn nobody)" --clear-groups)
cleanup() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  "${as[@]}" "$bin/pg_ctl" -D "$work/data/pg" -m immediate stop >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap cleanup EXIT
free_port() { python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])'; }
direct=$(free_port) transaction=$(free_port) session=$(free_port)
export PGUSER=drivers PGPASSWORD=drivers PGDATABASE=postgres PGHOST=127.0.0.1 PGSSLMODE=disable

mkdir "$work/data"
[ "$(id -u)" -ne 0 ] || chown nobody "$work/data"
printf 'drivers\n' >"$work/password"
"${as[@]}" "$bin/initdb" -D "$work/data/pg" -U drivers --pwfile="$work/password" -A scram-sha-256 >"$work/initdb.log" 2>&1
"${as[@]}" "$bin/pg_ctl" -D "$work/data/pg" -w -l "$work/data/log" -o "-p $direct -c listen_addresses=127.0.0.1 -c unix_socket_directories=" start >/dev/null
classpath=${EDEN_PROXY_CLASSPATH:-}
if [ -z "$classpath" ]; then
  mvn -q -B -pl proxy -am test-compile dependency:build-classpath -Dmdep.outputFile="$work/classpath" >/dev/null
  classpath="proxy/target/classes:proxy/target/test-classes:$(cat "$work/classpath")"
fi
proxy() {
  "$java" -Xmx256m --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -cp "$classpath" \
    dev.eden.proxy.PostgresProxyMain "$1" "127.0.0.1:$direct" drivers drivers postgres 1 10 ${2:+"$2"} >"$work/proxy$1.log" 2>&1 & pids+=($!)
  for _ in $(seq 200); do psql -p "$1" -Atqc 'SELECT 1' >/dev/null 2>&1 && return; sleep 0.2; done
  cat "$work/proxy$1.log" >&2
  exit 1
}
proxy "$transaction"
proxy "$session" session

checks_psql() {
  psql -p "$1" -At -v VERBOSITY=verbose <<'SQL' 2>&1
SELECT 1, 'é';
\set FETCH_COUNT 7
SELECT count(*) FROM (SELECT generate_series(1, 100)) x;
PREPARE p (int) AS SELECT $1 * 2;
EXECUTE p (21);
CREATE TEMP TABLE t (id int);
\copy t FROM PROGRAM 'seq 1000'
\copy t TO PROGRAM 'wc -l'
BEGIN;
SELECT 1 / 0;
SELECT 2;
ROLLBACK;
SELECT no_such_column FROM t;
LISTEN c;
NOTIFY c, 'x';
SET statement_timeout = 200;
SELECT pg_sleep(5);
SQL
}
checks_psycopg() { "$python" docs/drivers/checks.py "$1" postgres drivers drivers 2>&1; }
checks_pgx() { "$work/pgx" "$1" postgres drivers drivers 2>&1; }
checks_pgjdbc() { "$java" -cp "$classpath" docs/drivers/Checks.java "$1" postgres drivers drivers 2>&1; }

drivers=(psql)
"$python" -c 'import psycopg' 2>/dev/null && drivers+=(psycopg) || echo "left out: psycopg"
if command -v go >/dev/null && (cd docs/drivers/go && cp go.mod "$work/go.mod" && go build -mod=mod -modfile="$work/go.mod" -o "$work/pgx" . ) 2>"$work/go.log"; then drivers+=(pgx); else echo "left out: pgx"; fi
drivers+=(pgjdbc)
status=0
for driver in "${drivers[@]}"; do
  "checks_$driver" "$direct" | sed -E 's/process with PID [0-9]+|PID [0-9]+/PID/' >"$work/$driver.direct" || true
  for way in transaction session; do
    "checks_$driver" "${!way}" | sed -E 's/process with PID [0-9]+|PID [0-9]+/PID/' >"$work/$driver.$way" || true
    if diff "$work/$driver.direct" "$work/$driver.$way" >"$work/diff"; then
      echo "$driver, $way pooling: same $(wc -l <"$work/$driver.direct") lines"
    else
      echo "$driver, $way pooling: differs"
      cat "$work/diff"
      status=1
    fi
  done
done
exit "$status"

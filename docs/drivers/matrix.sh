#!/usr/bin/env bash
# What drivers see through Eden's PostgreSQL proxy, in both poolings, and what they see directly: psql, C with libpq (pipeline mode), psycopg 3, pgx, pgjdbc. Each
# prints a line a check (SCRAM, md5, channel binding, TLS verified and negotiated directly, wrong passwords, prepared statements, pipelines, COPY, cancel,
# LISTEN, errors with their positions); the lines must be the same. Then each does ordinary work through a flip, a rollback and a flip, on both poolings at
# once, with a connection beside it that does nothing: no error, every acknowledged row there, and the idle connection still answers.
# Needs psql 15 or later, openssl, a JDK 25 (JAVA_HOME) and Maven; drivers that are not there are left out and named: a C compiler with
# libpq's headers, python3 with psycopg (PYTHON), go, pgjdbc's jar (from the build's own classpath). The servers are the build's own, of the versions FROM and TO (default 17 and 18: the first that
# negotiate TLS directly). Exit code 0: nothing differs, no row is missing, no driver was left out; 3: only that some were left out; 1 otherwise.
#   [FROM=17 TO=18] docs/drivers/matrix.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${PYTHON:-python3} java="${JAVA_HOME:-/usr}/bin/java"
work=$(mktemp -d)
chmod 755 "$work"
world=
cleanup() {
  exec 8>&- 2>/dev/null || true
  [ -z "$world" ] || { kill "$world" 2>/dev/null && wait "$world" 2>/dev/null; } || true
  rm -rf "$work"
}
trap cleanup EXIT

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout "$work/ca.key" -out "$work/ca.crt" 2>/dev/null
openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout "$work/proxy.key" -out "$work/proxy.csr" 2>/dev/null
openssl x509 -req -days 2 -in "$work/proxy.csr" -CA "$work/ca.crt" -CAkey "$work/ca.key" -CAcreateserial \
  -extfile <(echo 'subjectAltName=DNS:localhost,IP:127.0.0.1') -out "$work/proxy.crt" 2>/dev/null
cp "$work/proxy.key" "$work/server.key"
chmod 600 "$work/server.key"
[ "$(id -u)" -ne 0 ] || chown nobody "$work/server.key"

classpath=${EDEN_CLASSPATH:-}
if [ -z "$classpath" ]; then
  mvn -q -B -pl api-server -am test-compile dependency:build-classpath -Dmdep.outputFile="$work/classpath" -Deden.launch >/dev/null
  classpath="api-server/target/test-classes:api-server/target/classes:$(cat "$work/classpath")"
fi
mkfifo "$work/orders"
"$java" -Xmx768m --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -cp "$classpath" dev.eden.api.mutants.DriversMain \
  "${FROM:-17}" "${TO:-18}" "$work/proxy.crt" "$work/proxy.key" "$work/server.key" <"$work/orders" >"$work/world" 2>"$work/world.log" &
world=$!
exec 8>"$work/orders"
said() { # said PATTERN: waits for one more line of that kind than ANSWERS
  for _ in $(seq 1200); do
    [ "$(grep -c "$1" "$work/world" || true)" -gt "${2:-0}" ] && return
    kill -0 "$world" 2>/dev/null || break
    sleep 0.1
  done
  cat "$work/world" >&2
  tail -40 "$work/world.log" >&2
  exit 1
}
said '^session '
port() { awk -v name="$1" '$1 == name { print $2 }' "$work/world"; }
export PGHOST=127.0.0.1 PGDATABASE=eden

query() { PGUSER=drivers PGPASSWORD=drivers PGSSLMODE=disable psql -p "$1" -At -v VERBOSITY=verbose "${@:2}" 2>&1; }
login() { # login NAME PORT USER PASSWORD [libpq's settings]
  printf '%s: %s\n' "$1" "$(PGPASSWORD=$4 psql "port=$2 user=$3 ${5:-sslmode=disable}" -Atc "SELECT current_user || length(repeat('x', 200000))" 2>&1 |
    sed -E 's/.*(FATAL|ERROR|SSL error|failed: )/\1/')"
}
checks_psql() {
  local at=$1 tls="sslmode=verify-full sslrootcert=$work/ca.crt"
  login 'wrong password' "$at" drivers wrong
  login 'no such user' "$at" nobody_here wrong
  login SCRAM "$at" drivers drivers
  login md5 "$at" old elderly
  login 'md5, wrong password' "$at" old young
  login 'TLS, verified' "$at" drivers drivers "$tls"
  login 'TLS, another authority' "$at" drivers drivers "sslmode=verify-full sslrootcert=/etc/ssl/certs/ca-certificates.crt"
  login 'TLS, wrong password' "$at" drivers wrong "$tls"
  login 'channel binding' "$at" drivers drivers "$tls channel_binding=require"
  login 'channel binding without TLS' "$at" drivers drivers 'sslmode=disable channel_binding=require'
  login 'md5 over TLS' "$at" old elderly "$tls"
  query "$at" <<'SQL'
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
  query "$at" -c 'SELECT pg_sleep(60)' >"$work/cancelled" &
  local sleeper=$!
  until [ "$(query "$at" -c "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'")" = 1 ]; do :; done
  pkill -INT -P "$sleeper" psql || kill -INT "$sleeper"
  wait "$sleeper" || true
  sed 's/^/cancel: /' "$work/cancelled"
}
checks_libpq() { "$work/libpq" "$1" eden "$work/ca.crt" "${@:2}" 2>&1; }
checks_psycopg() { "$python" docs/drivers/checks.py "$1" eden "$work/ca.crt" "${@:2}" 2>&1; }
checks_pgx() { "$work/pgx" "$1" eden "$work/ca.crt" "${@:2}" 2>&1; }
checks_pgjdbc() { "$java" -Xmx128m -cp "$classpath" docs/drivers/Checks.java "$1" eden "$work/ca.crt" "${@:2}" 2>&1; }
work_psql() { # psql as a person uses it: one statement after the other, the next when the last was answered
  local name=$1-$2 done=0 row
  coproc IDLE { query "$(port "$2")" -v ON_ERROR_STOP=1; }
  local idle_out=${IDLE[0]} idle_in=${IDLE[1]}
  printf 'PREPARE twice (int) AS SELECT $1 * 2;\nEXECUTE twice (1);\n' >&"$idle_in"
  read -r row <&"$idle_out" && read -r row <&"$idle_out"
  exec 5> >(query "$(port "$2")" -v ON_ERROR_STOP=1 >"$work/$name.rows")
  echo ready
  until over; do
    printf 'INSERT INTO public.work VALUES (%s, %d) RETURNING n;\n' "'$name'" "$done" >&5
    until grep -qx "$done" "$work/$name.rows"; do ! grep -q ERROR "$work/$name.rows" || { cat "$work/$name.rows"; return; }; sleep 0.01; done
    done=$((done + 1))
  done
  exec 5>&-
  printf 'EXECUTE twice (21);\n' >&"$idle_in"
  read -r row <&"$idle_out"
  echo "work: $done acknowledged, $(query "$(port "$2")" -c "SELECT count(*) FROM public.work WHERE driver = '$name'") there, idle connection answers $row"
}

drivers=(psql)
left=()
if cc -O1 -o "$work/libpq" docs/drivers/checks.c -I"$(pg_config --includedir 2>/dev/null)" -L"$(pg_config --libdir 2>/dev/null)" -lpq 2>"$work/cc.log"; then
  drivers+=(libpq)
else
  left+=(libpq)
fi
"$python" -c 'import psycopg' 2>/dev/null && drivers+=(psycopg) || left+=(psycopg)
if command -v go >/dev/null && (cd docs/drivers/go && cp go.mod "$work/go.mod" && go mod tidy -modfile="$work/go.mod" && go build -mod=mod -modfile="$work/go.mod" -o "$work/pgx" .) 2>"$work/go.log"; then
  drivers+=(pgx)
else
  left+=(pgx)
fi
drivers+=(pgjdbc)
[ ${#left[@]} -eq 0 ] || echo "left out: ${left[*]}"
# Where there is no such database, Eden adds which one it serves.
plain() { sed -E -e 's/process with PID [0-9]+|PID [0-9]+/PID/' -e '/^HINT:  eden: interlay /d'; }
status=0
for driver in "${drivers[@]}"; do
  "checks_$driver" "$(port source)" | plain >"$work/$driver.direct" || true
  for way in transaction session; do
    "checks_$driver" "$(port "$way")" | plain >"$work/$driver.$way" || true
    if diff "$work/$driver.direct" "$work/$driver.$way" >"$work/diff"; then
      echo "$driver, $way pooling: same $(wc -l <"$work/$driver.direct") lines"
    else
      echo "$driver, $way pooling: differs"
      cat "$work/diff"
      status=1
    fi
  done
  [ -z "${MATRIX_OUT:-}" ] || cp "$work/$driver.direct" "$MATRIX_OUT/"
done

declare -A workers
over() { [ ! -d "$work" ] || [ -e "$work/over" ]; }
for driver in "${drivers[@]}"; do
  for way in transaction session; do
    if [ "$driver" = psql ]; then
      work_psql psql "$way" >"$work/$driver.$way.work" 2>&1 &
    else
      "checks_$driver" "$(port "$way")" "$driver-$way" < <(until over; do sleep 0.2; done) >"$work/$driver.$way.work" 2>&1 &
    fi
    workers[$driver.$way]=$!
  done
done
for one in "${!workers[@]}"; do
  until grep -q ready "$work/$one.work"; do kill -0 "${workers[$one]}" 2>/dev/null || break; sleep 0.1; done
done
for flip in 0 1 2; do
  echo flip >&8
  said '^flip ' "$flip"
done
echo "flips: $(grep '^flip' "$work/world" | tr '\n' ' ')"
[ "$(grep -c '^flip committed' "$work/world")" -eq 3 ] || status=1
touch "$work/over"
for driver in "${drivers[@]}"; do
  for way in transaction session; do
    wait "${workers[$driver.$way]}" || true
    said=$(tail -1 "$work/$driver.$way.work")
    echo "$driver, $way pooling: $said"
    [[ $said =~ ^work:\ ([0-9]+)\ acknowledged,\ ([0-9]+)\ there,\ idle\ connection\ answers\ 42$ ]] && [ "${BASH_REMATCH[1]}" -eq "${BASH_REMATCH[2]}" ] || status=1
  done
done
[ "$status" -ne 0 ] || [ ${#left[@]} -eq 0 ] || status=3
exit "$status"

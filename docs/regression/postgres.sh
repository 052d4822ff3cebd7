#!/usr/bin/env bash
# PostgreSQL's own regression and isolation suites, once directly and once through Eden's proxy (session pooling), and the difference between
# their results. Needs the server's binaries with pg_regress (PG_BIN and PG_TEST, default Debian's postgresql-15), the same major version's
# source (PG_SOURCE; Debian: apt-get source postgresql-15), its headers (PG_INCLUDE, default Debian's postgresql-server-dev-15) with a C compiler
# for the suite's own functions, a JDK 25 (JAVA_HOME) and Maven. Under root the server runs as the user nobody.
#   PG_SOURCE=… docs/regression/postgres.sh [tests: "boolean char …", default all] [isolation: yes|no]
# Exit code 0: whatever the direct run gives, and it gives something, the run through the proxy gives too.
set -euo pipefail
cd "$(dirname "$0")/../.."
tests=${1:-} isolation=${2:-yes}
bin=${PG_BIN:-/usr/lib/postgresql/15/bin}
suite=${PG_TEST:-$bin/../lib/pgxs/src/test}
source=${PG_SOURCE:?the source of the same major version}
include=${PG_INCLUDE:-/usr/include/postgresql/15/server}
out=${REGRESSION_OUT:-$(mktemp -d)}
work=$(mktemp -d)
chmod 755 "$work" "$out"
as=()
[ "$(id -u)" -ne 0 ] || as=(setpriv --reuid=nobody --regid="$(id -gn nobody)" --clear-groups)
proxy=
stop() {
  [ -z "$proxy" ] || kill "$proxy" 2>/dev/null || true
  proxy=
  "${as[@]}" "$bin/pg_ctl" -D "$work/data/pg" -m immediate stop >/dev/null 2>&1 || true
  rm -rf "$work/data"
}
trap 'stop; rm -rf "$work"' EXIT
free_port() { python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])'; }

mkdir "$work/lib"
# COPY and the like run as the server's user, which must read and write here.
cp -r "$source/src/test/regress" "$source/src/test/isolation" "$work/"
cp "$bin"/../lib/{autoinc,refint}.so "$work/lib/" 2>/dev/null || true
cc -O1 -w -shared -fPIC -I"$include" -I"$source/src/include" -I"$work/regress" "$work/regress/regress.c" -o "$work/lib/regress.so"
chmod -R a+rwX "$work"
export PGUSER=regress PGPASSWORD=regress PGHOST=127.0.0.1 PGSSLMODE=disable

classpath=${EDEN_PROXY_CLASSPATH:-}
if [ -z "$classpath" ]; then
  mvn -q -B -pl proxy -am test-compile dependency:build-classpath -Dmdep.outputFile="$work/classpath" >/dev/null
  classpath="proxy/target/classes:proxy/target/test-classes:$(cat "$work/classpath")"
fi

# Runs both suites over what $1 says (direct or proxy), against a server that nobody has used before.
run() {
  local way=$1 server port
  server=$(free_port) port=$server
  mkdir "$work/data"
  chmod 777 "$work/data"
  printf 'regress\n' >"$work/password"
  "${as[@]}" "$bin/initdb" -D "$work/data/pg" -U regress --pwfile="$work/password" -A scram-sha-256 --no-locale -E UTF8 >"$out/$way.initdb.log" 2>&1
  "${as[@]}" "$bin/pg_ctl" -D "$work/data/pg" -w -l "$work/data/log" -o "-p $server -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories= -c fsync=off -c max_connections=100 -c max_prepared_transactions=2" start >/dev/null
  if [ "$way" = proxy ]; then
    port=$(free_port)
    "${JAVA_HOME:-/usr}/bin/java" -Xmx512m --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -cp "$classpath" \
      dev.eden.proxy.PostgresProxyMain "$port" "127.0.0.1:$server" regress regress '*' 2 60 session >"$out/proxy.log" 2>&1 &
    proxy=$!
    for _ in $(seq 200); do psql -p "$port" -d postgres -Atqc 'SELECT 1' >/dev/null 2>&1 && break; sleep 0.2; done
  fi
  # The tests print where they run: both runs happen in the same place.
  rm -rf "$work/out"
  mkdir -p "$work/out/regress/results" "$work/out/isolation/results"
  chmod -R 777 "$work/out"
  local which=(--schedule="$work/regress/parallel_schedule")
  # shellcheck disable=SC2206
  [ -z "$tests" ] || which=($tests)
  (cd "$work/regress" && "$suite/regress/pg_regress" --host=127.0.0.1 --port="$port" --user=regress --bindir="$bin" \
    --inputdir=. --outputdir="$work/out/regress" --dlpath="$work/lib" --max-concurrent-tests=20 --dbname=regression "${which[@]}") \
    >"$out/$way.regress.log" 2>&1 || true
  if [ "$isolation" = yes ]; then
    (cd "$work/isolation" && "$suite/isolation/pg_isolation_regress" --host=127.0.0.1 --port="$port" --user=regress --bindir="$bin" \
      --inputdir=. --outputdir="$work/out/isolation" --dlpath="$work/lib" --dbname=isolation_regression \
      --schedule=isolation_schedule) >"$out/$way.isolation.log" 2>&1 || true
  fi
  stop
  cp -r "$work/out" "$out/$way"
}

run direct
run proxy
status=0
for kind in regress isolation; do
  log=$(grep -hE '^ *(All|# All|# ?[0-9]+ of| ?[0-9]+ of).*tests' "$out/direct.$kind.log" "$out/proxy.$kind.log" 2>/dev/null || true)
  printf '%s: %s\n' "$kind" "${log//$'\n'/ | }"
  [ "$kind" = regress ] || [ "$isolation" = yes ] || continue
  results=$(find "$out/direct/$kind/results" -type f | wc -l)
  if [ "$results" -eq 0 ]; then
    echo "$kind: nothing was run: see $out/direct.$kind.log"
    status=1
  fi
  diff -r "$out/direct/$kind/results" "$out/proxy/$kind/results" >"$out/$kind.diff" || status=1
  printf '%s: %s of %s files differ\n' "$kind" "$(grep -c '^diff\|^Only' "$out/$kind.diff" || true)" "$results"
done
echo "results: $out"
exit "$status"

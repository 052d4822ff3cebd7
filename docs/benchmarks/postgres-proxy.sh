#!/usr/bin/env bash
# Eden's PostgreSQL proxy beside a direct connection, PgBouncer (transaction pooling) and HAProxy (mode tcp), in one run, interleaved; prints
# medians and ratios to direct. Needs PostgreSQL's server and pgbench (PG_BIN, default Debian's 15), pgbouncer (PGBOUNCER overrides) and haproxy,
# a JDK 25 (JAVA_HOME) and Maven. Under root the servers run as the user nobody.
#   docs/benchmarks/postgres-proxy.sh [rounds] [seconds a sample] [rows: "select-simple-200 …", default all] [event loops] [pool]
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds=${1:-5} seconds=${2:-3} rows=${3:-} loops=${4:-0} pool=${5:-20}
bin=${PG_BIN:-/usr/lib/postgresql/15/bin} pgbouncer=${PGBOUNCER:-pgbouncer}
work=$(mktemp -d)
chmod 755 "$work"
pids=()
as=()
[ "$(id -u)" -ne 0 ] || as=(setpriv --reuid=nobody --regid="$(id -gn nobody)" --clear-groups)
cleanup() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  "${as[@]}" "$bin/pg_ctl" -D "$work/data/pg" -m immediate stop >/dev/null 2>&1 || true
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT
free_port() { python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])'; }
direct=$(free_port) bouncer=$(free_port) haproxy=$(free_port) eden=$(free_port)
ulimit -n 20000 2>/dev/null || true
export PGUSER=bench PGPASSWORD=bench PGDATABASE=bench PGHOST=127.0.0.1 PGSSLMODE=disable

mkdir "$work/data"
[ "$(id -u)" -ne 0 ] || chown nobody "$work/data"
printf 'bench\n' >"$work/password"
"${as[@]}" "$bin/initdb" -D "$work/data/pg" -U bench --pwfile="$work/password" -A scram-sha-256 -k >"$work/initdb.log" 2>&1
"${as[@]}" "$bin/pg_ctl" -D "$work/data/pg" -w -l "$work/data/log" -o "-p $direct -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
  -c shared_buffers=2GB -c max_connections=400 -c jit=off -c wal_level=logical -c max_wal_size=4GB" start >/dev/null
psql -q -p "$direct" -d postgres -c 'CREATE DATABASE bench'
"$bin/pgbench" -q -i -s 30 -p "$direct" >"$work/load.log" 2>&1
psql -q -p "$direct" -c "CREATE TABLE big AS SELECT i AS id, repeat(md5(i::text), 32768) AS value FROM generate_series(1, 200) i" -c 'VACUUM ANALYZE'

printf '"bench" "bench"\n' >"$work/users"
cat >"$work/pgbouncer.ini" <<CFG
[databases]
bench = host=127.0.0.1 port=$direct dbname=bench
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $bouncer
unix_socket_dir =
auth_type = scram-sha-256
auth_file = $work/users
pool_mode = transaction
default_pool_size = $pool
max_client_conn = 2000
ignore_startup_parameters = extra_float_digits
logfile = $work/data/pgbouncer.log
$("$pgbouncer" --version | grep -qE 'PgBouncer 1\.(2[1-9]|[3-9])' && echo 'max_prepared_statements = 200')
CFG
"${as[@]}" "$pgbouncer" "$work/pgbouncer.ini" >"$work/pgbouncer.log" 2>&1 & pids+=($!)
cat >"$work/haproxy.cfg" <<CFG
global
  nbthread 2
  maxconn 4000
defaults
  mode tcp
  timeout connect 5s
  timeout client 5m
  timeout server 5m
listen postgres
  bind 127.0.0.1:$haproxy
  server one 127.0.0.1:$direct
CFG
haproxy -db -f "$work/haproxy.cfg" >"$work/haproxy.log" 2>&1 & pids+=($!)
classpath=${EDEN_PROXY_CLASSPATH:-}
if [ -z "$classpath" ]; then
  mvn -q -B -pl proxy -am test-compile dependency:build-classpath -Dmdep.outputFile="$work/classpath" >/dev/null
  classpath="proxy/target/classes:proxy/target/test-classes:$(cat "$work/classpath")"
fi
"${JAVA_HOME:-/usr}/bin/java" -Xmx512m -XX:+UseParallelGC --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
  -cp "$classpath" dev.eden.proxy.PostgresProxyMain "$eden" "127.0.0.1:$direct" bench bench bench "$loops" "$pool" >"$work/eden.log" 2>&1 & pids+=($!)
for port in "$direct" "$bouncer" "$haproxy" "$eden"; do
  for _ in $(seq 100); do psql -p "$port" -Atqc 'SELECT 1' >/dev/null 2>&1 && break; sleep 0.2; done
  psql -p "$port" -Atqc 'SELECT 1' >/dev/null || { echo "nothing answers on port $port" >&2; cat "$work"/*.log >&2; exit 1; }
done

# Prints transactions (or, for COPY, megabytes) a second; nothing where the peer cannot do it.
sample() {
  local port=$1 row=$2 script=-S mode clients
  case $row in
    copy-out) timed "$port" 'COPY pgbench_accounts TO STDOUT (FORMAT binary)' 405; return ;;
    large-values) timed "$port" 'SELECT value FROM big' 200; return ;;
  esac
  IFS=- read -r kind mode clients <<<"$row"
  [ "$kind" = select ] || script='-b tpcb-like'
  # pgbench's clock runs while it connects, one client after the other.
  # shellcheck disable=SC2086
  "$bin/pgbench" -n $script -M "$mode" -c "$clients" -j 1 -T $((seconds + clients / 40)) -p "$port" >"$work/sample" 2>&1 || return 0
  sed -n 's/^tps = \([0-9.]*\).*/\1/p' "$work/sample"
}
timed() {
  local from to
  from=$(date +%s%N)
  psql -p "$1" -Atqc "$2" >/dev/null || return 0
  to=$(date +%s%N)
  awk -v ns=$((to - from)) -v mb="$3" 'BEGIN { printf "%.1f\n", mb / (ns / 1e9) }'
}

all="select-simple-200 select-simple-16 select-extended-16 select-prepared-16 select-prepared-200 tpcb-simple-16 tpcb-prepared-16 copy-out large-values"
for mode in simple extended prepared; do "$bin/pgbench" -n -S -M $mode -c 16 -T 4 -p "$eden" >/dev/null 2>&1; done # warm the JVM up
for row in ${rows:-$all}; do
  sample "$eden" "$row" >/dev/null
  for _ in $(seq "$rounds"); do
    for target in direct bouncer haproxy eden; do
      echo "$row,$target,$(sample "${!target}" "$row")"
    done
  done
done >"$work/results.csv"
python3 - "$work/results.csv" "$("$pgbouncer" --version | head -n 1)" <<'PY'
import collections, statistics, sys
runs = collections.defaultdict(list)
order = []
for line in open(sys.argv[1]):
    row, target, value = line.strip().split(",")
    if row not in order:
        order.append(row)
    if value:
        runs[row, target].append(float(value))
targets = ("direct", "bouncer", "haproxy", "eden")
print(f"{sys.argv[2]}; transactions or MB a second")
print("| row | direct | PgBouncer | HAProxy | Eden | Eden / PgBouncer | Eden's range |")
print("|---|---|---|---|---|---|---|")
for row in order:
    m = {t: statistics.median(runs[row, t]) if runs[row, t] else None for t in targets}
    ratio = lambda t: f"{m[t] / m['direct']:.2f}" if m[t] else "fails"
    eden = runs[row, "eden"]
    print(f"| {row} | {m['direct']:,.0f} | {ratio('bouncer')} | {ratio('haproxy')} | {ratio('eden')} | "
          + (f"{m['eden'] / m['bouncer']:.2f}" if m["bouncer"] and m["eden"] else "")
          + (f" | {min(eden) / m['direct']:.2f}–{max(eden) / m['direct']:.2f} |" if eden else " | |"))
PY

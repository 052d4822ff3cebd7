#!/usr/bin/env bash
# Eden's Redis proxy beside a direct connection, HAProxy (mode tcp, two threads) and nutcracker, in one run, interleaved; prints medians
# and ratios to direct. Needs redis-server, redis-benchmark, haproxy and nutcracker on the PATH, a JDK 25 (JAVA_HOME) and Maven.
#   docs/benchmarks/redis-proxy.sh [rounds] [requests] [eden-event-loops] [eden-pool]
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds=${1:-5} requests=${2:-200000} loops=${3:-0} pool=${4:-8}
work=$(mktemp -d)
pids=()
cleanup() { for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; wait 2>/dev/null || true; rm -rf "$work"; }
trap cleanup EXIT
free_port() { python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])'; }
direct=$(free_port) haproxy=$(free_port) nutcracker=$(free_port) eden=$(free_port)
ulimit -n 20000 2>/dev/null || true

redis-server --port "$direct" --bind 127.0.0.1 --save "" --appendonly no --loglevel warning >"$work/redis.log" 2>&1 & pids+=($!)
cat >"$work/haproxy.cfg" <<CFG
global
  nbthread 2
  maxconn 8000
defaults
  mode tcp
  timeout connect 5s
  timeout client 1m
  timeout server 1m
listen redis
  bind 127.0.0.1:$haproxy
  server one 127.0.0.1:$direct
CFG
haproxy -db -f "$work/haproxy.cfg" >"$work/haproxy.log" 2>&1 & pids+=($!)
cat >"$work/nutcracker.yml" <<CFG
redis:
  listen: 127.0.0.1:$nutcracker
  hash: fnv1a_64
  distribution: ketama
  redis: true
  servers:
   - 127.0.0.1:$direct:1
CFG
nutcracker -c "$work/nutcracker.yml" -s "$(free_port)" >"$work/nutcracker.log" 2>&1 & pids+=($!)
classpath=${EDEN_PROXY_CLASSPATH:-}
if [ -z "$classpath" ]; then
  mvn -q -B -pl proxy -am test-compile dependency:build-classpath -Dmdep.outputFile="$work/classpath" >/dev/null
  classpath="proxy/target/classes:proxy/target/test-classes:$(cat "$work/classpath")"
fi
"${JAVA_HOME:-/usr}/bin/java" -Xmx512m -XX:+UseParallelGC --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
  -cp "$classpath" dev.eden.proxy.ProxyMain "$eden" "127.0.0.1:$direct" "$loops" "$pool" >"$work/eden.log" 2>&1 & pids+=($!)
for port in "$direct" "$haproxy" "$nutcracker" "$eden"; do
  for _ in $(seq 100); do redis-cli -p "$port" get x >/dev/null 2>&1 && break; sleep 0.2; done
  redis-cli -p "$port" get x >/dev/null || { echo "nothing answers on port $port" >&2; cat "$work"/*.log >&2; exit 1; }
done
redis-benchmark -p "$eden" -c 50 -n "$requests" -t set,get -d 64 -q >/dev/null # warm the JVM up
redis-benchmark -p "$eden" -c 50 -P 16 -n $((requests * 10)) -t set,get -d 64 -q >/dev/null

for clients in 50 1000; do
  for pipeline in 1 16; do
    for round in $(seq "$rounds"); do
      for target in direct haproxy nutcracker eden; do
        redis-benchmark -p "${!target}" -c "$clients" -P "$pipeline" -n $((requests * (pipeline == 1 ? 1 : 10))) \
          -t set,get -d 64 -r 100000 --csv 2>/dev/null | tr -d '"' | awk -F, -v k="$clients,$pipeline,$target" 'NR > 1 {print k "," $1 "," $2}'
      done
    done
  done
done >"$work/results.csv"
python3 - "$work/results.csv" <<'PY'
import collections, statistics, sys
runs = collections.defaultdict(list)
for line in open(sys.argv[1]):
    c, p, target, test, ops = line.strip().split(",")
    runs[int(c), int(p), test, target].append(float(ops))
print("| clients | pipeline | test | " + " | ".join(("direct ops/s", "haproxy", "nutcracker", "eden", "eden / haproxy")) + " |")
print("|---|---|---|---|---|---|---|---|")
for c, p, test in sorted({k[:3] for k in runs}):
    m = {t: statistics.median(runs[c, p, test, t]) for t in ("direct", "haproxy", "nutcracker", "eden")}
    print(f"| {c} | {p} | {test} | {m['direct']:,.0f} | " + " | ".join(f"{m[t] / m['direct']:.2f}" for t in ("haproxy", "nutcracker", "eden")) + f" | {m['eden'] / m['haproxy']:.2f} |")
PY

#!/usr/bin/env bash
# How long a server takes from its start to /health/ready, the first of them with an empty store: milliseconds of each of N starts. As the installation is; after
# `eden train` with its AOT cache. Needs PostgreSQL's own programs (Debian: postgresql), setpriv, curl and the durable Temporal (eden temporal install).
#   docs/benchmarks/server-start.sh [starts, default 6]
set -euo pipefail
cd "$(dirname "$0")/../.."
starts=${1:-6}
programs=$(dirname "$(find /usr/lib/postgresql -name initdb | sort -V | tail -1)")
temporal=$(command -v temporal || echo "$HOME/.cache/eden/bin/temporal")
work=$(mktemp -d)
chmod 777 "$work"
port=$((20000 + RANDOM % 10000))
nobody=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
"${nobody[@]}" "$programs/initdb" -D "$work/store" -U postgres -A trust >/dev/null
"${nobody[@]}" "$programs/pg_ctl" -D "$work/store" -w -l "$work/store.log" -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=" start >/dev/null
"$temporal" server start-dev --headless --ip 127.0.0.1 --port $((port + 1)) --log-level error >/dev/null 2>&1 &
orchestrator=$!
trap 'kill $orchestrator; "${nobody[@]}" "$programs/pg_ctl" -D "$work/store" -m immediate stop >/dev/null' EXIT
"$programs/psql" -h 127.0.0.1 -p "$port" -U postgres -qc 'CREATE DATABASE eden'
EDEN_ENCRYPTION_KEY=$(head -c 32 /dev/urandom | base64)
EDEN_ADMIN_TOKEN=$(head -c 24 /dev/urandom | base64)
export EDEN_ENCRYPTION_KEY EDEN_ADMIN_TOKEN EDEN_DATABASE_URL=postgresql://postgres:any@127.0.0.1:$port/eden
./eden --version >/dev/null # builds what is missing
sleep 3
for ((i = 1; i <= starts; i++)); do
  began=$(date +%s%N)
  ./eden server --no-proxy --api-port $((port + 2)) --admin-port $((port + 3)) --temporal-address 127.0.0.1:$((port + 1)) >"$work/server.log" 2>&1 &
  server=$!
  until curl -fs "http://127.0.0.1:$((port + 3))/health/ready" >/dev/null; do
    kill -0 $server 2>/dev/null || { cat "$work/server.log" >&2; exit 1; }
    sleep 0.02
  done
  echo "start $i: ready after $((($(date +%s%N) - began) / 1000000)) ms"
  kill $server
  wait $server 2>/dev/null || true
done

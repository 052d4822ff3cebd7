#!/usr/bin/env bash
# How long the clients of a PostgreSQL wait at a flip: pgbench's TPC-B through two proxies at a share of what comes through with replication running (client, both
# servers, proxies and Eden share the processors here; what the source can do alone is printed too), flips forwards and back under it, the latency of every transaction that overlapped hold → open by pgbench's own log; and the lag of replication meanwhile.
# Needs PostgreSQL's server and pgbench (PG_BIN, default Debian's 15; TARGET_BIN for another version on the target), Temporal's dev server
# (eden temporal install), python3, a JDK 25 and Maven. Under root the servers run as the user nobody.
#   docs/benchmarks/postgres-pause.sh [flips, default 10] [share, default 0.7] [scale, default 20] [clients, default 16]
# DEADLINE (ms, default 1500) is what an attempt may hold clients for; REHEARSE=3 rehearses three times before the first flip, as the guide says. As on a server of its own,
# there should be huge pages for the three servers' shared buffers: sysctl vm.nr_hugepages=1400.
set -euo pipefail
home=$(CDPATH='' cd -- "$(dirname "$0")/../.." && pwd -P)
flips=${1:-10} share=${2:-0.7} scale=${3:-20} clients=${4:-16}
bin=${PG_BIN:-/usr/lib/postgresql/15/bin} target_bin=${TARGET_BIN:-${PG_BIN:-/usr/lib/postgresql/15/bin}}
temporal=$(command -v temporal || echo "${XDG_CACHE_HOME:-$HOME/.cache}/eden/bin/temporal")
work=$(mktemp -d)
chmod 755 "$work"
mkdir "$work/data"
pids=()
as=()
if [ "$(id -u)" -eq 0 ]; then
  chown nobody "$work/data"
  as=(setpriv --reuid=nobody --regid="$(id -gn nobody)" --clear-groups)
fi
finish() {
  kill "${pids[@]}" 2>/dev/null || true
  for name in source target store; do "${as[@]}" "$bin/pg_ctl" -D "$work/data/$name" -m immediate stop >/dev/null 2>&1 || true; done
  wait 2>/dev/null || true
  if [ -n "${KEEP:-}" ]; then echo "kept: $work"; else rm -rf "$work"; fi
}
trap finish EXIT
free_port() { python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])'; }
export PGPASSWORD=secret PGHOST=127.0.0.1 PGSSLMODE=disable PGUSER=postgres

server() { # NAME BIN PORT
  printf 'secret\n' >"$work/password"
  "${as[@]}" "$2/initdb" -D "$work/data/$1" -U postgres --pwfile="$work/password" -A scram-sha-256 >"$work/$1.initdb.log" 2>&1
  "${as[@]}" "$2/pg_ctl" -D "$work/data/$1" -w -l "$work/data/$1.log" -o "-p $3 -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
    -c shared_buffers=512MB -c max_connections=200 -c wal_level=logical -c max_wal_size=4GB -c max_wal_senders=20 -c max_replication_slots=20" start >/dev/null
}
source=$(free_port) target=$(free_port) store=$(free_port) api=$(free_port) rpc=$(free_port) one=$(free_port) two=$(free_port)
server source "$bin" "$source"
server target "$target_bin" "$target"
server store "$bin" "$store"
psql -q -p "$store" -d postgres -c 'CREATE DATABASE eden'
for port in $source $target; do psql -q -p "$port" -d postgres -c 'CREATE DATABASE bench'; done
psql -q -p "$source" -d bench -c "CREATE ROLE app LOGIN PASSWORD 'secret'" -c 'GRANT ALL ON SCHEMA public TO app'
PGUSER=app "$bin/pgbench" -q -i -s "$scale" -p "$source" bench >"$work/load.log" 2>&1

"$temporal" server start-dev --headless --ip 127.0.0.1 --port "$rpc" --log-level error >"$work/temporal.log" 2>&1 &
pids+=($!)
EDEN_ENCRYPTION_KEY=$(head -c 32 /dev/urandom | base64)
export EDEN_ENCRYPTION_KEY EDEN_DATABASE_PASSWORD=secret EDEN_ADMIN_TOKEN=benchmark-token-0123456789 EDEN_DATABASE_URL=postgresql://postgres@127.0.0.1:$store/eden
"$home/eden" --version >/dev/null # builds what is missing
for _ in $(seq 100); do python3 -c "import socket; socket.create_connection(('127.0.0.1', $rpc), 1)" 2>/dev/null && break; sleep 0.2; done
"$home/eden" server --listen-postgres "127.0.0.1:$one" --no-proxy --api-port "$api" --admin-port 0 --temporal-address "127.0.0.1:$rpc" >"$work/server.log" 2>&1 &
pids+=($!)
for _ in $(seq 150); do
  curl -fs -H "Authorization: Bearer $EDEN_ADMIN_TOKEN" "http://127.0.0.1:$api/api/v1/interlays" >/dev/null && break
  sleep 0.2
done
for n in one two; do
  "$home/eden" proxy --name "$n" --interlay postgres_interlay --listen "127.0.0.1:${!n}" --metrics-port 0 >"$work/$n.log" 2>&1 &
  pids+=($!)
done

PGUSER=app python3 - "$work" "$bin" "$api" "$source" "$target" "$one" "$two" "$flips" "$share" "$clients" <<'PY'
import glob, json, math, os, subprocess, sys, threading, time, urllib.error, urllib.request

work, bin, api, source, target, one, two, flips, share, clients = sys.argv[1:]
flips, share, clients = int(flips), float(share), int(clients)


def call(method, path, body=None):
    request = urllib.request.Request(f"http://127.0.0.1:{api}/api/v1{path}", method=method,
        data=json.dumps(body).encode() if body is not None else None,
        headers={"Authorization": "Bearer benchmark-token-0123456789", "Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as e:
        raise SystemExit(f"{method} {path}: {e.code} {e.read().decode()}")


def status():
    return call("GET", "/migrations/bench/status")


def until(phase, seconds=300):
    end = time.time() + seconds
    while (now := status())["phase"] != phase:
        if time.time() > end or now["phase"] == "needs_operator":
            raise SystemExit(f"not {phase}: {json.dumps(now)}")
        time.sleep(0.2)
    return now


def pgbench(port, seconds, count, rate=None, log=None):
    return subprocess.Popen([f"{bin}/pgbench", "-n", "-b", "tpcb-like", "-M", "prepared", "-c", str(count), "-j", "1", "-T", str(seconds), "-p", port]
        + (["-R", str(rate)] if rate else []) + (["-l", f"--log-prefix={log}"] if log else []) + ["bench"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def tps(process):
    text = process.communicate()[0]
    if process.returncode:
        raise SystemExit(text)
    return float(text.split("tps = ")[1].split()[0]), text


alone, _ = tps(pgbench(source, 10, clients))
print(f"the source alone: {alone:,.0f} transactions/s with {clients} clients", flush=True)
call("POST", "/endpoints", {"id": "old", "uri": f"postgresql://postgres:secret@127.0.0.1:{source}/bench"})
call("POST", "/endpoints", {"id": "new", "uri": f"postgresql://postgres:secret@127.0.0.1:{target}/bench"})
call("POST", "/migrations", {"id": "bench", "description": "pause", "labels": {"backup_verified": "benchmark"}, "failure_handling": "needs_operator",
    "strategy": {"type": "canary", "read_percentage": 0}, "data": {"type": "logical"}, "cutover": {"deadline_ms": int(os.environ.get("DEADLINE", "1500"))}})
call("POST", "/migrations/bench/interlay/postgres_interlay", {"endpoint": "new"})
time.sleep(2)
for port in (one, two):
    tps(pgbench(port, 5, clients // 2))  # warms the proxies up
call("POST", "/migrations/bench/migrate")
until("canary")
both = [pgbench(port, 8, clients // 2) for port in (one, two)]
through = sum(tps(process)[0] for process in both)
rate = int(through * share)
print(f"through both proxies, replicated: {through:,.0f}; load: {rate:,}", flush=True)
load = [pgbench(port, 100_000, clients // 2, rate // 2, f"{work}/tx-{name}") for name, port in (("one", one), ("two", two))]
lags, over = [], threading.Event()


def watch():
    while not over.wait(0.1):
        lag = status().get("replication_lag_ms")
        if lag is not None:
            lags.append((time.time() * 1_000_000, lag))


time.sleep(10)
watcher = threading.Thread(target=watch)
watcher.start()
for rehearsal in range(int(os.environ.get("REHEARSE", "0"))):
    call("POST", "/migrations/bench/rehearse", {"reason": "benchmark"})
    while sum(attempt["outcome"] == "rehearsed" for attempt in status()["attempts"]) <= rehearsal:
        time.sleep(0.2)
    time.sleep(2)
for flip in range(flips):
    time.sleep(5)
    call("POST", f"/migrations/bench/{'rollback' if flip % 2 else 'cutover'}", {"reason": "benchmark"})
    until("canary" if flip % 2 else "baking", 120)
time.sleep(3)
over.set()
watcher.join()
time.sleep(1)
for process in load:
    process.terminate()
    process.wait()
transactions = []
for path in glob.glob(f"{work}/tx-*"):
    for line in open(path):
        field = line.split()
        if len(field) < 6 or not field[2].isdigit():
            continue
        end = int(field[4]) * 1_000_000 + int(field[5])
        waited = int(field[6]) if len(field) > 6 else 0  # for its turn, in pgbench: the rate's, not the server's
        transactions.append((end - int(field[2]) + waited, end))
transactions.sort()


def quantile(values, q):
    return values[max(0, math.ceil(len(values) * q) - 1)]


def show(name, values):
    values = sorted(values)
    print(f"{name}: {len(values)}; median {quantile(values, .5):.1f} ms, p99 {quantile(values, .99):.1f} ms, longest {values[-1]:.1f} ms", flush=True)


pooled, windows = [], []
for attempt in status()["attempts"]:
    report = attempt.get("report", attempt)
    hold, opened = report["hold_at_micros"], report["opened_at_micros"]
    if not hold or opened < hold:
        print(f"{report['direction']}: {report['outcome']} {report.get('blockers')}")
        continue
    inside = [(end - begin) / 1000 for begin, end in transactions if begin <= opened + 1000 and end >= hold - 1000]
    steps, seen = [], False
    for step in report["steps"]:
        seen |= step["name"] == "prepare"
        if seen:
            steps.append(f"{step['name']} {step['micros'] / 1000:.0f}")
    windows.append((hold - 1000, opened + 1000))
    after = sorted((end - opened) / 1000 for begin, end in transactions if begin <= opened <= end)
    print(f"{attempt['direction']}: {attempt['outcome']}; {len(inside)} transactions, longest {max(inside, default=0):.1f} ms; {', '.join(steps)};"
        f" then, to the end of those that were held, {' '.join(f'{ms:.0f}' for ms in after)}", flush=True)
    if report["outcome"] == "committed":
        pooled += inside
first, last = windows[0][0], windows[-1][1]
show("transactions that overlapped a pause", pooled)
show("all others", [(e - b) / 1000 for b, e in transactions if first - 5_000_000 <= b <= last and not any(b <= to and e >= frm for frm, to in windows)])
show("replication lag, samples", [lag for _, lag in lags])
show("replication lag, but for the second after each opening",
    [lag for at, lag in lags if not any(hold <= at <= opened + 1_000_000 for hold, opened in windows)])
print(f"transactions/s over the flips: {sum(first <= b <= last for b, _ in transactions) / ((last - first) / 1e6):,.0f}")
PY

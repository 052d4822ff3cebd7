#!/usr/bin/env bash
# How quickly one server answers with many migrations: registers them, runs some of them up to their canary (each between two Redis servers of its
# own, with writes now and then), and asks for the list and for the states. The servers wake once a second instead of ten times: hundreds of them are
# on one machine only here.
#
#   docs/benchmarks/migrations.sh [registered] [running]      (1000, 200; some minutes; wants redis-server, python3 and 8 GiB)
set -euo pipefail

home=$(CDPATH='' cd -- "$(dirname "$0")/../.." && pwd -P)
registered=${1:-1000}
running=${2:-200}
work=$(mktemp -d)
pids=()
finish() {
    kill "${pids[@]}" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

"$home/eden" --version >/dev/null # builds what is missing
for ((i = 0; i < 2 * running; i++)); do
    redis-server --port $((20000 + i)) --save "" --appendonly no --hz 1 \
        --maxmemory 64mb --maxmemory-policy noeviction --repl-backlog-size 1mb --dir "$work" >/dev/null 2>&1 &
    pids+=($!)
done
redis-server --port 19999 --save "" >/dev/null 2>&1 &
pids+=($!)
EDEN_ADMIN_TOKEN=benchmark-token-0123456789 "$home/eden" dev --data-dir "$work/eden" --api-port 19000 --admin-port 19001 \
    --listen 127.0.0.1:19002 >"$work/dev.log" 2>&1 &
pids+=($!)

python3 - "$registered" "$running" "$work" <<'PY'
import concurrent.futures, http.client, json, socket, subprocess, sys, threading, time

registered, running, work = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
local = threading.local()
TOO_MANY = object()
sys.setswitchinterval(0.0005)  # or an answer waits for Python's other threads, up to 5 ms for each


def call(method, path, body=None):
    if not hasattr(local, "http"):
        local.http = http.client.HTTPConnection("127.0.0.1", 19000, timeout=60)
        local.http.connect()
        local.http.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    headers = {"Authorization": "Bearer benchmark-token-0123456789", "Content-Type": "application/json"}
    try:
        local.http.request(method, "/api/v1" + path, json.dumps(body) if body is not None else None, headers)
        answer = local.http.getresponse()
        text = answer.read()
    except Exception as e:
        local.http.close()
        del local.http
        if isinstance(e, http.client.RemoteDisconnected) and method == "GET":
            return call(method, path, body)  # idle for too long: the server has closed it
        raise
    if answer.status == 429 and method == "GET":
        return TOO_MANY
    if answer.status >= 300:
        raise SystemExit(f"{method} {path}: {answer.status} {text.decode()}")
    return json.loads(text) if text else None


began = time.time()
while True:
    try:
        call("GET", "/interlays")
        break
    except OSError:
        if time.time() - began > 90:
            raise SystemExit("the server did not start: " + open(work + "/dev.log").read())
        time.sleep(0.5)
print(f"server up after {time.time() - began:.0f} s", flush=True)


def register(i):
    call("POST", "/migrations", {
        "id": f"m{i:04}", "description": "one of many", "labels": {"backup_verified": "benchmark"},
        "strategy": {"type": "canary", "read_percentage": 0}, "data": {"type": "scan", "replace": "replace"},
        "failure_handling": "needs_operator"})


def start(i):
    call("POST", "/endpoints", {"id": f"s{i}", "uri": f"redis://127.0.0.1:{20000 + 2 * i}"})
    call("POST", "/endpoints", {"id": f"t{i}", "uri": f"redis://127.0.0.1:{20001 + 2 * i}"})
    call("POST", "/interlays", {"id": f"i{i}", "endpoint": f"s{i}"})
    call("POST", f"/migrations/m{i:04}/interlay/i{i}", {"endpoint": f"t{i}"})
    call("POST", f"/migrations/m{i:04}/migrate")


# The interlay that a server makes by itself takes the first endpoint there is: not one of those that move.
call("POST", "/endpoints", {"id": "own", "uri": "redis://127.0.0.1:19999"})
began = time.time()
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    list(pool.map(register, range(registered)))
print(f"{registered} registered in {time.time() - began:.0f} s", flush=True)
began = time.time()
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    list(pool.map(start, range(running)))
print(f"{running} started in {time.time() - began:.0f} s", flush=True)
phases = {}
while time.time() - began < 600:
    phases = {}
    for i in range(running):
        phase = call("GET", f"/migrations/m{i:04}/status")["phase"]
        phases[phase] = phases.get(phase, 0) + 1
    if phases.get("canary", 0) == running:
        break
    print("  " + str(phases), flush=True)
    time.sleep(5)
print(f"phases after {time.time() - began:.0f} s: {phases}", flush=True)


def measured(name, paths, clients):
    times = []

    def one(path):
        while True:
            at = time.perf_counter()
            if call("GET", path) is not TOO_MANY:
                times.append((time.perf_counter() - at) * 1000)
                return
            time.sleep(1)  # faster than one token may ask

    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        list(pool.map(one, paths[:50]))
        times.clear()
        list(pool.map(one, paths))
    times.sort()
    print(f"{name}, {clients} at once: p50 {times[len(times) // 2]:.1f} ms, p99 {times[int(len(times) * 0.99)]:.1f} ms, "
          f"longest {times[-1]:.1f} ms of {len(times)}", flush=True)


time.sleep(10)
for clients in (1, 4):
    measured("GET /migrations", ["/migrations"] * 1000, clients)
    measured("GET /migrations/{id}/status", [f"/migrations/m{i % running:04}/status" for i in range(2000)], clients)
for line in subprocess.run(["ps", "-eo", "rss,pcpu,args"], capture_output=True, text=True).stdout.splitlines():
    if "--api-port 19000" in line and "bash" not in line:
        print(f"process: {int(line.split()[0]) // 1024} MiB resident, {line.split()[1]} % of a processor: {' '.join(line.split()[2:])[-60:]}")
PY

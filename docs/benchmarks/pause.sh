#!/usr/bin/env bash
# How long clients wait at a flip: runs the demo several times and pools the latency of every request that overlapped hold → open,
# by the client's clock, over all flips of all runs. Aborted attempts are counted apart. Every fifth run damages 40 keys first.
#
#   docs/benchmarks/pause.sh [runs] [first seed]      (10, 1; about 50 s a run; wants a quiet machine and python3)
#
# Exit status 0 only if every run passed. SECONDS_OF_LOAD (30) and DEMO_FLAGS go to the demo; RESULTS names a directory that keeps each run's JSON.
set -u

home=$(CDPATH='' cd -- "$(dirname "$0")/../.." && pwd -P)
runs=${1:-10}
first=${2:-1}
seconds=${SECONDS_OF_LOAD:-30}
results=${RESULTS:-$(mktemp -d)}
mkdir -p "$results"
[ -n "${RESULTS:-}" ] || trap 'rm -rf "$results"' EXIT

failed=0
for ((i = 0; i < runs; i++)); do
    seed=$((first + i))
    damage=
    [ $((i % 5)) -eq 4 ] && damage="--damage 40"
    # shellcheck disable=SC2086 # words on purpose
    "$home/eden" demo --json --seconds "$seconds" --seed "$seed" $damage ${DEMO_FLAGS:-} >"$results/$seed.out" 2>"$results/$seed.err"
    status=$?
    [ $status -eq 0 ] || failed=$((failed + 1))
    tail -n 1 "$results/$seed.out" >"$results/$seed.json"
    python3 - "$results/$seed.json" "$status" "$damage" <<'PY'
import json, sys
path, status, damage = sys.argv[1:4]
try:
    run = json.load(open(path))
except ValueError:
    print(f"{path}: no verdict, exit status {status}")
    sys.exit()
flips = ", ".join(f"{f['direction']} max {f['pause_ms_max']:.1f} p99 {f['pause_ms_p99']:.1f}" for f in run["flips"])
print(f"seed {run['seed']}: {run['verdict']}{', ' + damage[2:] if damage else ''}; {run['ops_per_second']} ops/s; {flips}; "
      f"{len(run['aborted_attempts'])} aborted" + "".join(f"\n    ! {why}" for why in run["failures"]), flush=True)
PY
done

python3 - "$results" "$runs" "$failed" <<'PY'
import glob, json, math, sys
results, runs, failed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
def quantile(values, q):
    return values[math.ceil(len(values) * q) - 1]
def show(name, flips):
    pooled = sorted(ms for flip in flips for ms in flip["latencies_ms"])
    if pooled:
        print(f"{name}: {len(flips)} attempts, {len(pooled)} requests; median {quantile(pooled, .5):.1f} ms, "
              f"p99 {quantile(pooled, .99):.1f} ms, longest {pooled[-1]:.1f} ms")
verdicts = []
for path in sorted(glob.glob(results + "/*.json")):
    try:
        verdicts.append(json.load(open(path)))
    except ValueError:
        pass
print()
show("all flips", [f for v in verdicts for f in v["flips"]])
show("first flips", [v["flips"][0] for v in verdicts if v["flips"]])
show("later flips", [f for v in verdicts for f in v["flips"][1:]])
show("aborted attempts (not in the above)", [f for v in verdicts for f in v["aborted_attempts"]])
steps = {}
for flip in (f for v in verdicts for f in v["flips"]):
    for step, ms in flip["steps_ms"].items():
        steps.setdefault(step, []).append(ms)
for step, times in steps.items():
    times.sort()
    print(f"    {step:10} median {quantile(times, .5):6.1f} ms, longest {times[-1]:6.1f} ms")
print(f"{runs - failed} of {runs} runs passed")
sys.exit(1 if failed else 0)
PY

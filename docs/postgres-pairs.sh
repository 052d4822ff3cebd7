#!/usr/bin/env bash
# The demo's verdict for every pair of PostgreSQL 14 to 18, downwards too: a table in Markdown; exit code 0 only if every pair passed.
# Needs jq. Binaries come by Maven when they are first used.
#   docs/postgres-pairs.sh ["15-18 18-15 …", default all 25] [seconds a run, at least 20]
set -euo pipefail
cd "$(dirname "$0")/.."
pairs=${1:-} seconds=${2:-30} failed=0
said=$(mktemp)
trap 'rm -f "$said"' EXIT
if [ -z "$pairs" ]; then
  for from in 14 15 16 17 18; do for to in 14 15 16 17 18; do pairs+="$from-$to "; done; done
fi
echo "| from | to | verdict | acknowledged | lost | errors | longest pause ms |"
echo "|---|---|---|---|---|---|---|"
for pair in $pairs; do
  from=${pair%-*} to=${pair#*-}
  status=0
  line=$(./eden demo --postgres --from "$from" --to "$to" --seconds "$seconds" --json 2>"$said" | tail -1) || status=$?
  [ "$status" -eq 0 ] || { failed=1; tail -3 "$said" >&2; }
  [ -n "$line" ] && jq -er --arg from "$from" --arg to "$to" '"| \($from) | \($to) | \(if .verdict == "passed" then .verdict else "**failed**" end) | \(.acknowledged_writes) | \(.lost) | \(
    .client_errors) | \([.flips[].pause_ms_max] | max) |"' <<<"$line" 2>/dev/null ||
    echo "| $from | $to | **failed** | – | – | – | – |"
done
exit "$failed"

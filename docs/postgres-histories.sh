#!/usr/bin/env bash
# Histories of a PostgreSQL that moves there, back and there again behind three proxies, with a fault in each of the three flips: kill -9 or SIGSTOP of a process, or
# a partition between it and Eden's store or (one fault of three) on a way of the data, at a step of the protocol; the seed says which. Each run is one set of servers and a number of such histories one after
# the other; the demo's checker (bank sums, list-append with cycle check, unique sequences, prepared statements, LISTEN) judges the whole of it. Needs jq and the durable Temporal (eden temporal install).
#   docs/postgres-histories.sh [runs, default 30] [histories a run, default 10] [first seed, default 1] [from-to, default 15-18]
# Prints a row a run, and at the end how often each point was struck by each action; exit code 0 only if no run found anything. A run that failed is repeated with: eden chaos --postgres --seed … and its faults.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-30} histories=${2:-10} first=${3:-1} pair=${4:-15-18} failed=0
points=(cutover.check cutover.arm cutover.prepare cutover.drain cutover.fence cutover.position cutover.verify cutover.turn cutover.commit
  cutover.unfence cutover.stable cutover.abort proxy.hold proxy.armed proxy.armed.acknowledged proxy.drained proxy.drained.acknowledged
  proxy.carried proxy.carried.acknowledged proxy.open proxy.opened proxy.opened.acknowledged settle.restore settle.end-abort settle.unfence)
victims=(self self self self server proxy-1 proxy-2 proxy-3 store temporal standby
  server~owner server~standby owner~standby proxy-1~owner proxy-2~standby proxy-3~owner)
actions=(kill stop cut)
struck=$(mktemp)
trap 'rm -f "$struck"' EXIT
echo "| seed | histories | faults struck | verdict | acknowledged | in doubt | longest block of others ms | not reached |"
echo "|---|---|---|---|---|---|---|---|"
for ((seed = first; seed < first + runs; seed++)); do
  RANDOM=$seed
  faults=
  for ((i = 0; i < 3 * histories; i++)); do
    point=${points[RANDOM % ${#points[@]}]} victim=${victims[RANDOM % ${#victims[@]}]}
    action=${actions[RANDOM % ${#actions[@]}]}
    # From the commit on it owns the writes: its clients lose what they have there, with Eden or without.
    [[ $victim == standby && $point =~ ^(cutover\.(commit|unfence|stable)|proxy\.(carried|open)|settle\.unfence) ]] && victim=self
    # The database that follows has no link to Eden's store.
    [[ $victim-$action == standby-cut ]] && action=stop
    # A way can only be cut.
    [[ $victim == *~* ]] && action=cut
    faults+="${faults:+,}$point:$action:$victim"
  done
  status=0
  said=$(./eden chaos --postgres --proxies 3 --from "${pair%-*}" --to "${pair#*-}" --seed "$seed" --faults "$faults" --keys 2000 --clients 9 --rate 400 \
    --deadline 1500 --share 0.5 --seconds 3600 --json 2>&1 | tee "${HISTORIES_LOG:-/dev/null}") || status=$?
  line=$(grep '^{' <<<"$said" | tail -1) || line=
  case $status in 0 | 3) ;; *) failed=1 ;; esac
  jq -er --argjson seed "$seed" --argjson histories "$histories" '"| \($seed) | \($histories) | \(.faults | length) | \(
    if .verdict == "failed" then "**failed**: \(.failures + .examples + [.faults[].anomalies[]] | .[:12])" else .verdict end) | \(.acknowledged_writes) | \(.in_doubt) | \(
    [.faults[].block_ms] | max) | \(.unreached) |"' <<<"$line" 2>/dev/null && jq -c '.faults[]' <<<"$line" >>"$struck" || { echo "| $seed | $histories | – | **could not run**: $(tail -1 <<<"$said") |"; failed=1; }
done
echo
jq -rs --args '$ARGS.positional as $actions | "| point | \($actions | join(" | ")) | not reached |", "|---|\($actions | map("---|") | add)---|",
  (group_by(.point)[] | . as $of | "| \(.[0].point) | \($actions | map(. as $action | $of | map(select(.action == $action and (.outcome | startswith("not reached") | not))) | length | tostring) | join(" | ")) | \(
    $of | map(select(.outcome | startswith("not reached"))) | length) |")' "${actions[@]}" <"$struck"
exit "$failed"

#!/bin/sh
# How long the command line takes to answer, from the shell's point of view: median and longest of N runs, in milliseconds.
#   docs/benchmarks/cli-start.sh [runs]
# "list" asks a server that is not there: all of a client command but the answer.
set -eu
cd "$(dirname "$0")/../.."
runs=${1:-21}
./eden --version >/dev/null # builds what is missing
token=$(mktemp)
trap 'rm -f "$token"' EXIT
echo benchmark >"$token"

measure() {
    name=$1
    shift
    i=0
    while [ "$i" -lt "$runs" ]; do
        began=$(date +%s%N)
        "$@" >/dev/null 2>&1 || true
        echo $((($(date +%s%N) - began) / 1000000))
        i=$((i + 1))
    done | sort -n | awk -v name="$name" '{ all[NR] = $1 } END { printf "%-24s median %d ms, longest %d ms of %d runs\n", name, all[int((NR + 1) / 2)], all[NR], NR }'
}

measure "eden --help" ./eden --help
measure "eden migration --help" ./eden migration --help
measure "eden migration list" ./eden migration list --url http://127.0.0.1:1 --token-file "$token"

#!/usr/bin/env bash
# A rolling upgrade under load: builds a former revision of Eden, runs the demo on this revision's server with the former one's proxies, and replaces
# those one by one, between two flips and during one. The demo's checker judges; the exit code is 0 only if nothing was lost, doubled or stale.
# Clients of a proxy that is replaced have to connect again, and nothing else.
#
#   docs/rolling-upgrade.sh REVISION [options of the demo]      (a few minutes; wants Git, Maven and a JDK 25)
set -euo pipefail

home=$(CDPATH='' cd -- "$(dirname "$0")/.." && pwd -P)
revision=${1:-}
[ -n "$revision" ] || { echo "rolling-upgrade: name the revision whose proxies are to be replaced: docs/rolling-upgrade.sh REVISION [options of the demo]" >&2; exit 2; }
shift
former=$(mktemp -d)
finish() {
    git -C "$home" worktree remove --force "$former/eden" 2>/dev/null || true
    rm -rf "$former"
}
trap finish EXIT

git -C "$home" worktree add --quiet --detach "$former/eden" "$revision"
echo "proxies of $(git -C "$former/eden" log -1 --format='%h (%cs) %s')"
"$former/eden/eden" --version
"$home/eden" --version
"$home/eden" demo --proxies-from "$former/eden/api-server/target/eden" "$@"

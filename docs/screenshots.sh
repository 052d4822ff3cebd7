#!/bin/sh
# Takes the screenshots in docs/images: Temporal's Web UI with a migration in it.
#
#   docs/screenshots.sh                 of a demo that it starts, and ends afterwards
#   docs/screenshots.sh URL WORKFLOW    of a Web UI that runs, e.g. http://127.0.0.1:8233 migration/demo
#
# Needs chromium (Debian: apt-get install chromium), curl, and Temporal's dev server (./eden temporal install).
set -eu
home=$(cd "$(dirname "$0")/.." && pwd)
images="$home/docs/images"
chromium=${CHROMIUM:-chromium}
work=$(mktemp -d)
demo=
end() {
    [ -z "$demo" ] || kill "$demo" 2>/dev/null || true
    rm -rf "$work"
}
trap end EXIT INT TERM
command -v "$chromium" >/dev/null || { echo "screenshots: there is no $chromium; CHROMIUM names another" >&2; exit 1; }

if [ $# -ge 2 ]; then
    ui=$1
    workflow=$2
else
    workflow=migration/demo
    "$home/eden" demo --keep --seconds 30 --keys 20000 --rate 1000 >"$work/demo.log" 2>&1 &
    demo=$!
    ui=
    # The address is printed once the demo has ended well and is kept.
    while [ -z "$ui" ]; do
        kill -0 "$demo" 2>/dev/null || { cat "$work/demo.log" >&2; exit 1; }
        sleep 1
        ui=$(sed -n 's|.*Temporal Web UI *\(http://[0-9.:a-z]*\).*|\1|p' "$work/demo.log" | tail -1)
    done
fi

encoded=$(printf %s "$workflow" | sed 's|/|%2F|g')
run=$(curl -fsS "$ui/api/v1/namespaces/default/workflows/$encoded" | sed -n 's/.*"runId" *: *"\([0-9a-f-]*\)".*/\1/p' | head -1)
[ -n "$run" ] || { echo "screenshots: $workflow is not at $ui" >&2; exit 1; }
page="$ui/namespaces/default/workflows/$encoded/$run"

# The pages poll for ever and are never idle: loaded, given some seconds, taken as they are.
shot() {
    timeout 60 "$chromium" --headless=new --no-sandbox --disable-gpu --hide-scrollbars --lang=en --user-data-dir="$work/profile" \
        --force-device-scale-factor=1 --window-size="1400,$3" --timeout=12000 --virtual-time-budget=12000 \
        --screenshot="$images/$1.png" "$2" >"$work/chromium.log" 2>&1 || { cat "$work/chromium.log" >&2; exit 1; }
    echo "docs/images/$1.png"
}
mkdir -p "$images"
shot temporal-list "$ui/namespaces/default/workflows?query=EdenPhase%20IS%20NOT%20NULL" 500
shot temporal-details "$page/user-metadata" 1000
shot temporal-history "$page/history" 1100

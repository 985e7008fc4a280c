#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ./dev bench [ARG...]: measures a release gantry-broker beside Apache RocketMQ and the machine's own
# limit, with the comparison tool in ../shared/bench (or $GANTRY_BENCH_TOOLS), and writes the table with
# the machine's figures to docs/benchmarks.md. Extra arguments go to the comparison. Needs a JDK, Maven
# and an idle machine.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
# shellcheck source=tools/dev/common.sh
. "$here/common.sh"
tools=${GANTRY_BENCH_TOOLS:-../shared/bench}
[ -x "$tools/compare" ] || { echo "bench: no comparison tool in $tools (set GANTRY_BENCH_TOOLS)" >&2; exit 1; }
build release
work=$(mktemp -d)
trap 'kill "$pid" 2>/dev/null || true; rm -rf "$work"' EXIT

measure() { # NAME FLUSH CASES
  build/release/bin/gantry-broker --set brokerName=bench --set brokerIP1=127.0.0.1 --set listenPort=10911 \
    --set namesrvAddr= --set "storePathRootDir=$work/$1" --set flushDiskType="$2" > "$work/$1.log" 2>&1 &
  pid=$!
  for _ in $(seq 100); do curl -fs localhost:5557/readyz > /dev/null && break; sleep 0.1; done
  awk '/VmRSS/ {print $2}' "/proc/$pid/status" > "$work/$1.rss"
  "$tools/compare" 127.0.0.1:10911 --broker-name bench --pid "$pid" --cases "$3" --json "$work/$1.json" "${extra[@]}" "flushDiskType=$2"
  kill "$pid"
  wait "$pid" || true
  rm -rf "${work:?}/$1"
}

extra=("$@")
measure async ASYNC_FLUSH produce-128,produce-1k,produce-sync,consume,e2e-2k
measure sync SYNC_FLUSH produce-128
python3 tools/dev/bench_table.py "$work" > docs/benchmarks.md
cat docs/benchmarks.md

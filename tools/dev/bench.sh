#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ./dev bench [ARG...]: measures a release gantry-broker beside Apache RocketMQ and the machine's own
# limit, with the comparison tool in ../shared/bench (or $GANTRY_BENCH_TOOLS), then the broker's start on
# an empty store and after kill -9 with 5 GB of messages, and writes the table with the machine's figures
# to docs/benchmarks.md. Where the system gives out memory on first use (most virtual machines do), give the
# whole run a memory limit that the page cache soon fills: a file written to new memory costs twice. Extra arguments go to the comparison. Needs a JDK, Maven and an idle machine.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
# shellcheck source=tools/dev/common.sh
. "$here/common.sh"
tools=${GANTRY_BENCH_TOOLS:-../shared/bench}
[ -x "$tools/compare" ] || { echo "bench: no comparison tool in $tools (set GANTRY_BENCH_TOOLS)" >&2; exit 1; }
build release
work=$(mktemp -d)
pid=
peer_up=
peer_pids=()
clean_up() {
  [ -z "$pid" ] || kill -TERM "$pid" 2> /dev/null || true
  [ -z "$pid$peer_up" ] || kill -CONT ${pid:+"$pid"} "${peer_pids[@]}" 2> /dev/null || true
  [ -z "$peer_up" ] || "$tools/peer" down > /dev/null 2>&1 || true
  rm -rf "$work"
}
trap clean_up EXIT
load=$work/rmqload
g++ -O2 -std=c++20 -o "$load" "$tools/rmqload.cpp" -lpthread
g++ -O2 -std=c++20 -o "$work/wakeup" tests/bench/wakeup.cc -lpthread
ours=127.0.0.1:10911
extra=("$@")

start_broker() { # NAME FLUSH: sets pid, and start_ms to the time from exec to ready
  local began now
  began=$(date +%s%N)
  build/release/bin/gantry-broker --set brokerName=bench --set brokerIP1=127.0.0.1 --set listenPort=10911 \
    --set namesrvAddr= --set "storePathRootDir=$work/$1" --set flushDiskType="$2" >> "$work/$1.log" 2>&1 &
  pid=$!
  until curl -fs localhost:5557/readyz > /dev/null; do
    now=$(date +%s%N)
    if ! kill -0 "$pid" 2> /dev/null || [ $(((now - began) / 1000000000)) -ge 60 ]; then
      echo "bench: gantry-broker is not ready on :5557 within 60 s; its log ends:" >&2
      tail -n 5 "$work/$1.log" >&2
      exit 1
    fi
    sleep 0.002
  done
  now=$(date +%s%N)
  start_ms=$(((now - began) / 1000000))
}

end_broker() { # SIGNAL
  kill "-$1" "$pid"
  wait "$pid" 2> /dev/null || true
  pid=
}

measure() { # NAME FLUSH CASES
  start_broker "$1" "$2"
  awk '/VmRSS/ {print $2}' "/proc/$pid/status" > "$work/$1.rss"
  "$tools/compare" "$ours" --broker-name bench --pid "$pid" --cases "$3" --json "$work/$1.json" "${extra[@]}" "flushDiskType=$2"
  end_broker TERM
  rm -rf "${work:?}/$1"
}

# The comparison gives one figure a case; this is the whole distribution of e2e-2k, ours and the peer's in turn, and
# how late the machine woke a thread meanwhile. Whoever is not measured stands still: even without clients, a JVM's
# threads wake often enough to decide the other's last percent on a small machine.
latency() {
  local peer=127.0.0.1:20911 round
  start_broker latency ASYNC_FLUSH
  peer_up=1
  "$tools/peer" up 19876 20911 flushDiskType=ASYNC_FLUSH
  for to in "$ours" "$peer"; do "$load" topic --addr "$to" --topic BenchLatency --queues 8 > /dev/null; done
  e2e() { # ADDRESS BROKER SECONDS
    "$load" e2e --addr "$1" --broker-name "$2" --topic BenchLatency --queues 8 --conns 2 --rate 2000 --size 128 --secs "$3"
  }
  e2e "$peer" broker-a 4 > /dev/null # warm both
  e2e "$ours" bench 4 > /dev/null
  mapfile -t peer_pids < <(cat "${PEER_HOME:-/var/tmp/rocketmq-peer}"/run/*.pid)
  for round in 1 2 3; do
    echo "latency round $round"
    kill -STOP "$pid"
    e2e "$peer" broker-a 6 >> "$work/latency.peer"
    kill -CONT "$pid"
    kill -STOP "${peer_pids[@]}"
    "$work/wakeup" 6 >> "$work/latency.wakeup" &
    e2e "$ours" bench 6 >> "$work/latency.ours"
    wait $!
    kill -CONT "${peer_pids[@]}"
  done
  "$tools/peer" down
  peer_up=
  peer_pids=()
  end_broker TERM
  rm -rf "${work:?}/latency"
}

startup() {
  local bytes=0 round=0 line empty_ms
  start_broker startup ASYNC_FLUSH
  empty_ms=$start_ms
  "$load" topic --addr "$ours" --topic BenchFill --queues 8 > /dev/null
  while [ "$bytes" -lt 5000000000 ]; do
    line=$("$load" produce --addr "$ours" --topic BenchFill --queues 8 --conns 4 --window 64 --size 1024 --secs 2)
    bytes=$(python3 -c 'import json, sys; print(int(sys.argv[1]) + 1024 * json.loads(sys.argv[2])["ok"])' "$bytes" "$line")
    round=$((round + 1))
    [ "$round" -lt 300 ] || { echo "bench: only $bytes bytes stored in $round rounds, expected 5 GB" >&2; exit 1; }
  done
  end_broker KILL
  start_broker startup ASYNC_FLUSH
  echo "{\"empty_ms\": $empty_ms, \"killed_ms\": $start_ms, \"body_bytes\": $bytes}" > "$work/startup.json"
  cat "$work/startup.json"
  end_broker TERM
  rm -rf "${work:?}/startup"
}

measure async ASYNC_FLUSH produce-128,produce-1k,produce-sync,consume,e2e-2k
measure sync SYNC_FLUSH produce-128
latency
startup
python3 tools/dev/bench_table.py "$work" > docs/benchmarks.md
cat docs/benchmarks.md

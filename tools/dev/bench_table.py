# SPDX-License-Identifier: Apache-2.0
"""Makes docs/benchmarks.md from the JSON files of one ./dev bench run."""
import json
import os
import platform
import statistics
import sys
from pathlib import Path

work = Path(sys.argv[1])
runs = {name: json.loads((work / f"{name}.json").read_text()) for name in ("async", "sync")}
idle_kb = int((work / "async.rss").read_text())
cpu = next((l.split(":", 1)[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), "unknown")
memory_kb = int(next(l.split()[1] for l in open("/proc/meminfo") if l.startswith("MemTotal")))


def memory_limit():
    """Of the control group that all of this ran in, version 1 or 2, in bytes; None: there is none."""
    for line in open("/proc/self/cgroup"):
        _, controllers, path = line.strip().split(":", 2)
        for file in (f"/sys/fs/cgroup{path}/memory.max", f"/sys/fs/cgroup/memory{path}/memory.limit_in_bytes"):
            if controllers in ("", "memory") and os.path.exists(file):
                text = Path(file).read_text().strip()
                if text.isdigit() and int(text) < memory_kb * 1024:
                    return int(text)
    return None


limit = memory_limit()
limited = f" (limited to {limit / (1 << 30):.0f} GiB, page cache included)" if limit else ""
print("# Benchmarks\n")
print("Made by `./dev bench`. Each figure is the median of several interleaved runs (limit, Apache RocketMQ, Gantry, …) on one")
print("machine with the clients on it too: only the ratios mean anything. The limit is a server that frames, copies and")
print("answers small requests and stores nothing.\n")
print(f"Machine: {cpu}, {os.cpu_count()} CPUs, {memory_kb // 1048576} GiB{limited}, Linux {platform.release()}; load average at the end "
      f"{', '.join(f'{x:.2f}' for x in runs['async']['load_average'])}.\n")
print("| case | figure | Gantry | Apache RocketMQ 5.5.0 | limit | × Apache | of limit |")
print("|---|---|---:|---:|---:|---:|---:|")
for run, cases in runs.items():
    for case, m in cases.items():
        if not isinstance(m, dict) or "figure" not in m:
            continue
        name = case if run == "async" else f"{case}, SYNC_FLUSH both"
        limit = f"{m['limit']:.0f}" if "limit" in m else "–"
        share = f"{100 * m['of_limit']:.0f} %" if "of_limit" in m else "–"
        print(f"| {name} | {m['figure']} | {m['ours']:.0f} | {m['peer']:.0f} | {limit} | {m['x_peer']:.2f} | {share} |")


def latencies(who, what="e2e_us"):
    rounds = [json.loads(line)[what] for line in (work / f"latency.{who}").read_text().splitlines()]
    return {p: statistics.median(r[p] for r in rounds) for p in ("p50", "p99", "p999")}


ours, peer, late = latencies("ours"), latencies("peer"), latencies("wakeup", "late_us")
print("\nEnd to end at 2000 messages a second, in µs:\n")
print("| percentile | Gantry | Apache RocketMQ 5.5.0 | × Apache | a sleeping thread wakes late by |")
print("|---|---:|---:|---:|---:|")
for p in ours:
    print(f"| {p} | {ours[p]:.0f} | {peer[p]:.0f} | {peer[p] / max(ours[p], 1):.2f} | {late[p]:.0f} |")
print("\nWhile one is measured the other is stopped; in the comparison above it runs beside it without clients.")
print("The last column is the machine's own: a thread that did nothing but sleep, measured while Gantry's latency was.")
start = json.loads((work / "startup.json").read_text())
print(f"\nFrom exec to ready: {start['empty_ms']} ms on an empty store, {start['killed_ms']} ms after kill -9 with "
      f"{start['body_bytes'] / 1e9:.1f} GB of messages of 1 KB.")
rss = runs["async"]["rss_mb"]
print(f"\nResident memory: {idle_kb / 1024:.0f} MB idle on an empty store, {rss['ours']:.0f} MB after the comparison "
      f"(Apache RocketMQ: {rss['peer']:.0f} MB).")

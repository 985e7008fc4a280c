# SPDX-License-Identifier: Apache-2.0
"""The table of a comparison of broker sets, as Markdown."""
import os
import platform
import statistics


def _median(rows, what):
    return statistics.median(r[what] for r in rows) if rows else None


def _number(value):
    return "–" if value is None else f"{value:.0f}"


def _share(rate, outstanding, sync_us):
    return f"{100 * rate * 1.5 * sync_us / 1e6 / outstanding:.0f} %"


def _without_sync(figures, flush, size, outstanding, rate):
    rows = figures.get(("ASYNC_FLUSH", size, outstanding), {}).get("gantry")
    if flush != "SYNC_FLUSH" or not rate or not rows:
        return "–"
    return f"{100 * rate / _median(rows, 'msgs_per_s'):.0f} %"


def slow_table(figures, sync_us, delay_us):
    """Of Gantry where the disk decides, not the CPUs that three members and the clients share."""
    lines = ["", f"`SYNC_FLUSH` with {delay_us} µs added to each fdatasync of each member ({sync_us:.0f} µs for three writers):", "",
             "| bytes | under way | Gantry msgs/s | p50 µs | of the disk's limit |", "|---:|---:|---:|---:|---:|"]
    for (_, size, outstanding), rows in figures.items():
        rate = _median(rows["gantry"], "msgs_per_s")
        lines.append(f"| {size} | {outstanding} | {rate:.0f} | {_median(rows['gantry'], 'p50_us'):.0f} | "
                     f"{_share(rate, outstanding, sync_us)} |")
    return "\n".join(lines) + "\n"


def table(figures, sync_us, new_sync_us, gaps):
    lines = ["# Broker sets of three", "",
             "Made by `./dev bench sets`: three members, the NameServer and the clients on one machine, Gantry and Apache RocketMQ",
             "5.5.0 in DLedger mode one after the other. Medians; only the ratios mean anything. DLedger acknowledges from memory",
             "with either `flushDiskType`; Gantry's `SYNC_FLUSH` when a majority has the message on disk. The limit of `SYNC_FLUSH` is",
             "messages under way ÷ (1.5 × the median fdatasync of three writers side by side): of blocks that were written before, and",
             "of new blocks, as those of a log are. Where the CPUs, which all share, allow less than that without any sync, the last",
             "column says more: the share of what the same set does with `ASYNC_FLUSH`.", "",
             f"Machine: {os.cpu_count()} CPUs, Linux {platform.release()}; load average at the end "
             f"{', '.join(f'{x:.2f}' for x in os.getloadavg())}; fdatasync of three writers: "
             f"{sync_us:.0f} µs, of new blocks {new_sync_us:.0f} µs.", "",
             "| flush | bytes | under way | Gantry msgs/s | p50 µs | DLedger msgs/s | p50 µs | × DLedger | of the disk's limit | with new blocks | of without sync |",
             "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"]
    for (flush, size, outstanding), rows in figures.items():
        ours, theirs = rows.get("gantry"), rows.get("dledger")
        rate, peer = _median(ours, "msgs_per_s"), _median(theirs, "msgs_per_s")
        ratio = f"{rate / peer:.1f}" if rate and peer else "–"
        shares = " | ".join(_share(rate, outstanding, us) if rate and flush == "SYNC_FLUSH" else "–" for us in (sync_us, new_sync_us))
        lines.append(f"| {flush} | {size} | {outstanding} | {_number(rate)} | {_number(_median(ours, 'p50_us'))} | {_number(peer)} | "
                     f"{_number(_median(theirs, 'p50_us'))} | {ratio} | {shares} | {_without_sync(figures, flush, size, outstanding, rate)} |")
    lines += ["", "Time without an acknowledgement after `kill -9` of the leader, for a client that asks for the route on an error:", "",
              "| | typical | worst | of |", "|---|---:|---:|---:|"]
    lines += [f"| {who} | {statistics.median(g):.2f} s | {max(g):.2f} s | {len(g)} |" for who, g in gaps.items() if g]
    return "\n".join(lines) + "\n"


def moves_line(gaps):
    """Of planned changes of leader: requests wait for the next leader, and nobody sees an error."""
    if not gaps:
        return ""
    return (f"\nThe same around a planned change of leader of Gantry: typical {1000 * statistics.median(gaps):.0f} ms, "
            f"worst {1000 * max(gaps):.0f} ms of {len(gaps)}.\n")

# SPDX-License-Identifier: Apache-2.0
"""Registers tests, runs them one after the other, prints a line each."""
import argparse
import re
import shutil
import tempfile
import time
import traceback
from pathlib import Path

from harness import broker

TESTS = []


class Skip(Exception):
    """The machine cannot run this test; the text says why."""


def test(name):
    def register(function):
        TESTS.append((name, function))
        return function
    return register


class Context:
    """What a test gets: a folder of its own, options, and brokers that are killed when it ends."""

    def __init__(self, work, options):
        self.work = Path(work)
        self.options = options
        self.brokers = []
        self.processes = []  # others, killed at the end too

    def broker(self, *settings, store="store", expect_errors=(), **where):
        made = broker.Broker(self.work, store, settings, expect_errors, **where)
        self.brokers.append(made)
        return made

    def close(self):
        for process in self.brokers + self.processes:
            process.kill()

    def unexpected_errors(self):
        return [line for b in self.brokers for line in b.unexpected_errors()]


def run_one(name, function, options):
    work = Path(tempfile.mkdtemp(prefix="gantry-it-"))
    context = Context(work, options)
    began = time.monotonic()
    status, reason = "PASS", ""
    try:
        function(context)
        errors = context.unexpected_errors()
        if errors:
            status, reason = "FAIL", "error lines in the log: " + " | ".join(errors[:3])
    except Skip as skip:
        status, reason = "SKIP", str(skip)
    except Exception as error:  # noqa: BLE001 - every failure is a result
        status, reason = "FAIL", f"{type(error).__name__}: {error}"
        traceback.print_exc()
    context.close()
    if status == "FAIL":
        for b in context.brokers:
            print(b.log_tail())
    if not options.keep:
        shutil.rmtree(work, ignore_errors=True)
    print(f"{name:<44} {status} {time.monotonic() - began:>6.2f}s  {reason}".rstrip(), flush=True)
    return status


def main(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, help="of a test with random faults")
    options = parser.parse_args(arguments)
    counts = {"PASS": 0, "FAIL": 0, "SKIP": 0}
    for name, function in TESTS:
        if re.search(options.only, name):
            counts[run_one(name, function, options)] += 1
    print(f"{counts['PASS']} passed, {counts['FAIL']} failed, {counts['SKIP']} skipped")
    return 1 if counts["FAIL"] or not counts["PASS"] else 0

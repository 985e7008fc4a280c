# SPDX-License-Identifier: Apache-2.0
"""Registers tests, runs them one after the other, prints a line each. For suites whose tests share what they stand on."""
import re
import time

TESTS = []


class Skip(Exception):
    """A tool that this test needs is not there; the text says which."""


class Failure(Exception):
    """What was seen and what was expected."""


def test(name):
    def register(function):
        TESTS.append((name, function))
        return function
    return register


def expect(condition, message):
    if not condition:
        raise Failure(message)


def run_one(name, function):
    began = time.monotonic()
    status, reason = "PASS", ""
    try:
        function()
    except Skip as skip:
        status, reason = "SKIP", str(skip)
    except Failure as failure:
        status, reason = "FAIL", str(failure)
    except Exception as error:  # noqa: BLE001 - every failure is a result
        status, reason = "FAIL", f"{type(error).__name__}: {error}"
    print(f"{name:<44} {status} {time.monotonic() - began:>6.2f}s  {reason}".rstrip(), flush=True)
    return status


def run_all(only=""):
    """Runs the tests whose names match, in the order of registration; the exit status."""
    counts = {"PASS": 0, "FAIL": 0, "SKIP": 0}
    for name, function in TESTS:
        if re.search(only, name):
            counts[run_one(name, function)] += 1
    print(f"{counts['PASS']} passed, {counts['FAIL']} failed, {counts['SKIP']} skipped")
    return 1 if counts["FAIL"] or not counts["PASS"] else 0

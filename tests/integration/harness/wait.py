# SPDX-License-Identifier: Apache-2.0
"""Waiting for a condition of another process, with a deadline."""
import time

WAIT_SECONDS = 30


def until(what, condition, seconds=WAIT_SECONDS):
    """The first true value of the condition, which is asked again until then."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.02)

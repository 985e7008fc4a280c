# SPDX-License-Identifier: Apache-2.0
"""What the disk can do: the median fdatasync of several writers that append side by side."""
import os
import statistics
import tempfile
import threading
import time

SECONDS = 2.0
BLOCK = bytes(4096)
FILE_BYTES = 64 << 20  # allocated and zeroed before, as log files are


def _write(path, until, took):
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.pwrite(fd, bytes(FILE_BYTES), 0)
        os.fsync(fd)
        at = 0
        while time.monotonic() < until:
            os.pwrite(fd, BLOCK, at)
            at = (at + len(BLOCK)) % FILE_BYTES
            began = time.monotonic()
            os.fdatasync(fd)
            took.append(time.monotonic() - began)
    finally:
        os.close(fd)


def median_sync_us(writers):
    took = []
    with tempfile.TemporaryDirectory(prefix="gantry-sets-disk-") as folder:
        until = time.monotonic() + SECONDS + 1
        threads = [threading.Thread(target=_write, args=(f"{folder}/{n}", until, took)) for n in range(writers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return 1e6 * statistics.median(took)

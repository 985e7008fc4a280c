# SPDX-License-Identifier: Apache-2.0
"""What the disk can do: the median fdatasync of several writers that append side by side."""
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time

SECONDS = 2.0
BLOCK = bytes(4096)
FILE_BYTES = 64 << 20


def _prepare(fd, new):
    """New blocks are only reserved, as those of a log file that is appended to; others were written before."""
    if new:
        os.ftruncate(fd, 0)
        os.posix_fallocate(fd, 0, FILE_BYTES)
    else:
        os.pwrite(fd, bytes(FILE_BYTES), 0)
    os.fsync(fd)


def _write(path, until, new, took):
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _prepare(fd, new)
        at = 0
        while time.monotonic() < until:
            os.pwrite(fd, BLOCK, at)
            began = time.monotonic()
            os.fdatasync(fd)
            took.append(time.monotonic() - began)
            at += len(BLOCK)
            if at == FILE_BYTES:
                at = 0
                if new:
                    _prepare(fd, new)
    finally:
        os.close(fd)


def slow(library, delay_us):
    """The environment of a process to which the disk is slower by that much."""
    return {**os.environ, "LD_PRELOAD": str(library), "GANTRY_SYNC_DELAY_US": str(delay_us)}


def median_sync_us(writers, new=False, environment=None):
    """Measured by a process with this environment."""
    done = subprocess.run([sys.executable, __file__, str(writers), "new" if new else "written"], env=environment, check=True, capture_output=True, text=True)
    return float(done.stdout)


def measure(writers, new):
    took = []
    with tempfile.TemporaryDirectory(prefix="gantry-sets-disk-") as folder:
        until = time.monotonic() + SECONDS + 1
        threads = [threading.Thread(target=_write, args=(f"{folder}/{n}", until, new, took)) for n in range(writers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return 1e6 * statistics.median(took)


if __name__ == "__main__":
    print(measure(int(sys.argv[1]), sys.argv[2] == "new"))

# SPDX-License-Identifier: Apache-2.0
"""The official Java client with its default settings, sending and consuming all the time."""
import subprocess
import threading
import time

from driver import install
from harness.broker import READY_SECONDS
from harness.runner import Skip

DRAIN_SECONDS = 60  # the program waits so long for what was acknowledged to come


def class_path():
    """Fetches and compiles what is missing: call it before the test has a network of its own."""
    try:
        return install.java_classes("java5", ["common", "v5"])
    except (install.InstallError, OSError) as error:
        raise Skip(f"no Java client: {str(error).splitlines()[0]}") from error


class JavaClient:
    """Remembers what was acknowledged and when, and when messages came."""

    def __init__(self, context, group, classes, namesrv, topic):
        self.group = group
        self.acked = {}  # (queue, offset) -> body
        self.times, self.got_times = [], []
        self.got, self.refusals = set(), []
        self.log = context.work / "java-client.log"
        home = context.work / "java-home"
        home.mkdir()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                ["java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", f"-Duser.home={home}",
                 "-cp", classes, "gantry.interop.SteadyClient", namesrv.address, topic],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        context.processes.append(self.process)
        self.thread = threading.Thread(target=self._read, daemon=True)

    def _read(self):
        for line in self.process.stdout:
            word, _, rest = line.rstrip("\n").partition(" ")
            if word == "ACK":
                queue, offset, body = rest.split(" ", 2)
                self.acked[(int(queue), int(offset))] = body.encode()
                self.times.append(time.monotonic())
            elif word == "GOT":
                self.got.add(rest)
                self.got_times.append(time.monotonic())
            elif word == "REFUSED":
                self.refusals.append(rest)

    def __enter__(self):
        self.thread.start()
        self.more(20)
        return self

    def __exit__(self, kind, *_):
        self.process.stdin.close()
        self.process.wait(DRAIN_SECONDS + READY_SECONDS)
        self.thread.join(READY_SECONDS)
        if kind is None:
            assert self.process.returncode == 0, f"the Java client ended with {self.process.returncode}, see {self.log}"

    def more(self, count, seconds=60):
        """Waits until that many further messages have been acknowledged, and one more has come."""
        goal, got = len(self.times) + count, len(self.got_times)
        self.group.until(f"{count} more messages of the Java client",
                         lambda: len(self.times) >= goal and len(self.got_times) > got, seconds)

    def gaps_ms(self, since):
        """Longest silence of producer and consumer that ended after `since`."""
        return [1000 * max((b - a for a, b in zip(times, times[1:]) if b > since), default=float("nan"))
                for times in (list(self.times), list(self.got_times))]

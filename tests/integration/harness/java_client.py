# SPDX-License-Identifier: Apache-2.0
"""The official Java client with its default settings, sending and consuming all the time."""
import subprocess
import threading

from client_lines import ClientLines
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
    """A recorder like the others (see witness.py): what was acknowledged has to be there."""

    def __init__(self, context, group, classes, namesrv, topic):
        self.lines = ClientLines()
        self.group = group
        self.log = context.work / "java-client.log"
        home = context.work / "java-home"
        home.mkdir()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                ["java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", f"-Duser.home={home}",
                 "-cp", classes, "gantry.interop.SteadyClient", namesrv.address, topic],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        context.processes.append(self.process)
        self.thread = threading.Thread(target=self.lines.read, args=(self.process.stdout,), daemon=True)

    @property
    def acked(self):
        return self.lines.acked.encoded()

    def __enter__(self):
        self.thread.start()
        self.wait_for_more(20)
        return self

    def __exit__(self, kind, *_):
        self.process.stdin.close()
        self.process.wait(DRAIN_SECONDS + READY_SECONDS)
        self.thread.join(READY_SECONDS)
        if kind is None:
            assert self.process.returncode == 0, f"the Java client ended with {self.process.returncode}, see {self.log}"

    def wait_for_more(self, count, seconds=60):
        self.group.until(f"{count} more messages of the Java client", self.lines.more(count), seconds)

# SPDX-License-Identifier: Apache-2.0
"""Clients in pods that send and consume all the time, and what the members of the broker set have of it."""
import json
import subprocess
import tempfile
import threading
import time

from acknowledged import Acknowledged
from client_lines import ClientLines
from harness import client_image, release
from harness.shell import CommandFailed, environment, say

QUEUES = 4
PAUSE_MS = "5"  # of the Java client between two messages: each check asks every member for all there ever were
WAIT_SECONDS = 180
JAVA = ["java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Duser.home=/tmp",
        "-cp", "/clients/classes:/clients/jars/*", "gantry.interop.SteadyClient"]
GO = ["/clients/go-steady"]
RECORDER = ["python3", "/clients/python/recorder.py"]


class Client(ClientLines):
    """A program in the pod of the clients that says what ClientLines reads, and ends when its standard input does. Times
    are those at which its lines come out of the pod."""

    def __init__(self, name, command, topic, *more, consumes=True):
        super().__init__()
        self.name, self.topic, self.consumes = name, topic, consumes
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            ["kubectl", "--namespace", release.NAMESPACE, "exec", "--stdin", client_image.POD, "--", *command,
             release.name_server(), topic, *more],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True, env=environment())
        self.thread = threading.Thread(target=self.read, args=(self.process.stdout,), daemon=True)
        self.thread.start()

    def said(self):
        self.errors.seek(0)
        return self.errors.read()[-2000:]

    def wait_for_more(self, count, seconds=WAIT_SECONDS):
        until(f"{count} more messages of the {self.name}", self.more(count, self.consumes), seconds,
              lambda: f"refused: {self.refusals[-3:]}, on stderr: {self.said()}",
              broken=lambda: self.process.poll() is not None)

    def end(self):
        self.process.stdin.close()
        try:
            status = self.process.wait(WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.thread.join(WAIT_SECONDS)
        if status != 0:
            raise CommandFailed(f"the {self.name} ended with {status}: {self.said()}")


def until(what, condition, seconds=WAIT_SECONDS, detail=lambda: "", broken=lambda: False, interval=0.2):
    """The first true value of the condition. CommandFailed when it takes too long or cannot become true any more."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if broken() or time.monotonic() > end:
            raise CommandFailed(f"waited for {what}: {'it cannot come any more' if broken() else f'{seconds} s'}; {detail()}")
        time.sleep(interval)


def lost(topic, acked):
    """Member -> acknowledged messages that it lacks. Members that are behind are waited for first."""
    goal = max(node["log"]["committed"] for node in map(release.node, release.members()))
    for member in release.members():
        until(f"{member} to have the log up to {goal}", lambda: release.node(member)["log"]["committed"] >= goal,
              detail=lambda: release.node(member))
    lines = "".join(f"{queue} {offset} {body}\n" for (queue, offset), body in acked.items())
    members = [f"{member}.{release.MEMBERS_SERVICE}:{release.REMOTING}" for member in release.members()]
    return json.loads(client_image.execute("python3", "/clients/python/check.py", topic, str(QUEUES), *members, text_in=lines))


def check(topic, clients):
    """Every acknowledged message on every member, or a failure that names some that are not there."""
    acked = Acknowledged(*(client.acked for client in clients))
    acked.assert_no_place_twice()
    if not acked:
        raise CommandFailed("nothing was acknowledged")
    missing = lost(topic, acked)
    total = sum(len(wrong) for wrong in missing.values())
    say(f"    acknowledged {len(acked)}, lost {total}, asked of {len(missing)} members")
    if total or len(missing) != release.BROKERS:
        raise CommandFailed(f"acknowledged and lost: { {member: (len(wrong), wrong[:3]) for member, wrong in missing.items()} }")
    return acked


def wait_until_received(acked, clients):
    """All of these, by each client that consumes: nobody is forgotten by a rebalance."""
    bodies = set(acked.values())
    for client in clients:
        if client.consumes:
            until(f"the {client.name} to get every acknowledged message", lambda: bodies <= client.got,
                  detail=lambda: f"{len(bodies - client.got)} have not come, such as {sorted(bodies - client.got)[:3]}")

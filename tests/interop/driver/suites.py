# SPDX-License-Identifier: Apache-2.0
"""The client programs of the suite: how each is built and started, and how its results are read.

A client program prints `@@ PASS|FAIL|SKIP<tab>name<tab>seconds<tab>reason` for each test and may
print `@@ DETAIL<tab>name<tab>text` lines before it. Everything else it prints is kept in a log.
"""

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time

from driver import install

CLIENTS = ["wire", "java5", "java4", "go", "admin"]
CLIENT_SECONDS = 900


def _java(jars, folders, main, work):
    home = work / f"home-{main.rsplit('.', 1)[-1]}-{jars}"
    home.mkdir(exist_ok=True)
    opens = ["--add-opens=java.base/java.lang=ALL-UNNAMED",
             "--add-opens=java.base/java.nio=ALL-UNNAMED",
             "--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED"]
    return ["java", *opens, "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            f"-Duser.home={home}", f"-Drocketmq.home.dir={home}",
            # on a busy machine a connection may take its time
            "-Dcom.rocketmq.remoting.client.connect.timeout=10000",
            "-cp", install.java_classes(jars, folders), main]


def command(client, work):
    """Builds the client program when needed and returns its command line."""
    if client == "wire":
        return [sys.executable, "-m", "wire.main"]
    if client == "java5":
        return _java("java5", ["common", "v5"], "gantry.interop.Main", work)
    if client == "java4":
        return _java("java4", ["common", "v4"], "gantry.interop.Main", work)
    if client == "admin":
        return _java("java5", ["common", "v5", "admin"], "gantry.interop.admin.AdminMain", work)
    return [install.go_program()]


def not_yet():
    """The expected failures of Gantry: (compiled pattern, reason)."""
    rows = []
    for line in (install.HERE / "not-in-gantry-yet.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            pattern, reason = line.split(None, 1)
            rows.append((re.compile(pattern), reason.strip()))
    return rows


class Results:
    """Counts, and prints one line a test."""

    def __init__(self, target="apache", not_said_there=()):
        self.not_said_there = not_said_there
        self.counts = {"PASS": 0, "FAIL": 0, "SKIP": 0}
        self.failed = []
        self.not_yet = not_yet() if target == "gantry" else []

    def add(self, name, status, seconds, reason="", details=()):
        missing = next((why for pattern, why in self.not_yet if pattern.fullmatch(name)), None)
        if missing and status == "FAIL":
            status, reason, details = "SKIP", f"fails as expected: {missing}", ()
        elif missing and status == "PASS":
            status, reason = "FAIL", "passes, but is listed in not-in-gantry-yet.txt"
        for pattern, why in self.not_said_there:
            if re.fullmatch(pattern, name):
                status, reason, details = "SKIP", why, ()
        self.counts[status] += 1
        line = f"{name:<52} {status} {seconds:>6.2f}s"
        print(f"{line}  {reason}".rstrip(), flush=True)
        if status == "FAIL":
            self.failed.append(f"{name}: {reason}")
            for text in details:
                print(f"  | {text}", flush=True)

    def summary(self):
        counts = self.counts
        return (f"{counts['PASS']} passed, {counts['FAIL']} failed, {counts['SKIP']} skipped")


class Client:
    """One run of a client program."""

    def __init__(self, name, target, control, options):
        arguments = ["--name", name, "--target", options.target, "--namesrv", target.namesrv,
                     "--broker", target.master(), "--control", control.address]
        arguments += ["--only", options.only] if options.only else []
        arguments += ["--fast"] if options.fast else []
        arguments += ["--members", str(target.members)]
        arguments += ["--kill-leader"] if target.members > 1 and name != "wire" else []
        self.name = name
        self.log = target.work / f"client-{name}.log"
        self.child = subprocess.Popen(
            command(name, target.work) + arguments, cwd=target.work, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=open(self.log, "ab"), text=True, errors="replace",
            start_new_session=True, env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1",
                                         PYTHONPATH=str(install.HERE)))
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.child.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def run(self, results):
        """Reads results until the program ends."""
        began = time.monotonic()
        details, reported = {}, 0
        with open(self.log, "a", encoding="utf-8") as log:
            while True:
                try:
                    line = self.lines.get(timeout=max(0.1, began + CLIENT_SECONDS - time.monotonic()))
                except queue.Empty:
                    self.kill()
                    results.add(f"{self.name}/(program)", "FAIL", CLIENT_SECONDS, "did not end")
                    return
                if line is None:
                    break
                parts = line.split("\t", 3)
                if not line.startswith("@@ ") or len(parts) < 3:
                    log.write(line + "\n")
                elif parts[0] == "@@ DETAIL":
                    details.setdefault(parts[1], []).append("\t".join(parts[2:]))
                else:
                    name = parts[1]
                    reported += 1
                    results.add(f"{self.name}/{name}", parts[0][3:], float(parts[2]),
                                parts[3] if len(parts) > 3 else "", details.get(name, ()))
        status = self.child.wait()
        if status not in (0, 1):
            tail = self.log.read_text(errors="replace").splitlines()[-30:]
            results.add(f"{self.name}/(program)", "FAIL", time.monotonic() - began,
                        f"ended with status {status}", tail)

    def kill(self):
        """Ends the program and the processes that it started; they share its process group."""
        try:
            os.killpg(self.child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.child.wait()

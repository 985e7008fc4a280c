# SPDX-License-Identifier: Apache-2.0
"""Starts, restarts and stops the server under test. Apache and Gantry look the same to the tests."""

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from pathlib import Path

from driver import install
from wire import remoting

START_SECONDS = 240
STOP_SECONDS = 90
MOVE_SECONDS = 2  # between two changes of leader

OPENS = [
    "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
    "--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED",
    "--add-exports=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
]


class TargetError(Exception):
    pass


def _free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports():
    """A base port so that base..base+9 are free, below the range that the kernel hands out."""
    for _ in range(200):
        base = random.randrange(12000, 32000, 10)
        if all(_free(base + i) for i in range(10)):
            return base
    raise TargetError("no ten free ports in a row found on 127.0.0.1")


class Process:
    """A child in its own process group, its output in a file."""

    def __init__(self, command, log, env=None, cwd=None):
        self.log = log
        with open(log, "ab") as out:
            self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out,
                                          stderr=subprocess.STDOUT, env=env, cwd=cwd,
                                          start_new_session=True)

    def alive(self):
        return self.child.poll() is None

    def stop(self, sig, seconds=STOP_SECONDS):
        """Sends `sig` and waits. False when it had to be killed after all."""
        if self.alive():
            self.child.send_signal(sig)
        try:
            self.child.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            return False


class Target:
    """The server. Subclasses say how to start it; `restartable` is what a restart restarts."""

    members = 1  # of the broker set
    not_said_there = ()  # (regular expression of test names, why their result says nothing)

    def __init__(self, work, separate=False):
        base = free_ports()
        self.work = Path(work)
        self.separate = separate
        self.namesrv_port = base
        self.http_port = base + 7
        self.broker_port = base + 4  # base + 2 is its fast port
        self.ha_port = base + 5
        self.namesrv = f"127.0.0.1:{self.namesrv_port}"
        self.broker = f"127.0.0.1:{self.broker_port}"
        self.restartable = None
        self.others = []
        self.expected_down = False

    def start(self):
        self.start_others()
        self.start_broker()

    def start_others(self):
        pass

    def broker_command(self):
        raise NotImplementedError

    def start_broker(self):
        command, env = self.broker_command()
        self.restartable = Process(command, self.work / "broker.out", env, self.work)
        self.expected_down = False
        self._wait_ready()

    def stop_broker(self, sig):
        self.expected_down = True
        if not self.restartable.stop(sig):
            raise TargetError(f"the broker did not stop within {STOP_SECONDS} s")

    def kill_leader(self):
        raise TargetError("one broker has no leader to lose")

    def master(self):
        return self.broker

    def moves_leadership(self, _):
        """Whether leadership moves all the time within the context, where there are several to lead."""
        return contextlib.nullcontext()

    def restart(self, sig):
        self.stop_broker(sig)
        self.start_broker()

    def died(self):
        """True when the server is gone although nobody stopped it."""
        return not self.expected_down and (not self.restartable.alive()
                                           or any(not p.alive() for p in self.others))

    def stop(self):
        processes = ([self.restartable] if self.restartable else []) + self.others
        self.expected_down = True
        return all([p.stop(signal.SIGTERM) for p in processes])

    def kill(self):
        for process in ([self.restartable] if self.restartable else []) + self.others:
            process.stop(signal.SIGKILL)

    def _wait_ready(self):
        """Ready: the NameServer's route of TBW102 shows the broker and the broker answers."""
        deadline = time.monotonic() + START_SECONDS
        reason = ""
        while time.monotonic() < deadline:
            if self.died():
                raise TargetError("the server ended while it started\n" + self.log_tail())
            try:
                with remoting.Connection(self.namesrv, 2) as names:
                    route = names.call(105, {"topic": "TBW102"})
                if route.code == 0 and self.broker.encode() in route.body:
                    with remoting.Connection(self.broker, 2) as broker:
                        answer = broker.call(31, {"topic": "TBW102", "queueId": "0"})
                    if answer.code == 0:
                        return
                    reason = f"broker: {answer.header}"
                else:
                    reason = f"NameServer: {route.header}"
            except (OSError, EOFError) as error:
                reason = str(error)
            time.sleep(0.1)
        raise TargetError(f"not ready after {START_SECONDS} s: {reason}\n{self.log_tail()}")

    def log_files(self):
        return [self.work / "broker.out"]

    def log_tail(self, lines=40):
        text = []
        for path in self.log_files():
            if path.exists() and path.stat().st_size:
                # logback prints its own set-up; those lines only hide the others
                tail = [line for line in path.read_text(errors="replace").splitlines()
                        if "|-INFO in " not in line][-lines:]
                text += [f"--- tail of {path.name}"] + tail
        return "\n".join(text)


def _write(path, lines):
    path.write_text("".join(f"{line}\n" for line in lines))


class Apache(Target):
    """Apache RocketMQ from Maven Central: one NameServer and one broker."""

    settings = ()  # further lines of broker.conf

    def start_others(self):
        self.class_path = install.jars("apache")
        _write(self.work / "namesrv.conf", [f"listenPort={self.namesrv_port}"])
        self.others.append(Process(
            self._java("256m", "org.apache.rocketmq.namesrv.NamesrvStartup", "namesrv.conf"),
            self.work / "namesrv.out", cwd=self.work))

    def broker_command(self):
        store = self.work / "store"
        _write(self.work / "broker.conf", [
            "brokerClusterName=DefaultCluster", "brokerName=broker-a", "brokerId=0",
            "brokerIP1=127.0.0.1", f"listenPort={self.broker_port}",
            f"haListenPort={self.ha_port}", f"namesrvAddr={self.namesrv}",
            f"storePathRootDir={store}", f"storePathCommitLog={store}/commitlog",
            "mappedFileSizeCommitLog=67108864",
            # a JVM that has just started on a busy machine would refuse sends for its slowness
            "waitTimeMillsInSendQueue=10000", "osPageCacheBusyTimeOutMills=10000",
            *self.settings])
        command = self._java("1g", "org.apache.rocketmq.broker.BrokerStartup", "broker.conf")
        return command, None

    def _java(self, heap, main, config):
        return ["java", *OPENS, "-XX:+UseSerialGC", f"-Xmx{heap}", "-XX:MaxDirectMemorySize=512m",
                "-XX:TieredStopAtLevel=1", f"-Duser.home={self.work}",
                f"-Drocketmq.home.dir={self.work}", "-cp", self.class_path, main,
                "-c", str(self.work / config)]

    def log_files(self):
        logs = self.work / "logs" / "rocketmqlogs"
        return [self.work / "namesrv.out", self.work / "broker.out", logs / "broker.log"]


def _settings(*pairs):
    return [word for pair in pairs for word in ("--set", pair)]


class Gantry(Target):
    """Gantry: `gantry up` (one process), or NameServer and broker as two with --separate."""

    binaries = install.HERE.parent.parent / "build" / "release" / "bin"

    def _program(self, name):
        binary = Path(os.environ.get("GANTRY_BIN_DIR", self.binaries)) / name
        if not binary.exists():
            raise TargetError(f"{binary} does not exist; build it, or set GANTRY_BIN_DIR")
        return str(binary)

    def start_others(self):
        if not self.separate:
            return
        home = self.work / "namesrv"
        home.mkdir()
        self.others.append(Process(
            [self._program("gantry-namesrv"), *_settings(
                f"listenPort={self.namesrv_port}", f"httpPort={self.http_port + 1}",
                f"kvConfigPath={home}/kvConfig.json",
                f"configStorePath={home}/namesrv.properties")],
            self.work / "namesrv.out", cwd=self.work))

    def broker_command(self):
        same = ["brokerName=broker-a", "brokerClusterName=DefaultCluster",
                "brokerIP1=127.0.0.1", f"haListenPort={self.ha_port}"]
        if self.separate:
            store = self.work / "data"
            return [self._program("gantry-broker"), *_settings(
                *same, f"listenPort={self.broker_port}", f"namesrvAddr={self.namesrv}",
                f"httpPort={self.http_port}", f"storePathRootDir={store}",
                f"storePathCommitLog={store}/commitlog")], None
        return [self._program("gantry"), "up", "--data", str(self.work / "data"),
                "--namesrv-port", str(self.namesrv_port), "--broker-port", str(self.broker_port),
                "--http-port", str(self.http_port), *_settings(*same)], None

    def log_files(self):
        return [self.work / "namesrv.out", self.work / "broker.out"]


class GantrySet(Gantry):
    """A broker set of three Gantry members; leadership moves all the time while the clients work."""

    members = 3
    not_said_there = ((r".*/send\.message-fields",
                       "store host: a record names whoever led when it was written"),)

    def __init__(self, work, separate=False):
        super().__init__(work, separate=True)
        self.bases = [self.broker_port - 4]
        while len(self.bases) < self.members:
            base = free_ports()
            if base not in self.bases:
                self.bases.append(base)
        self.moves = 0
        self.moving = threading.Lock()  # between planned moves and kills
        self.stopping, self.still = threading.Event(), threading.Event()
        self.mover = threading.Thread(target=self._move, daemon=True)

    def _member_command(self, number):
        base = self.bases[number]
        listed = ";".join(f"127.0.0.1:{b + 5}" for b in self.bases)
        store = self.work / f"data-{number}"
        return [self._program("gantry-broker"), *_settings(
            "brokerName=broker-a", "brokerClusterName=DefaultCluster", "brokerIP1=127.0.0.1",
            f"listenPort={base + 4}", f"raftListenPort={base + 5}", f"httpPort={base + 7}",
            f"raftInitialMembers={listed}", f"namesrvAddr={self.namesrv}",
            # A leader that is killed takes the commits since the last save with it. Tests that
            # expect theirs to be kept come at least a millisecond later.
            "flushConsumerOffsetInterval=1",
            f"storePathRootDir={store}", f"storePathCommitLog={store}/commitlog")]

    def start_others(self):
        super().start_others()
        self.processes = [None] * self.members  # number 0 is `restartable`
        for number in range(1, self.members):
            self._start_member(number)

    def _start_member(self, number):
        process = Process(self._member_command(number), self.work / f"broker-{number}.out",
                          cwd=self.work)
        if self.processes[number] in self.others:
            self.others.remove(self.processes[number])
        self.processes[number] = process
        self.others.append(process)

    def broker_command(self):
        return self._member_command(0), None

    def start(self):
        super().start()
        self.mover.start()

    def _request(self, number, method, path):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.bases[number] + 7}{path}", method=method)
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=10) as answer:
            return json.loads(answer.read())

    def _leader(self):
        """The number of the member that leads; None: nobody does at the moment."""
        for number in range(self.members):
            try:
                if self._request(number, "GET", "/v1/node")["brokerId"] == 0:
                    return number
            except OSError:
                continue  # it is down; URLError is an OSError
        return None

    def _await(self, what, condition):
        deadline = time.monotonic() + START_SECONDS
        while not condition():
            if time.monotonic() > deadline:
                raise TargetError(f"waited {START_SECONDS} s for {what}\n{self.log_tail()}")
            time.sleep(0.05)

    def _ready(self, number):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.bases[number] + 7}/readyz",
                                        timeout=10):
                return True
        except OSError:
            return False

    def kill_leader(self):
        """kill -9; the next leader takes over, the member comes back and follows."""
        with self.moving:
            self._await("a leader", lambda: self._leader() is not None)
            number = self._leader()
            self.expected_down = True
            began = time.monotonic()
            (self.processes[number] or self.restartable).stop(signal.SIGKILL)
            self._await("the next leader", lambda: self._leader() not in (None, number))
            print(f"# leader {number} killed, the next one after "
                  f"{time.monotonic() - began:.1f} s", flush=True)
            if number == 0:
                command, env = self.broker_command()
                self.restartable = Process(command, self.work / "broker.out", env, self.work)
            else:
                self._start_member(number)
            self._await("the killed member", lambda: self._ready(number))
            self.expected_down = False

    @contextlib.contextmanager
    def moves_leadership(self, moves):
        if not moves:
            with self.moving:
                self.still.set()
        yield
        self.still.clear()

    def master(self):
        self._await("a leader", lambda: self._leader() is not None)
        return f"127.0.0.1:{self.bases[self._leader()] + 4}"

    def _move(self):
        while not self.stopping.wait(MOVE_SECONDS):
            with self.moving:
                leader = None if self.still.is_set() else self._leader()
                if leader is None:
                    continue
                try:
                    self._request(leader, "POST", "/v1/raft/transfer")
                    self.moves += 1
                except OSError:
                    continue  # it does not lead any more

    def stop(self):
        self.stopping.set()
        self.mover.join()
        print(f"# leadership was moved {self.moves} times", flush=True)
        return super().stop()

    def log_files(self):
        return super().log_files() + [self.work / f"broker-{n}.out" for n in (1, 2)]


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


TARGETS = {"apache": Apache, "gantry": Gantry, "gantry-set": GantrySet}

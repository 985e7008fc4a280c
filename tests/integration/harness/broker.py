# SPDX-License-Identifier: Apache-2.0
"""One gantry-broker process on loopback, and a load that records every acknowledged message."""
import http.client
import json
import os
import re
import select
import signal
import socket
import subprocess
import time
from pathlib import Path

from acknowledged import Acknowledged
from wire import remoting

BINARIES = Path(os.environ.get("GANTRY_BIN_DIR", Path(__file__).resolve().parents[3] / "build/release/bin"))
READY_SECONDS = 60


_handed_out = set()


def free_port():
    """A port whose neighbour two below (the fast port) is free too; neither is given out again."""
    while True:
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        if {port, port - 2} & _handed_out:
            continue
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port - 2))
            except OSError:
                continue
        _handed_out.update((port, port - 2))
        return port


class StartError(Exception):
    """The process ended instead of serving; `output` is what it printed."""

    def __init__(self, status, output):
        super().__init__(f"exit {status}: {output[-400:]}")
        self.status = status
        self.output = output


def await_ready(process, log):
    """Waits for the line that says the process serves; StartError when it ends or takes too long."""
    end = time.monotonic() + READY_SECONDS
    line = b""
    while b"is ready" not in line:
        ready, _, _ = select.select([process.stdout], [], [], max(0, end - time.monotonic()))
        chunk = os.read(process.stdout.fileno(), 4096) if ready else b""
        if not chunk:
            process.kill()
            raise StartError(process.wait(), log.read_text(errors="replace"))
        line += chunk


class Broker:
    def __init__(self, work, store, settings, expect_errors, host="127.0.0.1", inside=()):
        self.work = Path(work)
        self.host = host
        self.inside = list(inside)  # command prefix: the namespace that it runs in
        self.store = self.work / store if not str(store).startswith("/") else Path(store)
        self.settings = list(settings)
        self.expect_errors = expect_errors
        self.port = free_port()
        self.http_port = free_port()
        self.raft_port = free_port()
        self.address = f"{host}:{self.port}"
        self.log = self.work / f"broker-{self.port}.log"
        self.process = None

    def command(self):
        values = ["brokerName=broker-a", f"brokerIP1={self.host}", f"bindAddress={self.host}", f"httpAddress={self.host}",
                  f"listenPort={self.port}", f"httpPort={self.http_port}",
                  f"raftListenPort={self.raft_port}", "namesrvAddr=", "cleanFileForciblyEnable=false",  # however full the disk here is
                  f"storePathRootDir={self.store}", "mappedFileSizeCommitLog=4194304", *self.settings]
        return [*self.inside, str(BINARIES / "gantry-broker")] + [w for v in values for w in ("--set", v)]

    def start(self):
        """Starts and waits for the line that says it serves. Returns the seconds that took."""
        began = time.monotonic()
        out = open(self.log, "ab")
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=out)
        await_ready(self.process, self.log)
        return time.monotonic() - began

    @property
    def raft_address(self):
        return f"{self.host}:{self.raft_port}"

    def pid(self):
        return self.process.pid

    def pause(self):
        """SIGSTOP, and waits until every thread stands still."""
        self.process.send_signal(signal.SIGSTOP)
        tasks = Path(f"/proc/{self.process.pid}/task")
        while {(t / "stat").read_text().rsplit(")", 1)[1].split()[0] for t in tasks.iterdir()} != {"T"}:
            os.sched_yield()

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self, seconds=60):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(seconds)
        assert status == 0, f"clean stop ended with {status}"

    def connect(self, timeout=20.0):
        return remoting.Connection(self.address, timeout)

    def log_tail(self, lines=25):
        if not self.log.exists():
            return ""
        return f"--- {self.log.name}\n" + "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def log_text(self):
        return self.log.read_text(errors="replace")

    def unexpected_errors(self):
        if not self.log.exists():
            return []
        return [line for line in self.log_text().splitlines()
                if re.search(r"Z error ", line) and not any(re.search(e, line) for e in self.expect_errors)]

    def request(self, method, path, body=None, timeout=20):
        """(status, decoded JSON or text, Location) of one request; redirections are not followed. OSError when the
        process ends before or in the middle of its answer."""
        connection = http.client.HTTPConnection(self.host, self.http_port, timeout=timeout)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            text = answer.read().decode()
            location = answer.getheader("Location")
        except http.client.HTTPException as error:
            raise ConnectionError(f"{method} {path} of {self.host}:{self.http_port}: {error!r}") from error
        finally:
            connection.close()
        try:
            return answer.status, json.loads(text), location
        except json.JSONDecodeError:
            return answer.status, text, location

    def metric(self, name):
        with socket.create_connection((self.host, self.http_port), 10) as s:
            s.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            text = b""
            while chunk := s.recv(1 << 16):
                text += chunk
        values = [float(l.rsplit(" ", 1)[1]) for l in text.decode().splitlines() if l.startswith(name)]
        return sum(values)

    def create_topic(self, topic, queues=4):
        with self.connect() as c:
            create_topic(c, topic, queues)


def create_topic(connection, topic, queues=4):
    answer = connection.call(17, {"topic": topic, "defaultTopic": "TBW102", "readQueueNums": str(queues),
                                  "writeQueueNums": str(queues), "perm": "6", "topicFilterType": "SINGLE_TAG",
                                  "topicSysFlag": "0", "order": "false"})
    assert answer.code == 0, answer


def send_ext(topic, queue, properties=""):
    return {"a": "it_producer", "b": topic, "c": "TBW102", "d": "4", "e": str(queue), "f": "0",
            "g": str(int(time.time() * 1000)), "h": "0", "i": properties, "j": "0", "k": "false", "m": "false"}


def pull(connection, topic, queue, offset, count=32, suspend=0):
    return connection.call(11, {"consumerGroup": "it_reader", "topic": topic, "queueId": str(queue),
                                "queueOffset": str(offset), "maxMsgNums": str(count),
                                "sysFlag": "6" if suspend else "4", "commitOffset": "0",
                                "suspendTimeoutMillis": str(suspend), "subscription": "*",
                                "subVersion": "0", "expressionType": "TAG"})


class Load:
    """Pipelined sends over one connection; remembers what was acknowledged: (queue, offset) -> body."""

    def __init__(self, broker, topic, queues=4, window=64, size=300, tag="m"):
        self.connection = broker.connect()
        self.topic, self.queues, self.window, self.size, self.tag = topic, queues, window, size, tag
        self.sent = 0
        self.waiting = {}
        self.acked = Acknowledged()
        self.refused = {}

    def _fill(self):
        while len(self.waiting) < self.window:
            body = f"{self.tag}-{self.sent}-".encode().ljust(self.size, b"x")
            opaque = self.connection.request(310, send_ext(self.topic, self.sent % self.queues), body)
            self.waiting[opaque] = body
            self.sent += 1

    def run(self, acks):
        """Sends until `acks` more have been acknowledged, one is refused or the connection breaks."""
        goal = len(self.acked) + acks
        try:
            while len(self.acked) < goal and not self.refused:
                self._fill()
                if not self.read_one():
                    return
        except (OSError, EOFError):
            return

    def read_one(self, timeout=20.0):
        frame = self.connection.read_frame(timeout)
        if frame is None:
            return False
        body = self.waiting.pop(frame.header["opaque"], None)
        if body is None:
            return True
        if frame.code == 0:
            self.acked[(int(frame.ext["queueId"]), int(frame.ext["queueOffset"]))] = body
        else:
            self.refused[frame.code] = self.refused.get(frame.code, 0) + 1
        return True

    def drain_after_kill(self):
        """Answers that had left the broker before it was killed count as acknowledged."""
        try:
            while self.waiting and self.read_one(1.0):
                pass
        except (OSError, EOFError):
            pass

    def drain(self):
        while self.waiting and self.read_one():
            pass


def read_queue(broker, topic, queue):
    """offset -> body of everything a consumer gets from the queue."""
    found = {}
    with broker.connect() as c:
        offset = int(c.call(31, {"topic": topic, "queueId": str(queue)}).ext["offset"])
        while True:
            answer = pull(c, topic, queue, offset)
            if answer.code == 0:
                for record in remoting.decode_records(answer.body):
                    assert record["queueOffset"] not in found, f"offset {record['queueOffset']} twice"
                    found[record["queueOffset"]] = record["body"]
            elif answer.code not in (20, 21):
                assert answer.code == 19, answer
                return found
            following = int(answer.ext["nextBeginOffset"])
            assert following > offset or answer.code == 21, f"no progress at {offset}: {answer}"
            offset = following


def check_acked(broker, topic, acked, queues=4, missing_allowed=0):
    """Every acknowledged message is there, once, at its offset."""
    acked.assert_no_place_twice()
    missing, there = [], {}
    for queue in range(queues):
        found = read_queue(broker, topic, queue)
        there[queue] = (min(found, default=None), max(found, default=None))
        for (q, offset), body in acked.items():
            if q == queue and found.get(offset) != body:
                missing.append((q, offset, found.get(offset, b"")[:20], body[:20]))
    assert len(missing) <= missing_allowed, (f"{len(missing)} of {len(acked)} acknowledged messages are wrong or gone on {broker.address}: "
            f"{missing[:3]}; its queues hold {there}")
    return missing

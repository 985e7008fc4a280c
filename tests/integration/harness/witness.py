# SPDX-License-Identifier: Apache-2.0
"""Threads that watch a broker set while it suffers: who leads, what the NameServer says, what a consumer gets."""
import threading
import time

from harness.broker import pull
from wire import remoting


class Witness:
    """A thread that looks again and again until the block is left; an exception in it fails the test."""

    def __init__(self):
        self.stopping = threading.Event()
        self.failure = None
        self.thread = threading.Thread(target=self._guarded, daemon=True)

    def _guarded(self):
        try:
            self.run()
        except Exception as failure:  # noqa: BLE001 - it is raised where the test sees it
            self.failure = failure

    def run(self):
        raise NotImplementedError

    def finish(self):
        pass

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.stopping.set()
        self.thread.join(60)
        if kind is not None:
            return
        assert not self.thread.is_alive(), f"{type(self).__name__} hangs"
        if self.failure:
            raise self.failure
        self.finish()


class Leaders(Witness):
    """No term has two leaders, and the NameServer's master never goes back to the leader of an earlier term."""

    def __init__(self, group, namesrv, topic):
        super().__init__()
        self.group, self.namesrv, self.topic = group, namesrv, topic
        self.terms = {}  # term -> address of its leader
        self.masters = []  # what the route showed, one entry a change

    def run(self):
        while not self.stopping.is_set():
            for member in self.group.alive():
                self._ask(member)
            master = self.namesrv.master(self.topic)
            if master and (not self.masters or self.masters[-1] != master):
                self.masters.append(master)
            self.stopping.wait(0.02)

    def _ask(self, member):
        try:
            status, raft, _ = member.request("GET", "/v1/raft", timeout=0.3)
        except OSError:
            return
        if status != 200 or raft["role"] != "leader":
            return
        known = self.terms.setdefault(raft["term"], member.address)
        assert known == member.address, f"term {raft['term']} has two leaders: {known} and {member.address}"

    def finish(self):
        term = 0
        for master in self.masters:
            later = [t for t, leader in self.terms.items() if leader == master and t > term]
            if later:
                term = min(later)
            else:  # it may have led too briefly to be seen; then it cannot be a leader of the past either
                assert master not in self.terms.values(), f"the route went back to {master}: {self.masters}, leaders {self.terms}"


class Masters(Witness):
    """The topic's route has a master in every answer of the NameServer."""

    def __init__(self, namesrv, topic):
        super().__init__()
        self.namesrv, self.topic = namesrv, topic
        self.seen = set()

    def run(self):
        while not self.stopping.is_set():
            master = self.namesrv.master(self.topic)
            assert master, f"the route of {self.topic} has no master; before: {self.seen}"
            self.seen.add(master)


class Consumer(Witness):
    """Pulls one queue through the route, commits its offset, and remembers when messages came. Asks for the route
    again on every error and after ROUTE_SECONDS, as clients do (every 30 s)."""

    GROUP = "it_witness"
    ROUTE_SECONDS = 1.0

    def __init__(self, namesrv, topic, queue=0, timeout=1.0):
        super().__init__()
        self.namesrv, self.topic, self.queue, self.timeout = namesrv, topic, queue, timeout
        self.times = []
        self.commits = []  # (when, offset) of each commit that was acknowledged

    def run(self):
        connection, address, offset, asked = None, None, 0, 0.0
        while not self.stopping.is_set():
            try:
                if connection is None or time.monotonic() - asked > self.ROUTE_SECONDS:
                    known, address, asked = address, self.namesrv.master(self.topic), time.monotonic()
                    if address is None:
                        self.stopping.wait(0.002)
                        continue
                    if connection is None or known != address:
                        connection = remoting.Connection(address, self.timeout)
                answer = pull(connection, self.topic, self.queue, offset, suspend=500)
                if answer.code == 0:
                    self.times.append(time.monotonic())
                    offset = int(answer.ext["nextBeginOffset"])
                    done = connection.call(15, {"consumerGroup": self.GROUP, "topic": self.topic,
                                                "queueId": str(self.queue), "commitOffset": str(offset)})
                    if done.code == 0:
                        self.commits.append((time.monotonic(), offset))
                elif answer.code not in (19, 20):
                    connection = None
            except (OSError, EOFError):
                connection = None
                self.stopping.wait(0.002)

    def kept(self, broker):
        """The offset that the broker has for the group now."""
        with broker.connect() as c:
            answer = c.call(14, {"consumerGroup": self.GROUP, "topic": self.topic, "queueId": str(self.queue)})
        assert answer.code == 0, answer
        return int(answer.ext["offset"])

    def committed_by(self, when):
        """The offset that was committed by that time."""
        return max((offset for at, offset in list(self.commits) if at <= when), default=0)

    def gap_ms(self, since):
        times = list(self.times)
        return 1000 * max((b - a for a, b in zip(times, times[1:]) if b > since), default=float("nan"))

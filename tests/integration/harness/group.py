# SPDX-License-Identifier: Apache-2.0
"""Broker sets of several members on loopback, and a recorder that never stops sending."""
import threading
import time

from acknowledged import Acknowledged
from harness.broker import READY_SECONDS, send_ext
from harness.wait import WAIT_SECONDS, until
from wire import remoting


class Group:
    """Members of one broker set."""

    def __init__(self, context, *settings, members=3, network=None):
        self.context, self.settings, self.network = context, settings, network
        self.members = []
        for _ in range(members):
            self._make(*settings)
        listed = ";".join(m.raft_address for m in self.members)
        for member in self.members:
            member.settings.append(f"raftInitialMembers={listed}")

    @classmethod
    def of_one(cls, context, *settings):
        """A broker that was started alone; others may join it."""
        group = cls(context, *settings, members=0)
        group._make(*settings)
        return group

    def _make(self, *settings):
        where = {}
        if self.network:
            host, inside = self.network.add()
            where = {"host": host, "inside": inside}
        self.members.append(self.context.broker(*settings, store=f"store{len(self.members)}", **where))
        return self.members[-1]

    def add_empty(self):
        """A member with an empty store that waits to be joined."""
        seed = self.members[0].raft_address
        return self._make(f"raftInitialMembers={seed}", *self.settings)

    def start(self):
        for member in self.members:
            member.start()

    def uuid(self, member):
        return self.node(member)["memberUuid"]

    def ask_leader(self, method, path, body=None):
        """Asks whoever leads until the answer is not "in a moment"; returns the last answer."""
        def answered():
            status, answer, _ = self.leader().request(method, path, body)
            return None if status in (307, 503) else (status, answer)
        return self.until(f"{method} {path}", answered)

    def join(self, member):
        status, answer = self.ask_leader("PUT", "/v1/members", {"address": member.raft_address})
        assert status == 200, (status, answer)
        status, answer = self.ask_leader("POST", f"/v1/members/{self.uuid(member)}/promote")
        assert status == 200, (status, answer)

    def remove(self, uuid):
        status, answer = self.ask_leader("DELETE", f"/v1/members/{uuid}")
        assert status == 200, (status, answer)

    def node(self, member):
        status, node, _ = member.request("GET", "/v1/node")
        assert status == 200, (status, node)
        return node

    def readiness(self, member):
        """(status, text) of /readyz?verbose."""
        status, text, _ = member.request("GET", "/readyz?verbose")
        return status, str(text)

    def alive(self):
        return [m for m in self.members if m.process and m.process.poll() is None]

    def until(self, what, condition, seconds=WAIT_SECONDS):
        """The first true value of the condition; the members are asked again until then."""
        return until(what, condition, seconds)

    def leader(self):
        def leading():
            for member in self.alive():
                if self.node(member)["brokerId"] == 0:
                    return member
            return None
        return self.until("a leader", leading)

    def followers(self, leader):
        return [m for m in self.alive() if m is not leader]

    def converge(self):
        """All members that are up have applied the same, up to the leader's end."""
        def equal():
            nodes = [self.node(m) for m in self.alive()]
            ends = {n["log"]["end"] for n in nodes}
            return len(ends) == 1 and len({n["log"]["committed"] for n in nodes}) == 1 and len({n["stateDigest"] for n in nodes}) == 1
        self.until("the members to agree", equal)

    def log_bytes(self, member):
        """The CommitLog up to its end, which all members must share."""
        end = self.node(member)["log"]["end"]
        parts = [f.read_bytes() for f in sorted((member.store / "commitlog").glob("[0-9]" * 20))]
        return b"".join(parts)[:end]


class Recorder:
    """Sends one message after the other, from a thread of its own, and remembers when each was acknowledged. Stays
    with a member as long as that answers; on an error it looks for the leader: it asks the members, or the NameServer
    for the route if there is one."""

    def __init__(self, group, topic, tag="r", namesrv=None, timeout=5.0):
        self.group, self.topic, self.tag, self.namesrv, self.timeout = group, topic, tag, namesrv, timeout
        self.acked = Acknowledged()
        self.times = []
        self.refusals = []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        self.group.until("the first message of the recorder", lambda: self.times)
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join(READY_SECONDS)
        assert not self.thread.is_alive(), "the recorder hangs"

    def _leader(self):
        """A connection to the leader, or None."""
        if self.namesrv:
            address = self.namesrv.master(self.topic)
            return remoting.Connection(address, self.timeout) if address else None
        for member in self.group.alive():
            try:
                if self.group.node(member)["brokerId"] == 0:
                    return member.connect(self.timeout)
            except (OSError, AssertionError):
                continue
        return None

    def _run(self):
        connection = None
        sent = 0
        while not self.stopping.is_set():
            body = f"{self.tag}-{sent}".encode()
            try:
                if connection is None:
                    connection = self._leader()
                    if connection is None:
                        self.stopping.wait(0.002)
                        continue
                answer = connection.call(310, send_ext(self.topic, sent % 4), body)
            except (OSError, EOFError) as error:
                self.refusals.append(repr(error))
                sent += 1  # it may be stored all the same
                connection = None
                self.stopping.wait(0.002)
                continue
            sent += 1
            if answer.code == 0:
                self.acked[(int(answer.ext["queueId"]), int(answer.ext["queueOffset"]))] = body
                self.times.append(time.monotonic())
            else:
                self.refusals.append(f"{answer.code} {answer.remark}")
                connection.close()
                connection = None

    def more(self, count):
        """Waits until that many further messages are acknowledged."""
        goal = len(self.times) + count
        self.group.until(f"{count} more messages of the recorder", lambda: len(self.times) >= goal)

    def gap_ms(self, since):
        """The longest time without an acknowledgement that ended after `since`."""
        times = [t for t in self.times]
        gaps = [b - a for a, b in zip(times, times[1:]) if b > since]
        return 1000 * max(gaps)

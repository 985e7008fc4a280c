# SPDX-License-Identifier: Apache-2.0
"""How long nothing is acknowledged when the leader changes, for a client that asks for the route on an error."""
import threading
import time

from wire import remoting


def send_ext(topic):
    return {"a": "bench", "b": topic, "c": "TBW102", "d": "4", "e": "0", "f": "0", "g": str(int(time.time() * 1000)),
            "h": "0", "i": "", "j": "0", "k": "false", "m": "false"}


def first_ack(brokers, topic):
    """Sends until one is acknowledged. Returns when."""
    while True:
        try:
            address = brokers.route(topic).get("0")
            if address is None:
                continue
            with remoting.Connection(address, 1.0) as c:
                if c.call(310, send_ext(topic), b"x" * 128).code == 0:
                    return time.monotonic()
        except (OSError, EOFError):
            continue


def kill_leaders(brokers, topic, times):
    """Seconds of each gap."""
    gaps = []
    for number in range(times):
        first_ack(brokers, topic)
        victim = brokers.leader()
        began = time.monotonic()
        member = brokers.kill(victim)
        gaps.append(first_ack(brokers, topic) - began)
        print(f"  {brokers.name} kill -9 of the leader, {number + 1} of {times}: {gaps[-1]:.2f} s", flush=True)
        brokers.start(member)
        brokers.until("the member to be back in the route", lambda: len(brokers.route(topic)) == 3)
    return gaps


class Sender:
    """Sends one message after the other and remembers when each was acknowledged."""

    def __init__(self, brokers, topic):
        self.brokers, self.topic = brokers, topic
        self.acks = []
        self.stopping = False
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        self.brokers.until("the first acknowledgement", lambda: self.acks)
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.thread.join()

    def _run(self):
        while not self.stopping:
            try:
                address = self.brokers.route(self.topic).get("0")
                if address is None:
                    continue
                with remoting.Connection(address, 1.0) as c:
                    while not self.stopping and c.call(310, send_ext(self.topic), b"x" * 128).code == 0:
                        self.acks.append(time.monotonic())
            except (OSError, EOFError):
                continue

    def longest_gap(self, begin, end):
        times = [t for t in self.acks if begin <= t <= end]
        return max(b - a for a, b in zip(times, times[1:]))


def move_leaders(brokers, topic, times):
    """Seconds of the longest gap around each planned change of leader."""
    gaps = []
    with Sender(brokers, topic) as sender:
        for number in range(times):
            before = brokers.leader()
            seen = len(sender.acks)
            brokers.transfer(before)
            brokers.until("the next leader in the route", lambda: brokers.route(topic).get("0") not in (None, before))
            brokers.until("acknowledgements of the next leader", lambda: len(sender.acks) > seen + 100)
            gaps.append(sender.longest_gap(sender.acks[seen - 1], time.monotonic()))
            print(f"  {brokers.name} planned change of leader, {number + 1} of {times}: {1000 * gaps[-1]:.1f} ms", flush=True)
    return gaps

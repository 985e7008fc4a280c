# SPDX-License-Identifier: Apache-2.0
"""How long nothing is acknowledged after kill -9 of the leader, for a client that asks for the route on an error."""
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

# SPDX-License-Identifier: Apache-2.0
"""Asks members of a broker set for messages that were acknowledged.

usage: check.py TOPIC QUEUES MEMBER... < lines of "queue offset body"
Prints a JSON object: member -> messages that it lacks or has otherwise, [queue, offset, what is there, what should be].
"""
import json
import sys

from harness.broker import read_queue
from wire import remoting

TIMEOUT = 20.0


class Member:
    def __init__(self, address):
        self.address = address

    def connect(self):
        return remoting.Connection(self.address, TIMEOUT)


def missing(member, topic, queues, acked):
    there = {queue: read_queue(member, topic, queue) for queue in range(queues)}
    return [[queue, offset, there.get(queue, {}).get(offset, b"").decode(errors="replace"), body]
            for (queue, offset), body in acked.items() if there.get(queue, {}).get(offset) != body.encode()]


def main():
    topic, queues, members = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    acked = {}
    for line in sys.stdin:
        queue, offset, body = line.rstrip("\n").split(" ", 2)
        acked[int(queue), int(offset)] = body
    print(json.dumps({address: missing(Member(address), topic, queues, acked) for address in members}))


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""Sends one message after the other by the NameServer's route and says what was acknowledged.

usage: recorder.py NAMESERVER TOPIC QUEUES
Makes the topic. Prints ACK queue offset body, REFUSED reason. Ends when its standard input does. A connection is kept
until an error; then the route is asked for again.
"""
import json
import sys
import threading

from harness.broker import send_ext
from wire import remoting

TIMEOUT = 1.0
PAUSE = 0.005  # between two messages: a load that leaves room for the others
ROUTE, MAKE_TOPIC, SEND = 105, 17, 310


def master(namesrv, topic):
    """The address of whoever leads, or None."""
    with remoting.Connection(namesrv, TIMEOUT) as connection:
        answer = connection.call(ROUTE, {"topic": topic})
    if answer.code != 0:
        return None
    brokers = remoting.lenient_json(answer.body)["brokerDatas"]
    return brokers[0]["brokerAddrs"].get("0") if brokers else None


def make_topic(namesrv, topic, queues):
    with remoting.Connection(master(namesrv, "TBW102")) as connection:
        answer = connection.call(MAKE_TOPIC, {
            "topic": topic, "defaultTopic": "TBW102", "readQueueNums": str(queues), "writeQueueNums": str(queues), "perm": "6",
            "topicFilterType": "SINGLE_TAG", "topicSysFlag": "0", "order": "false"})
    if answer.code != 0:
        raise SystemExit(f"the topic cannot be made: {answer}")


class Sender:
    def __init__(self, namesrv, topic):
        self.namesrv, self.topic = namesrv, topic
        self.connection = None

    def send(self, queue, body):
        """One line about what became of it."""
        try:
            if self.connection is None:
                address = master(self.namesrv, self.topic)
                if address is None:
                    return "REFUSED the route has no master"
                self.connection = remoting.Connection(address, TIMEOUT)
            answer = self.connection.call(SEND, send_ext(self.topic, queue), body.encode())
        except (OSError, EOFError) as error:
            self.drop()
            return f"REFUSED {error!r}"
        if answer.code == 0:
            return f"ACK {answer.ext['queueId']} {answer.ext['queueOffset']} {body}"
        self.drop()
        return f"REFUSED {answer.code} {json.dumps(answer.remark)}"

    def drop(self):
        if self.connection:
            self.connection.close()
        self.connection = None


def main():
    namesrv, topic, queues = sys.argv[1], sys.argv[2], int(sys.argv[3])
    make_topic(namesrv, topic, queues)
    ending = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ending.set()), daemon=True).start()
    sender, sent = Sender(namesrv, topic), 0
    while not ending.wait(PAUSE):
        print(sender.send(sent % queues, f"recorder-{sent}"))
        sent += 1


if __name__ == "__main__":
    main()

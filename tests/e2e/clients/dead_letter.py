# SPDX-License-Identifier: Apache-2.0
"""Makes a message a dead letter of a group.

usage: dead_letter.py NAMESERVER TOPIC GROUP
Makes the topic, sends a message and gives it back as a consumer that does not want it again.
"""
import sys

from harness.broker import send_ext
from recorder import SEND, make_topic, master
from wire import remoting

SEND_BACK = 36
GIVE_UP = -1  # delay level: the dead-letter topic at once


def main():
    namesrv, topic, group = sys.argv[1:4]
    make_topic(namesrv, topic, 1)
    with remoting.Connection(master(namesrv, "TBW102")) as connection:
        sent = connection.call(SEND, send_ext(topic, 0), b"nobody wants this")
        assert sent.code == 0, sent
        position = int(sent.ext["msgId"][-16:], 16)  # a message's id ends with its place in the log
        answer = connection.call(SEND_BACK, {"offset": str(position), "group": group, "delayLevel": str(GIVE_UP),
                                             "originMsgId": sent.ext["msgId"], "originTopic": topic, "unitMode": "false",
                                             "maxReconsumeTimes": "16"})
        assert answer.code == 0, answer


if __name__ == "__main__":
    main()

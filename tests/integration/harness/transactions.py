# SPDX-License-Identifier: Apache-2.0
"""A producer of transactional messages that ends them when a test says so, and hears what it is asked."""
import json
import time
from collections import namedtuple

from wire import remoting
from wire.framework import send_ext

COMMIT, ROLLBACK = 8, 12
Half = namedtuple("Half", "position offset body")


def transactional(key, group, **more):
    return {"TRAN_MSG": "true", "PGROUP": group, "UNIQ_KEY": key, "__transactionId__": key, **more}


class Producer:
    def __init__(self, address, group="it_transactions", online=True):
        self.group = group
        self.connection = remoting.Connection(address, 20)
        if online:
            body = {"clientID": f"it@{id(self)}", "heartbeatFingerprint": 0, "withoutSub": False,
                    "producerDataSet": [{"groupName": group}], "consumerDataSet": []}
            assert self.connection.call(34, {}, json.dumps(body).encode()).code == 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def half(self, topic, queue, body, born=None, **properties):
        """Stores a half message; `born`: ms, by this producer's clock."""
        ext = send_ext(topic, queue, transactional(f"KEY-{body}", self.group, **properties), sys_flag=4, group=self.group)
        if born is not None:
            ext["g"] = str(born)
        answer = self.connection.call(310, ext, body.encode())
        assert answer.code == 0, answer
        return Half(int(answer.ext["msgId"][16:], 16), int(answer.ext["queueOffset"]), body.encode())

    def end(self, half, outcome, from_check=False, group=None, oneway=False, timeout=None):
        ext = {"producerGroup": group or self.group, "tranStateTableOffset": str(half.offset),
               "commitLogOffset": str(half.position), "commitOrRollback": str(outcome),
               "fromTransactionCheck": "true" if from_check else "false", "msgId": "x", "transactionId": "x"}
        if oneway:
            return self.connection.request(37, ext, flag=remoting.ONEWAY)
        return self.connection.call(37, ext, timeout=timeout)

    def asked(self, seconds=30):
        """The next check: (half message, how often it was asked about, its record), or None when the time is over."""
        end = time.monotonic() + seconds
        while True:
            frame = self.connection.pushes.pop(0) if self.connection.pushes else self.connection.read_frame(max(0, end - time.monotonic()))
            if frame is None:
                return None
            if frame.code != 39 or frame.is_response:
                continue
            record = remoting.decode_records(frame.body)[0]
            half = Half(int(frame.ext["commitLogOffset"]), int(frame.ext["tranStateTableOffset"]), record["body"])
            return half, int(record["properties"]["TRANSACTION_CHECK_TIMES"]), record

# SPDX-License-Identifier: Apache-2.0
"""Outcomes of transactions, and what a producer is asked (37, 39). Plain commits and rollbacks: send_tests."""

import json
import time

from wire import remoting
from wire.framework import check, equal, pull, send, test, unique, wait_records


def _half(broker, topic, body, key, group, born=None, **properties):
    ext = {"sys_flag": 4, "group": group, "properties": {
        "TRAN_MSG": "true", "PGROUP": group, "UNIQ_KEY": key, "__transactionId__": key, **properties}}
    if born is not None:
        ext["g"] = str(born)
    answer = send(broker, topic, body, **ext)
    return {"producerGroup": group, "tranStateTableOffset": answer.ext["queueOffset"],
            "commitLogOffset": str(int(answer.ext["msgId"][16:], 16)), "commitOrRollback": "8",
            "fromTransactionCheck": "false", "msgId": key, "transactionId": key}


@test("transaction.refusals")
def transaction_refusals(context):
    """An outcome has to name the half message's place and group; beyond its own time only answers to checks count."""
    topic = context.topic("trans")
    group = unique("transgroup")
    with context.to_broker() as broker:
        end = _half(broker, topic, b"kept", "%032X" % 9, group)
        late = _half(broker, topic, b"late", "%032X" % 10, group, born=int(time.time() * 1000) - 3600_000,
                     CHECK_IMMUNITY_TIME_IN_SECONDS="60")
        early = _half(broker, topic, b"early", "%032X" % 11, group, CHECK_IMMUNITY_TIME_IN_SECONDS="3600")
        wrong = str(int(end["tranStateTableOffset"]) + 1)
        for changed in ({"producerGroup": "another"}, {"tranStateTableOffset": wrong},
                        {"commitLogOffset": str(1 << 40)}, {"commitOrRollback": "3"}):
            equal(broker.call(37, {**end, **changed}).code, 1, str(changed))
        equal(broker.call(37, late).code, 604, "too late")
        equal(broker.call(37, {**late, "fromTransactionCheck": "true"}).code, 0, "from a check")
        equal(broker.call(37, early).code, 0, "in time")
        equal(broker.call(37, end).code, 0, "commit")
        equal([r["body"] for r in wait_records(broker, topic, 3)], [b"late", b"early", b"kept"], "visible")


@test("transaction.check", slow=True)
def transaction_check(context):
    """Code 39 reaches a producer of the group: the message as it will be delivered, and where its half is."""
    topic = context.topic("trans")
    group = unique("transgroup")
    key = "%032X" % 12
    heartbeat = json.dumps({"clientID": unique("client"), "heartbeatFingerprint": 0, "withoutSub": False,
                            "producerDataSet": [{"groupName": group}], "consumerDataSet": []}).encode()
    with context.to_broker() as broker:
        equal(broker.call(34, {}, heartbeat).code, 0, "heartbeat")
        half = _half(broker, topic, b"asked", key, group, TAGS="T")
        frame = broker.read_frame(80)
        check(frame is not None and not frame.is_response, "a request of the broker", frame)
        equal(frame.code, 39, "code")
        equal((frame.ext["msgId"], frame.ext["transactionId"], frame.ext["topic"]),
              (key, key, "RMQ_SYS_TRANS_HALF_TOPIC"), "ids")
        equal(int(frame.ext["offsetMsgId"][16:], 16), int(frame.ext["commitLogOffset"]), "offsetMsgId")
        record = remoting.decode_records(frame.body)[0]
        equal((record["topic"], record["queueId"], record["body"]), (topic, 0, b"asked"), "message")
        equal((record["physicalOffset"], record["queueOffset"]),
              (int(frame.ext["commitLogOffset"]), int(frame.ext["tranStateTableOffset"])), "its place")
        for name, value in {"PGROUP": group, "TAGS": "T", "TRANSACTION_CHECK_TIMES": "1"}.items():
            equal(record["properties"].get(name), value, name)
        equal(pull(broker, topic, 0, 0).code, 19, "not visible before its outcome")
        end = {**half, "fromTransactionCheck": "true",
               "commitLogOffset": frame.ext["commitLogOffset"], "tranStateTableOffset": frame.ext["tranStateTableOffset"]}
        equal(broker.call(37, end).code, 0, "commit")
        equal([r["body"] for r in wait_records(broker, topic, 1)], [b"asked"], "visible")

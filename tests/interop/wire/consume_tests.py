# SPDX-License-Identifier: Apache-2.0
"""Pulls, offsets, groups, locks and send-back as they look on the wire."""

import json
import time

from wire import remoting
from wire.framework import (check, equal, heartbeat_body, pull, pull_ext, send, test, unique,
                            wait, wait_records)


@test("pull.unknown-topic")
def pull_unknown(context):
    with context.to_broker() as broker:
        equal(pull(broker, unique("absent")).code, 17, "code")


@test("pull.offsets-outside-queue")
def pull_offsets(context):
    topic = context.topic()
    with context.to_broker() as broker:
        for i in range(4):
            send(broker, topic, b"%d" % i)
        wait_records(broker, topic, 4)
        answer = pull(broker, topic, offset=100)
        equal((answer.code, answer.ext["nextBeginOffset"]), (21, "4"), "offset 100 of 4")
        answer = pull(broker, topic, offset=-1)
        equal((answer.code, answer.ext["nextBeginOffset"]), (21, "0"), "offset -1")
        answer = pull(broker, topic, offset=4)
        equal((answer.code, answer.ext["nextBeginOffset"]), (19, "4"), "offset 4 of 4")
        answer = pull(broker, topic, offset=1, count=2)
        equal((answer.code, answer.ext["nextBeginOffset"], answer.ext["minOffset"],
               answer.ext["maxOffset"], answer.remark), (0, "3", "0", "4", "FOUND"), "found")
        equal(answer.ext["suggestWhichBrokerId"], "0", "suggestWhichBrokerId")
        equal([r["body"] for r in remoting.decode_records(answer.body)], [b"1", b"2"], "bodies")


@test("pull.empty-queue")
def pull_empty(context):
    topic = context.topic()
    with context.to_broker() as broker:
        answer = pull(broker, topic)
        equal((answer.code, answer.remark), (19, "NO_MESSAGE_IN_QUEUE"), "offset 0")
        for key in ("suggestWhichBrokerId", "nextBeginOffset", "minOffset", "maxOffset"):
            equal(answer.ext.get(key), "0", key)
        answer = pull(broker, topic, offset=5)
        equal((answer.code, answer.ext["nextBeginOffset"]), (21, "0"), "offset 5")


@test("pull.queue-id-out-of-range")
def pull_bad_queue(context):
    topic = context.topic(queues=2)
    with context.to_broker() as broker:
        equal(pull(broker, topic, queue=2).code, 29, "queueId 2 of 2")
        equal(pull(broker, topic, queue=-1).code, 29, "queueId -1")


@test("pull.without-subscription")
def pull_no_subscription(context):
    topic = context.topic()
    with context.to_broker() as broker:
        answer = pull(broker, topic, group=unique("nobody"), subscription=None)
        equal(answer.code, 24, "group never seen")
        check(answer.remark.startswith("the consumer's group info not exist"), answer.remark)
        group = unique("other")
        other = context.topic()
        broker.call(34, body=heartbeat_body("wire@1", group, [other]))
        answer = pull(broker, topic, group=group, subscription=None)
        equal(answer.code, 24, "topic not subscribed")
        check(answer.remark.startswith("the consumer's subscription not exist"), answer.remark)
        ext = pull_ext(group, other, 0, 0, subscription=None)
        ext["subVersion"] = "99"
        equal(broker.call(11, ext).code, 25, "older subscription stored")


@test("pull.bad-expressions")
def pull_expressions(context):
    topic = context.topic()
    with context.to_broker() as broker:
        equal(pull(broker, topic, subscription="||").code, 23, "only separators")
        ext = pull_ext(unique("g"), topic, 0, 0, subscription="a = 1")
        ext["expressionType"] = "SQL92"
        answer = broker.call(11, ext)
        equal(answer.code, 1, "SQL92 while enablePropertyFilter is off")
        check(answer.remark.startswith("The broker does not support consumer to filter message"),
              answer.remark)


@test("pull.permission")
def pull_permission(context):
    topic = context.topic(perm=2)
    with context.to_broker() as broker:
        answer = pull(broker, topic)
        equal((answer.code, answer.ext.get("forbiddenType")), (16, "3"), "unreadable topic")
        group = context.group(consumeEnable=False)
        answer = pull(broker, context.topic(), group=group)
        equal((answer.code, answer.ext.get("forbiddenType")), (16, "2"), "disabled group")


@test("pull.tags")
def pull_tags(context):
    topic = context.topic(queues=1)
    with context.to_broker() as broker:
        for i, tag in enumerate(["A", "B", "C", "A", None]):
            send(broker, topic, b"%d" % i, properties={"TAGS": tag} if tag else {})
        wait_records(broker, topic, 5)

        def bodies(expression, offset=0):
            answer = pull(broker, topic, offset=offset, subscription=expression)
            equal(answer.code, 0, "pull " + expression)
            equal(answer.ext["nextBeginOffset"], "5" if expression != "A" else answer.ext[
                "nextBeginOffset"], "nextBeginOffset")
            return [r["body"] for r in remoting.decode_records(answer.body)]

        equal(bodies("A"), [b"0", b"3"], "A")
        equal(bodies("B || C || absent"), [b"1", b"2"], "B || C")
        equal(bodies("*"), [b"0", b"1", b"2", b"3", b"4"], "*")
        answer = pull(broker, topic, subscription="nothing")
        equal((answer.code, answer.ext["nextBeginOffset"]), (20, "5"), "nothing matches")
        equal(answer.remark, "NO_MATCHED_MESSAGE", "remark")


@test("pull.long-poll-woken-by-send")
def long_poll(context):
    topic = context.topic(queues=1)
    with context.to_broker() as broker, context.to_broker() as sender:
        opaque = broker.request(11, pull_ext("wire_pull", topic, 0, 0, suspend=15000))
        check(broker.read_frame(0.3) is None, "held, no answer yet")
        began = time.monotonic()
        send(sender, topic, b"wake")
        answer = broker.answer_to(opaque)
        check(time.monotonic() - began < 3, "woken by the message, not by a sweep")
        equal((answer.code, len(remoting.decode_records(answer.body))), (0, 1), "answer")


@test("pull.long-poll-times-out")
def long_poll_timeout(context):
    """The hold ends at the first sweep after its time: 19, then the connection goes on."""
    topic = context.topic(queues=1)
    with context.to_broker() as broker:
        began = time.monotonic()
        opaque = broker.request(11, pull_ext("wire_pull", topic, 0, 0, suspend=1000))
        other = broker.call(30, {"topic": topic, "queueId": "0"})
        equal(other.code, 0, "a request while one is held")
        answer = broker.answer_to(opaque, 12)
        took = time.monotonic() - began
        equal((answer.code, answer.ext["nextBeginOffset"]), (19, "0"), "answer")
        check(0.9 <= took <= 8, "held for the asked time", took)


@test("pull.long-poll-of-other-tag-advances")
def long_poll_tag(context):
    """A message that does not match does not wake; the sweep answers 20 and moves on."""
    topic = context.topic(queues=1)
    with context.to_broker() as broker, context.to_broker() as sender:
        ext = pull_ext("wire_pull", topic, 0, 0, suspend=20000, subscription="A")
        opaque = broker.request(11, ext)
        check(broker.read_frame(0.3) is None, "held, no answer yet")
        send(sender, topic, b"other", properties={"TAGS": "B"})
        answer = broker.answer_to(opaque, 12)
        equal((answer.code, answer.ext["nextBeginOffset"]), (20, "1"), "answer")


@test("pull.commit-flag")
def pull_commit(context):
    topic = context.topic(queues=1)
    group = context.group()
    with context.to_broker() as broker:
        for i in range(3):
            send(broker, topic, b"%d" % i)
        wait_records(broker, topic, 3)
        equal(pull(broker, topic, offset=2, group=group, commit=2).code, 0, "pull")
        key = {"consumerGroup": group, "topic": topic, "queueId": "0"}
        wait(lambda: broker.call(14, key).ext.get("offset") == "2", "commit on pull")


@test("pull.limits")
def pull_limits(context):
    """At most 32 messages and about 256 KiB in an answer; a large first message always comes."""
    topic = context.topic(queues=2)
    with context.to_broker() as broker:
        for i in range(40):
            send(broker, topic, b"%d" % i)
        wait(lambda: broker.call(30, {"topic": topic, "queueId": "0"}).ext["offset"] == "40", "40")
        answer = pull(broker, topic, count=100)
        equal((len(remoting.decode_records(answer.body)), answer.ext["nextBeginOffset"]),
              (32, "32"), "messages of 100 asked")
        for i in range(4):
            send(broker, topic, b"x" * 100000, queue=1)
        wait(lambda: broker.call(30, {"topic": topic, "queueId": "1"}).ext["offset"] == "4", "4")
        answer = pull(broker, topic, queue=1)
        equal(len(remoting.decode_records(answer.body)), 2, "messages of 100 KB")
        send(broker, topic, b"y" * 1000000, queue=1)
        wait(lambda: broker.call(30, {"topic": topic, "queueId": "1"}).ext["offset"] == "5", "5")
        answer = pull(broker, topic, queue=1, offset=4)
        equal(len(remoting.decode_records(answer.body)), 1, "one message of 1 MB")


@test("pull.lite-pull-code")
def lite_pull(context):
    topic = context.topic(queues=1)
    with context.to_broker() as broker:
        send(broker, topic, b"lite")
        wait_records(broker, topic, 1)
        answer = broker.call(361, pull_ext("wire_pull", topic, 0, 0))
        equal((answer.code, len(remoting.decode_records(answer.body))), (0, 1), "code 361")


@test("offset.query-and-update")
def offsets(context):
    topic, group = context.topic(), context.group()
    key = {"consumerGroup": group, "topic": topic, "queueId": "0"}
    with context.to_broker() as broker:
        equal(broker.call(14, dict(key, topic=unique("absent"))).code, 22, "unknown topic")
        answer = broker.call(14, dict(key, topic=unique("absent"), setZeroIfNotFound="false"))
        equal(answer.code, 22, "unknown topic, not zero")
        equal(broker.call(14, key).code, 22, "empty queue")
        send(broker, topic, b"x")
        wait_records(broker, topic, 1)
        answer = broker.call(14, key)
        equal((answer.code, answer.ext.get("offset")), (0, "0"), "young queue starts at 0")
        equal(broker.call(14, dict(key, setZeroIfNotFound="false")).code, 22, "not zero")
        equal(broker.call(15, dict(key, commitOffset="7")).code, 0, "update")
        equal(broker.call(14, key).ext["offset"], "7", "after update")
        equal(broker.call(15, dict(key, commitOffset="3")).code, 0, "smaller update")
        equal(broker.call(14, key).ext["offset"], "3", "smaller offset is stored")
        equal(broker.call(15, dict(key, topic=unique("absent"), commitOffset="1")).code, 17,
              "update of an unknown topic")


@test("offset.min-max-earliest")
def queue_offsets(context):
    with context.to_broker() as broker:
        absent = {"topic": unique("absent"), "queueId": "0"}
        for code in (30, 31):
            answer = broker.call(code, absent)
            equal((answer.code, answer.ext["offset"]), (0, "0"), f"code {code} unknown topic")
        equal(broker.call(32, absent).ext["timestamp"], "-1", "code 32 unknown topic")
        topic = context.topic()
        before = int(time.time() * 1000)
        send(broker, topic, b"x")
        record = wait_records(broker, topic, 1)[0]
        key = {"topic": topic, "queueId": "0"}
        equal(broker.call(30, key).ext["offset"], "1", "max")
        equal(broker.call(31, key).ext["offset"], "0", "min")
        equal(broker.call(32, key).ext["timestamp"], str(record["storeTimestamp"]), "earliest")
        check(record["storeTimestamp"] >= before - 2000, "store time")


@test("offset.search-by-time")
def search_by_time(context):
    topic = context.topic()
    with context.to_broker() as broker:
        for i in range(4):
            send(broker, topic, b"%d" % i)
            now = int(time.time() * 1000)
            wait(lambda: int(time.time() * 1000) > now, "next millisecond")
        times = [r["storeTimestamp"] for r in wait_records(broker, topic, 4)]

        def search(timestamp, boundary):
            ext = {"topic": topic, "queueId": "0", "timestamp": str(timestamp)}
            if boundary:
                ext["boundaryType"] = boundary
            answer = broker.call(29, ext)
            equal(answer.code, 0, "code")
            return int(answer.ext["offset"])

        future = times[-1] + 3600000
        equal((search(future, "lower"), search(future, "upper")), (4, 3), "future time")
        equal((search(0, "lower"), search(0, "upper")), (0, 0), "time 0")
        equal((search(1, None), search(1, "UPPER")), (0, 0), "time 1")
        for i, stamp in enumerate(times):
            equal(search(stamp, "lower"), times.index(stamp), f"lower of message {i}")
            equal(search(stamp, "upper"), 3 - times[::-1].index(stamp), f"upper of message {i}")
        equal(search(times[0] - 1, "lower"), 0, "just before the first")
        equal(search(times[-1] + 1, "lower"), 4, "just after the last")


@test("group.unknown-consumer-list")
def unknown_consumers(context):
    group = unique("nogroup")
    with context.to_broker() as broker:
        answer = broker.call(38, {"consumerGroup": group})
        equal((answer.code, answer.remark), (1, f"no consumer for this group, {group}"), "code 38")


@test("group.heartbeat-pushes-40-first")
def heartbeat(context):
    """A new consumer: 40 is pushed before the answer, on its own and the other's connection."""
    topic, group = context.topic(), unique("beat")
    with context.to_broker() as first, context.to_broker() as second:
        opaque = first.request(34, body=heartbeat_body("wire@a", group, [topic]))
        frame = first.read_frame()
        equal((frame.code, frame.header["flag"] & 1, frame.ext.get("consumerGroup")),
              (40, 0, group), "first frame")
        equal(frame.header["flag"] & 2, 2, "one-way bit of the push")
        equal(first.answer_to(opaque).code, 0, "heartbeat")
        second.call(34, body=heartbeat_body("wire@b", group, [topic]))
        frame = first.read_frame()
        equal((frame.code, frame.ext.get("consumerGroup")), (40, group), "push to the first")
        ids = json.loads(first.call(38, {"consumerGroup": group}).body)["consumerIdList"]
        equal(sorted(ids), ["wire@a", "wire@b"], "consumer ids")
        first.pushes.clear()
        first.call(34, body=heartbeat_body("wire@a", group, [topic]))
        equal(first.pushes, [], "pushes after a repeated heartbeat")
        second.close()
        frame = first.read_frame()
        equal((frame.code, frame.ext.get("consumerGroup")), (40, group), "push after a close")
        wait(lambda: json.loads(first.call(38, {"consumerGroup": group}).body)
             ["consumerIdList"] == ["wire@a"], "closed consumer is gone")
        answer = first.call(35, {"clientID": "wire@a", "consumerGroup": group})
        equal(answer.code, 0, "unregister")
        equal(first.call(38, {"consumerGroup": group}).code, 1, "nobody left")


@test("group.heartbeat-of-cpp-client")
def heartbeat_cpp(context):
    """Enum ordinals, textual subVersion, no expression type."""
    topic, group = context.topic(), unique("cppbeat")
    body = json.dumps({"clientID": "cpp@1", "producerDataSet": [{"groupName": "p"}],
                       "consumerDataSet": [{
                           "groupName": group, "consumeType": 1, "messageModel": 1,
                           "consumeFromWhere": 4, "subscriptionDataSet": [{
                               "topic": topic, "subString": "A", "tagsSet": ["A"],
                               "codeSet": [str(remoting.java_hash("A"))],
                               "subVersion": "1700000000000"}]}]}).encode()
    with context.to_broker() as broker:
        equal(broker.call(34, body=body + b"\n", language="CPP").code, 0, "heartbeat")
        connection = remoting.lenient_json(broker.call(203, {"consumerGroup": group}).body)
        equal((connection["messageModel"], connection["consumeType"],
               connection["consumeFromWhere"]),
              ("CLUSTERING", "CONSUME_PASSIVELY", "CONSUME_FROM_FIRST_OFFSET"), "enums")
        equal([c["language"] for c in connection["connectionSet"]], ["CPP"], "language")
        send(broker, topic, b"b", properties={"TAGS": "B"})
        send(broker, topic, b"a", properties={"TAGS": "A"})
        wait_records(broker, topic, 2)
        ext = pull_ext(group, topic, 0, 0, subscription=None)
        answer = broker.call(11, ext)
        equal([r["body"] for r in remoting.decode_records(answer.body)], [b"a"], "filtered")


@test("group.retry-topic-appears-with-heartbeat")
def retry_topic(context):
    topic, group = context.topic(), unique("retrytopic")
    with context.to_broker() as broker, context.to_namesrv() as names:
        broker.call(34, body=heartbeat_body("wire@r", group, [topic]))
        wait(lambda: names.call(105, {"topic": "%RETRY%" + group}).code == 0, "route")


@test("lock.batch")
def locks(context):
    topic, group = context.topic(), unique("lock")
    queues = [{"brokerName": "broker-a", "queueId": i, "topic": topic} for i in range(3)]

    def body(client, chosen):
        return json.dumps({"clientId": client, "consumerGroup": group, "mqSet": chosen,
                           "onlyThisBroker": False}).encode()

    def locked(answer):
        equal(answer.code, 0, "code")
        return sorted(q["queueId"] for q in remoting.lenient_json(answer.body)["lockOKMQSet"])

    with context.to_broker() as broker:
        equal(locked(broker.call(41, body=body("c1", queues[:2]))), [0, 1], "first client")
        equal(locked(broker.call(41, body=body("c2", queues))), [2], "second client")
        equal(locked(broker.call(41, body=body("c1", queues))), [0, 1], "renewal")
        equal(broker.call(42, body=body("c1", queues[:1])).code, 0, "unlock")
        equal(broker.call(42, body=body("c1", queues[2:])).code, 0, "unlock what another holds")
        equal(locked(broker.call(41, body=body("c2", queues))), [0, 2], "after the unlock")


@test("sendback.retry-record")
def send_back(context):
    """Code 36 with level 0: the schedule record of level 3 with one more reconsume."""
    topic, group = context.topic(), context.group()
    with context.to_broker() as broker:
        send(broker, topic, b"again", queue=1, flag=9,
             properties={"TAGS": "TagA", "KEYS": unique("key")})
        origin = wait_records(broker, topic, 1, queue=1)[0]
        before = int(broker.call(30, {"topic": "SCHEDULE_TOPIC_XXXX", "queueId": "2"}).ext["offset"])
        ext = {"offset": str(origin["physicalOffset"]), "group": group, "delayLevel": "0",
               "originMsgId": "", "originTopic": topic, "unitMode": "false",
               "maxReconsumeTimes": "16"}
        equal(broker.call(36, dict(ext, group=unique("nogroup2"), offset="99999999999")).code != 0,
              True, "absent message")
        equal(broker.call(36, ext).code, 0, "send back")
        record = wait(lambda: _with_topic(broker, 2, before, "%RETRY%" + group), "record")
        _check_sent_back(record, origin, group, topic)
        entry = remoting.lenient_json(broker.call(321, {
            "topic": "SCHEDULE_TOPIC_XXXX", "queueId": "2", "index": str(record["queueOffset"]),
            "count": "1", "consumerGroup": ""}).body)["queueData"][0]
        equal(entry["tagsCode"] - record["storeTimestamp"], 10000, "default delay of the first")


def _with_topic(broker, queue, offset, real_topic):
    answer = pull(broker, "SCHEDULE_TOPIC_XXXX", queue, offset)
    for record in remoting.decode_records(answer.body) if answer.code == 0 else []:
        if record["properties"].get("REAL_TOPIC") == real_topic:
            return record
    return None


def _check_sent_back(record, origin, group, topic):
    for key in ("body", "flag", "bornTimestamp", "bornHost", "sysFlag"):
        equal(record[key], origin[key], key)
    equal((record["topic"], record["queueId"], record["reconsumeTimes"]),
          ("SCHEDULE_TOPIC_XXXX", 2, 1), "place and count")
    stored = {k: v for k, v in record["properties"].items() if k != "__CRC32#"}
    host, port = origin["storeHost"].split(":")
    ident = bytes(int(x) for x in host.split(".")) + int(port).to_bytes(4, "big")
    ident += origin["physicalOffset"].to_bytes(8, "big")
    wanted = {k: v for k, v in origin["properties"].items() if k != "__CRC32#"}
    wanted.update({"RETRY_TOPIC": topic, "DELAY": "3", "WAIT": "false", "REAL_QID": "0",
                   "REAL_TOPIC": "%RETRY%" + group, "ORIGIN_MESSAGE_ID": ident.hex().upper()})
    equal(stored, wanted, "properties")


@test("sendback.levels-and-dead-letter")
def dead_letter(context):
    topic, group = context.topic(), context.group()
    with context.to_broker() as broker:
        send(broker, topic, b"dead")
        origin = wait_records(broker, topic, 1)[0]
        ext = {"offset": str(origin["physicalOffset"]), "group": group, "delayLevel": "-1",
               "originMsgId": "", "originTopic": topic, "unitMode": "false",
               "maxReconsumeTimes": "16"}
        equal(broker.call(36, ext).code, 0, "send back with level -1")
        record = wait_records(broker, "%DLQ%" + group, 1)[0]
        equal((record["body"], record["reconsumeTimes"], record["properties"]["RETRY_TOPIC"]),
              (b"dead", 1, topic), "dead letter")
        equal(broker.call(36, dict(ext, delayLevel="0", maxReconsumeTimes="0")).code, 0, "no retry")
        equal(len(wait_records(broker, "%DLQ%" + group, 2)), 2, "second dead letter")
        equal(broker.call(36, dict(ext, delayLevel="1", maxReconsumeTimes="3")).code, 0, "level 1")
        record = wait_records(broker, "%RETRY%" + group, 1)[0]
        equal((record["body"], record["reconsumeTimes"]), (b"dead", 1), "retried after a second")

# SPDX-License-Identifier: Apache-2.0
"""Sends and the records that they leave: every stored field is compared."""

import struct
import time
import zlib

from wire import remoting
from wire.framework import check, equal, pull, send, send_ext, test, unique, wait, wait_records


def _crc(body):
    return zlib.crc32(body) & 0x7FFFFFFF


def _plain(properties):
    """Properties without the optional record checksum."""
    return {k: v for k, v in properties.items() if k != "__CRC32#"}


def _check_record(record, expected, answer, before, context):
    """Compares all fields of a record; times and positions by their rules."""
    for key, value in expected.items():
        actual = _plain(record[key]) if key == "properties" else record[key]
        equal(actual, value, f"field {key}")
    equal(record["magic"], 0xDAA320A7, "magic")
    equal(record["bodyCRC"], _crc(record["body"]), "bodyCRC")
    equal(record["storeHost"], context.broker, "storeHost")
    check(record["bornHost"].startswith("127.0.0.1:"), "bornHost", record["bornHost"])
    check(before - 2000 <= record["storeTimestamp"] <= time.time() * 1000 + 2000,
          "storeTimestamp", record["storeTimestamp"])
    if answer is not None:
        ip, port = context.broker.split(":")
        ident = bytes(int(x) for x in ip.split(".")) + struct.pack(
            ">iq", int(port), record["physicalOffset"])
        equal(answer.ext["msgId"], ident.hex().upper(), "msgId of the answer")
        equal(answer.ext["queueOffset"], str(record["queueOffset"]), "queueOffset of the answer")


@test("send.record-fields")
def record_fields(context):
    """A fixed set of messages, pulled raw and compared field by field."""
    topic = context.topic("record", queues=3)
    cases = [
        (b"hello", {}, 0, 0), (b"tagged", {"TAGS": "TagA"}, 7, 0),
        (b"keys", {"KEYS": "k1 k2", "TAGS": "\u6807\u7b7e"}, -1, 0),
        (b"\x00\xff" * 300, {"user": "value with = and ; ", "empty": "", "uni": "\u00e9\u4e2d"}, 0, 0),
        (zlib.compress(b"z" * 5000), {"WAIT": "false"}, 3, 1), (b"tail", {"UNIQ_KEY": "A" * 32}, 0, 0)]
    before = int(time.time() * 1000)
    with context.to_broker() as broker:
        answers = []
        for body, properties, flag, sys_flag in cases:
            ext = send_ext(topic, 2, properties, flag, sys_flag)
            ext["g"] = str(before - 12345)
            answers.append(broker.call(310, ext, body))
            equal(answers[-1].code, 0, "send")
        records = wait_records(broker, topic, len(cases), queue=2)
    for i, (body, properties, flag, sys_flag) in enumerate(cases):
        stored = _plain(records[i]["properties"])
        added = {"MSG_REGION": "DefaultRegion", "CLUSTER": "DefaultCluster", "TRACE_ON": "true",
                 "UNIQ_KEY": stored.get("UNIQ_KEY"), "WAIT": properties.get("WAIT")}
        wanted = dict(properties)
        wanted.update({k: v for k, v in added.items() if v is not None})
        wanted.pop("empty", None)  # a property without a value is not kept
        _check_record(records[i], {
            "body": body, "topic": topic, "queueId": 2, "queueOffset": i, "flag": flag,
            "sysFlag": sys_flag, "bornTimestamp": before - 12345, "reconsumeTimes": 0,
            "preparedOffset": 0, "properties": wanted}, answers[i], before, context)
        equal(answers[i].ext.get("transactionId"), stored["UNIQ_KEY"], "transactionId")
        check(len(stored["UNIQ_KEY"]) in (32, 56), "UNIQ_KEY", stored)


@test("send.v1-header")
def v1_header(context):
    """Code 10 with the long field names, as the Go client sends it."""
    topic = context.topic()
    ext = {"producerGroup": "g", "topic": topic, "defaultTopic": "TBW102",
           "defaultTopicQueueNums": "4", "queueId": "1", "sysFlag": "0",
           "bornTimestamp": str(int(time.time() * 1000)), "flag": "2",
           "properties": remoting.properties_text({"TAGS": "x"}), "reconsumeTimes": "0",
           "unitMode": "false", "batch": "false"}
    with context.to_broker() as broker:
        answer = broker.call(10, ext, b"v1")
        equal((answer.code, answer.ext["queueId"]), (0, "1"), "answer")
        record = wait_records(broker, topic, 1, queue=1)[0]
        equal((record["body"], record["flag"], record["properties"]["TAGS"]), (b"v1", 2, "x"),
              "record")


def _batch_item(body, properties, flag=0):
    text = remoting.properties_text(properties).encode()
    rest = struct.pack(">iiii", 0, 0, flag, len(body)) + body
    rest += struct.pack(">h", len(text)) + text
    return struct.pack(">i", 4 + len(rest)) + rest


@test("send.batch-records")
def batch(context):
    """Code 320: one record for each item, consecutive offsets, ids joined by commas."""
    topic = context.topic()
    items = [(b"b%d" % i, {"UNIQ_KEY": "%032d" % i, "KEYS": f"key{i}"}, i) for i in range(5)]
    body = b"".join(_batch_item(*item) for item in items)
    before = int(time.time() * 1000)
    for code in (320, 310):
        with context.to_broker() as broker:
            first = int(broker.call(30, {"topic": topic, "queueId": "3"}).ext["offset"])
            answer = broker.call(code, send_ext(topic, 3, {"WAIT": "true"}, m="true"), body)
            equal(answer.code, 0, f"batch with code {code} ({answer.remark})")
            equal(answer.ext["queueOffset"], str(first), "offset of the first")
            ids = answer.ext["msgId"].split(",")
            records = wait_records(broker, topic, first + 5, queue=3)[first:]
            for i, record in enumerate(records):
                equal((record["body"], record["flag"], record["queueOffset"]),
                      (items[i][0], i, first + i), "record")
                equal(int(ids[i][16:], 16), record["physicalOffset"], "id")
                for key, value in items[i][1].items():
                    equal(record["properties"].get(key), value, "property " + key)
                equal(record["bodyCRC"], _crc(items[i][0]), "bodyCRC")
                check(record["storeTimestamp"] >= before - 2000, "store time")


@test("send.queue-id-minus-one")
def random_queue(context):
    topic = context.topic(queues=2)
    with context.to_broker() as broker:
        seen = {broker.call(310, send_ext(topic, -1), b"x").ext["queueId"] for _ in range(40)}
    equal(seen, {"0", "1"}, "queues that the broker chose")


@test("send.queue-id-out-of-range")
def bad_queue(context):
    topic = context.topic(queues=2)
    with context.to_broker() as broker:
        equal(broker.call(310, send_ext(topic, 2), b"x").code, 29, "queueId 2 of 2")
        equal(broker.call(310, send_ext(topic, 1), b"x").code, 0, "queueId 1 of 2")


@test("send.illegal-and-forbidden-topics")
def illegal_topics(context):
    with context.to_broker() as broker:
        answer = broker.call(310, send_ext("bad topic!"), b"x")
        equal(answer.code, 29, "illegal characters")
        check("illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$" in answer.remark, answer.remark)
        equal(broker.call(310, send_ext(""), b"x").code, 29, "blank")
        equal(broker.call(310, send_ext("t" * 128), b"x").code, 29, "128 characters")
        for topic in ("SCHEDULE_TOPIC_XXXX", "RMQ_SYS_TRANS_HALF_TOPIC", "SELF_TEST_TOPIC",
                      "RMQ_SYS_TRANS_OP_HALF_TOPIC", "TRANS_CHECK_MAX_TIME_TOPIC",
                      "OFFSET_MOVED_EVENT"):
            answer = broker.call(310, send_ext(topic), b"x")
            equal(answer.code, 16, f"send to {topic}")
            equal(answer.remark, f"Sending message to topic[{topic}] is forbidden.", "remark")


@test("send.unknown-topic")
def unknown_topic(context):
    """Without a template topic that allows it nothing is created; with TBW102 it is."""
    topic = unique("auto")
    with context.to_broker() as broker, context.to_namesrv() as names:
        ext = send_ext(topic)
        ext["c"] = unique("notemplate")
        answer = broker.call(310, ext, b"x")
        equal(answer.code, 17, "no template")
        check(answer.remark.startswith(f"topic[{topic}] not exist, apply first please!"),
              answer.remark)
        equal(broker.call(310, send_ext(topic, 3), b"x").code, 0, "TBW102")
        route = wait(lambda: _route(names, topic), "route of the created topic")
        data = route["queueDatas"][0]
        equal((data["readQueueNums"], data["writeQueueNums"], data["perm"]), (4, 4, 6), "queues")


def _route(names, topic):
    answer = names.call(105, {"topic": topic})
    return remoting.lenient_json(answer.body) if answer.code == 0 else None


@test("send.retry-topic-of-unknown-group")
def retry_unknown_group(context):
    with context.to_broker() as broker:
        group = unique("nogroup")
        answer = broker.call(310, send_ext("%RETRY%" + group), b"x")
        equal(answer.code, 0, "code")
        check(_group_exists(broker, group), "the group was created")


def _group_exists(broker, group):
    body = remoting.lenient_json(broker.call(201, {}).body)
    return group in body["subscriptionGroupTable"]


@test("send.too-large")
def too_large(context):
    topic = context.topic()
    with context.to_broker() as broker:
        answer = broker.call(310, send_ext(topic), b"x" * (4 * 1024 * 1024 + 1))
        equal(answer.code, 13, "4 MiB + 1")
        equal(broker.call(310, send_ext(topic), b"x" * (4 * 1024 * 1024)).code, 0, "4 MiB")
        answer = broker.call(310, send_ext(topic, properties={"p": "x" * 33000}), b"x")
        equal(answer.code, 13, "properties over 32767 bytes")


@test("send.long-topic-name")
def long_topic(context):
    """127 bytes is the longest topic name; its record keeps the one-byte length."""
    name = unique("long")
    name += "L" * (127 - len(name))
    with context.to_broker() as broker:
        answer = broker.call(310, send_ext(name), b"long")
        equal(answer.code, 0, f"send ({answer.remark})")
        record = wait_records(broker, name, 1)[0]
        equal((record["topic"], record["magic"]), (name, 0xDAA320A7), "record")


@test("send.delay-levels-by-arithmetic")
def delay_levels(context):
    """Each level: queue level-1 of the schedule topic, deliver time = store time + delay."""
    seconds = [1, 5, 10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600,
               7200]
    topic = context.topic("delay")
    with context.to_broker() as broker:
        for level, delay in list(enumerate(seconds, 1)) + [(19, seconds[-1])]:
            marker = unique("m")
            answer = send(broker, topic, b"delayed", queue=1,
                          properties={"DELAY": str(level), "TAGS": "T", "KEYS": marker})
            queue = min(level, 18) - 1
            equal(answer.ext["queueId"], "1" if "queueId" in answer.ext else None, "queueId")
            record = wait(lambda: _find(broker, queue, marker), f"record of level {level}")
            stored = _plain(record["properties"])
            equal((stored["DELAY"], stored["REAL_TOPIC"], stored["REAL_QID"]),
                  (str(level) if level < 19 else stored["DELAY"], topic, "1"), "properties")
            check(stored["DELAY"] in (str(level), "18"), "DELAY", stored["DELAY"])
            equal((record["topic"], record["queueId"]), ("SCHEDULE_TOPIC_XXXX", queue), "place")
            entry = _queue_entry(broker, queue, record["queueOffset"])
            equal(entry["physicOffset"], record["physicalOffset"], "queue entry")
            equal(entry["tagsCode"] - record["storeTimestamp"], delay * 1000, f"level {level}")


def _find(broker, queue, marker):
    maximum = int(broker.call(30, {"topic": "SCHEDULE_TOPIC_XXXX", "queueId": str(queue)})
                  .ext["offset"])
    answer = pull(broker, "SCHEDULE_TOPIC_XXXX", queue, max(0, maximum - 20))
    for record in remoting.decode_records(answer.body) if answer.code == 0 else []:
        if record["properties"].get("KEYS") == marker:
            return record
    return None


def _queue_entry(broker, queue, offset):
    answer = broker.call(321, {"topic": "SCHEDULE_TOPIC_XXXX", "queueId": str(queue),
                               "index": str(offset), "count": "1", "consumerGroup": ""})
    equal(answer.code, 0, "query consume queue")
    return remoting.lenient_json(answer.body)["queueData"][0]


@test("send.delay-delivered-record")
def delay_delivered(context):
    """Level 1: after a second the same message is in its own topic, all fields kept."""
    topic = context.topic("delay")
    before = int(time.time() * 1000)
    with context.to_broker() as broker:
        ext = send_ext(topic, 1, {"DELAY": "1", "TAGS": "TagA", "KEYS": "k", "u": "v"}, flag=5)
        equal(broker.call(310, ext, b"delayed").code, 0, "send")
        record = wait_records(broker, topic, 1, queue=1)[0]
    check(record["storeTimestamp"] - before >= 950, "delivered after a second",
          record["storeTimestamp"] - before)
    stored = _plain(record["properties"])
    unique_key = stored.pop("UNIQ_KEY")
    equal(stored, {"DELAY": "1", "TAGS": "TagA", "KEYS": "k", "u": "v", "REAL_TOPIC": topic,
                   "REAL_QID": "1", "MSG_REGION": "DefaultRegion", "CLUSTER": "DefaultCluster",
                   "TRACE_ON": "true"}, "properties")
    check(len(unique_key) in (32, 56), "UNIQ_KEY", unique_key)
    _check_record(record, {
        "body": b"delayed", "topic": topic, "queueId": 1, "queueOffset": 0, "flag": 5,
        "sysFlag": 0, "bornTimestamp": int(ext["g"]), "reconsumeTimes": 0,
        "preparedOffset": 0}, None, before, context)


@test("send.transaction-half-and-commit")
def transaction(context):
    """The half message is invisible until it is committed; then it is delivered once."""
    topic = context.topic("trans")
    group = unique("transgroup")
    properties = {"TRAN_MSG": "true", "PGROUP": group, "UNIQ_KEY": "%032X" % 7,
                  "__transactionId__": "%032X" % 7, "TAGS": "T"}
    with context.to_broker() as broker:
        half = send(broker, topic, b"half", queue=2, properties=properties, group=group,
                    sys_flag=4)
        physical = int(half.ext["msgId"][16:], 16)
        view = broker.call(33, {"offset": str(physical)})
        record = remoting.decode_records(view.body)[0]
        equal((record["topic"], record["queueId"], record["sysFlag"]),
              ("RMQ_SYS_TRANS_HALF_TOPIC", 0, 0), "half record")
        equal((record["properties"]["REAL_TOPIC"], record["properties"]["REAL_QID"]),
              (topic, "2"), "real place")
        equal(pull(broker, topic, 2, 0).code, 19, "not visible before commit")
        end = {"producerGroup": group, "tranStateTableOffset": half.ext["queueOffset"],
               "commitLogOffset": str(physical), "commitOrRollback": "8",
               "fromTransactionCheck": "false", "msgId": properties["UNIQ_KEY"],
               "transactionId": "tid"}
        broker.request(37, end, flag=remoting.ONEWAY)
        record = wait_records(broker, topic, 1, queue=2)[0]
        equal((record["body"], record["sysFlag"], record["preparedOffset"]),
              (b"half", 8, physical), "committed record")
        for key, value in properties.items():
            equal(record["properties"].get(key), value, "property " + key)


@test("send.transaction-rollback")
def rollback(context):
    topic = context.topic("trans")
    group = unique("transgroup")
    with context.to_broker() as broker:
        half = send(broker, topic, b"half", group=group, sys_flag=4, properties={
            "TRAN_MSG": "true", "PGROUP": group, "UNIQ_KEY": "%032X" % 8})
        physical = int(half.ext["msgId"][16:], 16)
        end = {"producerGroup": group, "tranStateTableOffset": half.ext["queueOffset"],
               "commitLogOffset": str(physical), "commitOrRollback": "12",
               "fromTransactionCheck": "false", "msgId": "x", "transactionId": "x"}
        equal(broker.call(37, dict(end, producerGroup="other")).code, 1, "wrong group")
        equal(broker.call(37, end).code, 0, "rollback")
        send(broker, topic, b"next")
        equal([r["body"] for r in wait_records(broker, topic, 1)], [b"next"], "visible")

# SPDX-License-Identifier: Apache-2.0
"""A store of Apache RocketMQ opens as it is, and Apache opens ours again: there and back."""
import os
import shutil
import signal
import time
from pathlib import Path

from driver import target as interop_target
from harness.broker import check_acked, create_topic, read_queue, send_ext
from harness.group import Group, Recorder
from harness.runner import test
from wire import remoting

MESSAGES = 40


class ApacheHere(interop_target.Apache):
    """Apache on a store directory of the test's choice."""

    def stop_all(self):
        self.stop_broker(signal.SIGTERM)
        for other in self.others:
            other.stop(signal.SIGTERM)


def unique_key(tag, i):
    return f"7F000001{tag.upper():0>8}{i:016X}"


def send(address, topic, tag, count=MESSAGES, queues=4):
    sent = {}
    with remoting.Connection(address, 30) as c:
        for i in range(count):
            body = f"{tag}-{i}".encode()
            answer = c.call(310, send_ext(topic, i % queues, f"KEYS\x01{tag}{i}\x02TAGS\x01{tag}\x02"
                                             f"UNIQ_KEY\x01{unique_key(tag, i)}\x02"), body)
            assert answer.code == 0, answer
            sent[(int(answer.ext["queueId"]), int(answer.ext["queueOffset"]))] = body
    return sent


def create_group(connection, name):
    body = (b'{"groupName":"%s","consumeEnable":true,"retryMaxTimes":5,"retryQueueNums":1,"brokerId":0,'
            b'"whichBrokerWhenConsumeSlowly":1,"consumeFromMinEnable":true,"consumeBroadcastEnable":true,'
            b'"notifyConsumerIdsChangedEnable":true}' % name.encode())
    assert connection.call(200, body=body).code == 0


def check(broker, topic, sent):
    for queue in range(4):
        found = read_queue(broker, topic, queue)
        wanted = {o: b for (q, o), b in sent.items() if q == queue}
        assert found == wanted, f"queue {queue}: {len(found)} messages, expected {len(wanted)}"


def query(connection, topic, key, unique=False):
    """Bodies of the messages with that key, newest first."""
    fields = {"topic": topic, "key": key, "maxNum": "32", "beginTimestamp": "0", "endTimestamp": str(2**63 - 1)}
    if unique:
        fields["_UNIQUE_KEY_QUERY"] = "true"
    answer = connection.call(12, fields)
    return [r["body"] for r in remoting.decode_records(answer.body)] if answer.code == 0 else []


def wait_indexed(connection, topic, tag):
    """RocketMQ indexes in the background."""
    deadline = time.monotonic() + 30
    last = f"{tag}{MESSAGES - 1}"
    while not query(connection, topic, last):
        assert time.monotonic() < deadline, f"{last} is not indexed"


def check_keys(broker, topic, tags):
    with broker.connect() as c:
        for tag in tags:
            for i in range(MESSAGES):
                wanted = [f"{tag}-{i}".encode()]
                assert query(c, topic, f"{tag}{i}") == wanted, f"key {tag}{i}"
                assert query(c, topic, unique_key(tag, i), True) == wanted, f"unique key of {tag}-{i}"


class At:
    """What read_queue needs of a broker that is not ours."""

    def __init__(self, address):
        self.address = address

    def connect(self):
        return remoting.Connection(self.address, 30)


@test("apache-store.there-and-back-and-there")
def there_and_back(context):
    apache = ApacheHere(context.work)
    ours = context.broker("mappedFileSizeCommitLog=67108864")
    try:
        apache.start()
        with remoting.Connection(apache.broker, 30) as c:
            create_topic(c, "Move")
        sent = send(apache.broker, "Move", "one")
        with remoting.Connection(apache.broker, 30) as c:
            wait_indexed(c, "Move", "one")
            create_group(c, "movers")
            assert c.call(15, {"consumerGroup": "movers", "topic": "Move", "queueId": "2", "commitOffset": "7"}).code == 0
        apache.stop_all()

        ours.start()
        assert "taking over a store of Apache RocketMQ" in ours.log_text()
        check(ours, "Move", sent)
        check_keys(ours, "Move", ["one"])
        with ours.connect() as c:
            assert c.call(14, {"consumerGroup": "movers", "topic": "Move", "queueId": "2"}).ext["offset"] == "7"
            assert b'"retryMaxTimes":5' in c.call(352, {"group": "movers"}).body
        sent.update(send(ours.address, "Move", "two"))
        check(ours, "Move", sent)
        with ours.connect() as c:
            assert c.call(15, {"consumerGroup": "movers", "topic": "Move", "queueId": "2", "commitOffset": "11"}).code == 0
        ours.stop()

        back = ApacheHere(context.work)
        back.start()
        apache = back
        check(At(back.broker), "Move", sent)
        with remoting.Connection(back.broker, 30) as c:
            assert c.call(14, {"consumerGroup": "movers", "topic": "Move", "queueId": "2"}).ext["offset"] == "11"
        sent.update(send(back.broker, "Move", "three"))
        check(At(back.broker), "Move", sent)
        back.stop_all()

        ours.start()
        assert "continued by Apache RocketMQ" in ours.log_text()
        check(ours, "Move", sent)
        sent.update(send(ours.address, "Move", "four"))
        check(ours, "Move", sent)
        check_keys(ours, "Move", ["one", "two", "three", "four"])
        ours.kill()
        ours.start()
        check(ours, "Move", sent)
        check_keys(ours, "Move", ["one", "two", "three", "four"])
    finally:
        apache.kill()


@test("apache-store.after-a-crash-of-apache")
def after_crash(context):
    apache = ApacheHere(context.work)
    ours = context.broker("mappedFileSizeCommitLog=67108864")
    try:
        apache.start()
        sent = send(apache.broker, "Crashed", "c")
        apache.kill()
        ours.start()
        check(ours, "Crashed", sent)
        sent.update(send(ours.address, "Crashed", "d"))
        check(ours, "Crashed", sent)
    finally:
        apache.kill()


@test("apache-store.keys-in-rocketmqs-index")
def keys_in_rocketmqs_index(context):
    """Older files of the log are not read again: RocketMQ's own index files answer for them."""
    apache = ApacheHere(context.work)
    ours = context.broker("mappedFileSizeCommitLog=67108864")
    try:
        apache.start()
        send(apache.broker, "Keyed", "one")
        with remoting.Connection(apache.broker, 30) as c:
            for _ in range(18):
                assert c.call(310, send_ext("Bulk", 0), b"x" * 4_000_000).code == 0
        send(apache.broker, "Keyed", "two")
        with remoting.Connection(apache.broker, 30) as c:
            wait_indexed(c, "Keyed", "two")
        apache.stop_all()

        ours.start()
        assert "RocketMQ's index files answer queries by key below=67108864" in ours.log_text()
        check_keys(ours, "Keyed", ["one", "two"])
        send(ours.address, "Keyed", "three")
        ours.kill()
        ours.start()
        check_keys(ours, "Keyed", ["one", "two", "three"])
        ours.stop()

        back = ApacheHere(context.work)
        back.start()
        apache = back
        send(back.broker, "Keyed", "four")
        with remoting.Connection(back.broker, 30) as c:
            wait_indexed(c, "Keyed", "four")
            assert query(c, "Keyed", "one7") == [b"one-7"]
        back.stop_all()

        ours.start()
        check_keys(ours, "Keyed", ["one", "two", "three", "four"])
    finally:
        apache.kill()


@test("apache-store.grows-to-three-members")
def grows(context):
    """It opens as a broker set of one; members with empty stores join and get all of it, and any of them may lead."""
    apache = ApacheHere(context.work)
    group = Group.of_one(context, "mappedFileSizeCommitLog=67108864")
    first = group.members[0]
    shutil.rmtree(first.store, ignore_errors=True)
    try:
        apache.start()
        sent = send(apache.broker, "Grow", "one")
        with remoting.Connection(apache.broker, 30) as c:
            create_group(c, "growers")
            assert c.call(15, {"consumerGroup": "growers", "topic": "Grow", "queueId": "3", "commitOffset": "5"}).code == 0
        apache.stop_all()
        (context.work / "store").rename(first.store)

        group.start()
        assert "taking over a store of Apache RocketMQ" in first.log_text()
        sent.update(send(first.address, "Grow", "two"))
        for _ in range(2):
            group.add_empty().start()
            group.join(group.members[-1])
        with Recorder(group, "After") as recorder:
            recorder.more(20)
            first.kill()
            recorder.more(20)
            sent.update(send(group.leader().address, "Grow", "three"))
            first.start()
            recorder.more(20)
        group.converge()
        for member in group.members:
            check(member, "Grow", sent)
            check_keys(member, "Grow", ["one", "two", "three"])
            check_acked(member, "After", recorder.acked)
        assert len({group.log_bytes(member) for member in group.members}) == 1, "the logs of the members differ"
        with group.leader().connect() as c:
            assert c.call(14, {"consumerGroup": "growers", "topic": "Grow", "queueId": "3"}).ext["offset"] == "5"
    finally:
        apache.kill()

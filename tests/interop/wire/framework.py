# SPDX-License-Identifier: Apache-2.0
"""Registry and runner of the raw wire tests, and the small vocabulary that they share."""

import argparse
import concurrent.futures
import itertools
import json
import os
import re
import threading
import time
import traceback

from wire import remoting

TESTS = []
_counter = itertools.count(1)
_print_lock = threading.Lock()


class Skip(Exception):
    pass


def test(name, slow=False):
    def register(function):
        TESTS.append((name, slow, function))
        return function
    return register


def check(condition, text, *values):
    if not condition:
        raise AssertionError(text + "".join(f"; {v!r}" for v in values))


def equal(actual, expected, what):
    check(actual == expected, f"{what}: got {actual!r}, expected {expected!r}")


def unique(prefix):
    return f"{prefix}_{os.getpid()}_{next(_counter)}"


class Context:
    """What a test works with: addresses, and calls that most tests need."""

    def __init__(self, options):
        self.namesrv = options.namesrv
        self.broker = options.broker
        self.target = options.target
        self.members = options.members

    def to_broker(self):
        return remoting.Connection(self.broker)

    def check_addresses(self, addresses):
        """brokerId -> address of all brokers of the set, one of which is the one we talk to."""
        equal(len(addresses), self.members, f"addresses: {addresses}")
        check(self.broker in addresses.values() and "0" in addresses, "addresses", addresses)

    def to_namesrv(self):
        return remoting.Connection(self.namesrv)

    def topic(self, prefix="wire", queues=4, order=False, perm=6):
        """Creates a topic and waits until the NameServer knows it."""
        name = unique(prefix)
        with self.to_broker() as broker:
            answer = broker.call(17, {
                "topic": name, "defaultTopic": "TBW102", "readQueueNums": str(queues),
                "writeQueueNums": str(queues), "perm": str(perm),
                "topicFilterType": "SINGLE_TAG", "topicSysFlag": "0",
                "order": str(order).lower()})
        equal(answer.code, 0, "create topic")
        with self.to_namesrv() as names:
            wait(lambda: names.call(105, {"topic": name}).code == 0, "route of " + name)
        return name

    def group(self, prefix="wiregroup", **changes):
        name = unique(prefix)
        config = {"groupName": name, "consumeEnable": True, "consumeFromMinEnable": True,
                  "consumeBroadcastEnable": True, "consumeMessageOrderly": False,
                  "retryQueueNums": 1, "retryMaxTimes": 16, "brokerId": 0,
                  "whichBrokerWhenConsumeSlowly": 1, "notifyConsumerIdsChangedEnable": True,
                  "groupSysFlag": 0, "consumeTimeoutMinute": 15}
        config.update(changes)
        with self.to_broker() as broker:
            equal(broker.call(200, {}, json.dumps(config).encode()).code, 0, "create group")
        return name


def wait(condition, what, seconds=15):
    """Polls a condition of the remote side until it holds; its last value is returned."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        check(time.monotonic() < deadline, f"not within {seconds} s: {what}")
        time.sleep(0.05)


def send_ext(topic, queue=0, properties=None, flag=0, sys_flag=0, group="wire_producer", **more):
    """V2 (single letter) header fields of a send."""
    ext = {"a": group, "b": topic, "c": "TBW102", "d": "4", "e": str(queue), "f": str(sys_flag),
           "g": str(int(time.time() * 1000)), "h": str(flag),
           "i": remoting.properties_text(properties or {}), "j": "0", "k": "false", "m": "false"}
    ext.update(more)
    return ext


def send(connection, topic, body, **options):
    answer = connection.call(310, send_ext(topic, **options), body)
    equal(answer.code, 0, f"send to {topic} ({answer.remark})")
    return answer


def pull_ext(group, topic, queue, offset, count=32, subscription="*", suspend=0, commit=None):
    sys_flag = (1 if commit is not None else 0) | (2 if suspend else 0)
    sys_flag |= 4 if subscription is not None else 0
    ext = {"consumerGroup": group, "topic": topic, "queueId": str(queue),
           "queueOffset": str(offset), "maxMsgNums": str(count), "sysFlag": str(sys_flag),
           "commitOffset": str(commit or 0), "suspendTimeoutMillis": str(suspend),
           "subVersion": "0", "expressionType": "TAG"}
    if subscription is not None:
        ext["subscription"] = subscription
    return ext


def pull(connection, topic, queue=0, offset=0, group="wire_pull", **options):
    return connection.call(11, pull_ext(group, topic, queue, offset, **options))


def wait_records(connection, topic, count, queue=0, seconds=15, offset=0):
    """Pulls until `count` records are there (a send is dispatched to its queue later)."""
    found = []

    def enough():
        answer = pull(connection, topic, queue, offset)
        found[:] = remoting.decode_records(answer.body) if answer.code == 0 else []
        return len(found) >= count

    wait(enough, f"{count} records in {topic} queue {queue}", seconds)
    return found


def heartbeat_body(client_id, group, topics, model="CLUSTERING", version=1, sub="*"):
    tags = [] if sub == "*" else [t.strip() for t in sub.split("||")]
    return json.dumps({
        "clientID": client_id, "heartbeatFingerprint": 0, "withoutSub": False,
        "producerDataSet": [],
        "consumerDataSet": [{
            "groupName": group, "consumeType": "CONSUME_PASSIVELY", "messageModel": model,
            "consumeFromWhere": "CONSUME_FROM_LAST_OFFSET", "unitMode": False,
            "subscriptionDataSet": [{
                "topic": t, "subString": sub, "tagsSet": tags, "expressionType": "TAG",
                "codeSet": [remoting.java_hash(x) for x in tags], "subVersion": version,
                "classFilterMode": False} for t in topics]}]}).encode()


def _report(status, name, seconds, reason="", detail=""):
    with _print_lock:
        for line in detail.splitlines():
            print(f"@@ DETAIL\t{name}\t{line}")
        reason = reason.replace("\n", " ").replace("\t", " ")
        print(f"@@ {status}\t{name}\t{seconds:.2f}\t{reason}", flush=True)


def _run_one(context, name, function):
    began = time.monotonic()
    try:
        function(context)
        _report("PASS", name, time.monotonic() - began)
        return True
    except Skip as skip:
        _report("SKIP", name, time.monotonic() - began, str(skip))
        return True
    except Exception as error:  # a test may fail in any way; the report says how
        _report("FAIL", name, time.monotonic() - began, f"{type(error).__name__}: {error}",
                traceback.format_exc())
        return False


def run_all(arguments):
    parser = argparse.ArgumentParser()
    for option in ("--name", "--target", "--namesrv", "--broker", "--control"):
        parser.add_argument(option, required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--members", type=int, default=1)
    options = parser.parse_args(arguments)
    chosen = [(n, slow, f) for n, slow, f in TESTS
              if re.search(options.only, f"{options.name}/{n}")]
    context = Context(options)
    jobs = []
    with concurrent.futures.ThreadPoolExecutor(max_workers=8) as pool:
        for name, slow, function in chosen:
            if slow and options.fast:
                _report("SKIP", name, 0, "left out by --fast")
            else:
                jobs.append(pool.submit(_run_one, context, name, function))
    return 0 if all(job.result() for job in jobs) else 1

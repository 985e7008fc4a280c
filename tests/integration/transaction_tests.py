# SPDX-License-Identifier: Apache-2.0
"""Transactional messages: visible when and only when they are committed, once, whoever is killed."""
import random
import time

from harness.broker import create_topic, pull, read_queue, send_ext
from harness.group import Group
from harness.runner import test
from harness.transactions import COMMIT, ROLLBACK, Half, Producer
from harness.wait import until
from wire import remoting
from apache_store_tests import ApacheHere

CHECKS = ["transactionTimeOut=0", "transactionCheckInterval=200"]
NO_CHECKS = ["transactionCheckInterval=1h"]


def bodies(broker, topic, queues=4):
    """Everything that is visible, and that each queue's offsets have no gap."""
    found = []
    for queue in range(queues):
        there = read_queue(broker, topic, queue)
        assert sorted(there) == list(range(len(there))), f"queue {queue} has gaps: {sorted(there)}"
        found += there.values()
    return sorted(found)


@test("transaction.outcomes-count-once")
def once(context):
    broker = context.broker(*NO_CHECKS)
    broker.start()
    broker.create_topic("Once")
    with Producer(broker.address) as producer:
        kept, dropped, open_one = (producer.half("Once", i, f"m{i}") for i in range(3))
        assert bodies(broker, "Once") == []
        assert broker.metric("rocketmq_half_messages") == 3
        assert producer.end(kept, COMMIT).code == 0
        assert producer.end(dropped, ROLLBACK).code == 0
        for half in (kept, dropped):
            for outcome in (COMMIT, ROLLBACK):
                answer = producer.end(half, outcome)
                assert (answer.code, "ended already" in answer.remark) == (1, True), answer
        assert producer.end(open_one._replace(position=kept.position + 1), COMMIT).code == 1
        assert producer.end(open_one._replace(offset=open_one.offset + 1), COMMIT).code == 1
        assert producer.end(open_one, COMMIT, group="another").code == 1
        assert producer.end(open_one, 3).code == 1
        producer.end(open_one, 0, oneway=True)
        assert bodies(broker, "Once") == [kept.body]
        counted = [broker.metric(f"rocketmq_{name}") for name in ("half_messages", "commit_messages_total", "rollback_messages_total")]
        assert counted == [1, 1, 1], counted
        broker.kill()
        broker.start()
    with Producer(broker.address) as producer:
        assert producer.end(kept, COMMIT).code == 1
        assert producer.end(open_one, COMMIT).code == 0
    assert bodies(broker, "Once") == sorted([kept.body, open_one.body])


@test("transaction.producers-are-asked-until-they-know")
def asked(context):
    broker = context.broker(*CHECKS, "transactionCheckMax=3")
    broker.start()
    broker.create_topic("Asked")
    with Producer(broker.address) as producer:
        half = producer.half("Asked", 1, "unknown at first")
        again, times, record = producer.asked()
        assert (again, times) == (half, 1), (again, times, half)
        assert (record["topic"], record["queueId"]) == ("Asked", 1), record
        producer.end(half, 0, from_check=True, oneway=True)
        again, times, _ = producer.asked()
        assert (again, times) == (half, 2), "the place that the producer was told stays valid"
        assert producer.end(half, COMMIT, from_check=True).code == 0
        assert bodies(broker, "Asked") == [half.body]
        # Who never knows is asked as often as configured; the message is kept elsewhere.
        lost = producer.half("Asked", 1, "never known")
        assert [producer.asked()[1] for _ in range(3)] == [1, 2, 3]
        until("it is given up", lambda: broker.metric("rocketmq_half_messages") == 0)
        assert producer.end(lost, COMMIT).code == 1
    assert bodies(broker, "TRANS_CHECK_MAX_TIME_TOPIC", 1) == [lost.body]
    assert bodies(broker, "Asked") == [half.body]


@test("transaction.a-message-may-ask-for-time")
def immunity(context):
    broker = context.broker(*CHECKS)
    broker.start()
    broker.create_topic("Immune")
    long_ago = int(time.time() * 1000) - 3600_000
    with Producer(broker.address) as producer:
        producer.half("Immune", 0, "left alone", CHECK_IMMUNITY_TIME_IN_SECONDS="3600")
        late = producer.half("Immune", 0, "late", born=long_ago, CHECK_IMMUNITY_TIME_IN_SECONDS="60")
        # The second one's time is over: the producer's own word does not count any more, the answer to a check does.
        assert producer.end(late, COMMIT).code == 604
        for times in (1, 2, 3):
            half, asked_times, _ = producer.asked()
            assert (half, asked_times) == (late, times), "only the one whose time is over is asked about"
        assert producer.end(late, COMMIT, from_check=True).code == 0
    assert bodies(broker, "Immune") == [late.body]


@test("transaction.refused-when-configured")
def refused(context):
    broker = context.broker("rejectTransactionMessage=true")
    broker.start()
    broker.create_topic("Refused")
    with Producer(broker.address) as producer:
        try:
            producer.half("Refused", 0, "no")
        except AssertionError as refusal:
            assert "sending transaction message is forbidden" in str(refusal), refusal
        else:
            raise AssertionError("a half message was taken")


@test("transaction.kill-9-under-load")
def killed(context):
    """Whatever a killed broker has answered is so afterwards; what it has not answered happened once or not at all."""
    broker = context.broker(*NO_CHECKS)
    rng = random.Random(11)
    visible, maybe, never, left = set(), set(), set(), []
    for number in range(min(context.options.rounds, 6)):
        broker.start()
        if number == 0:
            broker.create_topic("Load")
        with Producer(broker.address) as producer:
            for half in left:  # of earlier starts
                assert producer.end(half, COMMIT).code == 0
                visible.add(half.body)
            left = []
            for i in range(rng.randint(20, 60)):
                half = producer.half("Load", i % 4, f"{number}-{i}")
                fate = rng.random()
                if fate < 0.5:
                    assert producer.end(half, COMMIT).code == 0
                    visible.add(half.body)
                elif fate < 0.7:
                    assert producer.end(half, ROLLBACK).code == 0
                    never.add(half.body)
                elif fate < 0.8:
                    producer.end(half, COMMIT, oneway=True)
                    maybe.add(half.body)
                else:
                    left.append(half)
            broker.kill()
    broker.start()
    there = bodies(broker, "Load")
    assert len(there) == len(set(there)), "a message was published twice"
    assert visible <= set(there) <= visible | maybe, (visible - set(there), set(there) - visible - maybe)
    assert not never & set(there)


@test("transaction.retention-loses-no-message")
def retention(context):
    """A half message whose file is deleted is given up before: its message is kept."""
    broker = context.broker(*NO_CHECKS, "fileReservedTime=0")
    broker.start()
    broker.create_topic("Retained")
    with Producer(broker.address) as producer:
        half = producer.half("Retained", 0, "open in the first file")
        with broker.connect() as c:
            for _ in range(12):
                assert c.call(310, send_ext("Filler", 0), b"x" * 1_000_000).code == 0
            assert int(c.call(31, {"topic": "Filler", "queueId": "0"}).ext["offset"]) == 0
            assert c.call(329).code == 0
            until("the first file goes", lambda: int(c.call(31, {"topic": "Filler", "queueId": "0"}).ext["offset"]) > 0)
        assert producer.end(half, COMMIT).code == 1
    assert broker.metric("rocketmq_half_messages") == 0
    assert bodies(broker, "TRANS_CHECK_MAX_TIME_TOPIC", 1) == [half.body]
    assert bodies(broker, "Retained") == []


@test("transaction.the-next-leader-goes-on")
def next_leader(context):
    group = Group(context, *CHECKS)
    group.start()
    leader = group.leader()
    leader.create_topic("Next")
    with Producer(leader.address, group="late_ones") as producer:
        committed, rolled_back, waiting, asked_about = (producer.half("Next", i, f"n{i}") for i in range(4))
        assert producer.end(committed, COMMIT).code == 0
        assert producer.end(rolled_back, ROLLBACK).code == 0
        times = 0
        while times < 2:
            half, times, _ = producer.asked()
    group.converge()
    leader.kill()
    successor = group.leader()
    assert successor is not leader
    with Producer(successor.address, group="late_ones") as producer:
        # Outcomes that the first leader took are known.
        assert producer.end(committed, COMMIT).code == 1
        assert producer.end(rolled_back, COMMIT).code == 1
        assert producer.end(waiting, COMMIT).code == 0
        half, times, _ = producer.asked()
        while half == waiting:  # it may have been asked about before its outcome came
            half, times, _ = producer.asked()
        assert half == asked_about and times > 2, (half, times, "checks of the first leader count")
        # A member that does not lead passes the outcome on.
        follower = group.followers(successor)[0]
        with Producer(follower.address, group="late_ones", online=False) as elsewhere:
            assert elsewhere.end(asked_about, COMMIT, from_check=True).code == 0
    leader.start()
    group.converge()
    expected = sorted([committed.body, waiting.body, asked_about.body])
    for member in group.members:
        assert bodies(member, "Next") == expected, f"{member.address}: {bodies(member, 'Next')}"


@test("transaction.the-leader-is-killed-again-and-again")
def killed_leaders(context):
    """Outcomes are sent until one is answered; each message is published once or never, on every member."""
    group = Group(context, *NO_CHECKS)
    group.start()
    group.leader().create_topic("Again")
    rng = random.Random(5)
    visible, maybe, left = set(), set(), []
    for number in range(4):
        leader = group.leader()
        with Producer(leader.address) as producer:
            for half in left:
                answer = producer.end(half, COMMIT)
                assert answer.code == 0 or (half.body in maybe and answer.code == 1), answer
                visible.add(half.body)
            left = []
            for i in range(30):
                half = producer.half("Again", i % 4, f"{number}-{i}")
                if rng.random() < 0.5:
                    assert producer.end(half, COMMIT).code == 0
                    visible.add(half.body)
                else:
                    left.append(half)
            for half in left[::2]:  # on their way when the leader dies: the next one hears of them again
                producer.end(half, COMMIT, oneway=True)
                maybe.add(half.body)
            leader.kill()
        group.leader()
        leader.start()
        group.converge()
    for member in group.members:
        there = bodies(member, "Again")
        assert len(there) == len(set(there)), f"{member.address}: a message was published twice"
        assert visible <= set(there) <= visible | maybe
    assert len({group.log_bytes(member) for member in group.members}) == 1, "the logs of the members differ"


def newest_places(broker, halves):
    """RocketMQ writes what it asks about again, at its stop too, and then the new places count."""
    with broker.connect() as c:
        answer = pull(c, "RMQ_SYS_TRANS_HALF_TOPIC", 0, 0)
        assert answer.code == 0, answer
    places = {r["body"]: Half(r["physicalOffset"], r["queueOffset"], r["body"]) for r in remoting.decode_records(answer.body)}
    return [places[half.body] for half in halves]


@test("apache-store.open-transactions-there-and-back")
def apache_store(context):
    """Open ones stay open and ended ones ended, from RocketMQ to here, back, and here again."""
    ours = context.broker("mappedFileSizeCommitLog=67108864", *NO_CHECKS)
    apache = ApacheHere(context.work)
    try:
        apache.start()
        with remoting.Connection(apache.broker, 30) as c:
            create_topic(c, "Move")
        with Producer(apache.broker) as producer:
            done, dropped, *left = (producer.half("Move", 0, f"a{i}") for i in range(5))
            assert producer.end(done, COMMIT).code == 0
            assert producer.end(dropped, ROLLBACK).code == 0
        with remoting.Connection(apache.broker, 30) as c:  # its op records are written in batches, in the background
            until("op records", lambda: int(c.call(30, {"topic": "RMQ_SYS_TRANS_OP_HALF_TOPIC", "queueId": "0"}).ext["offset"]) > 0)
        apache.stop_all()

        ours.start()
        assert "taking over 3 open transactions" in ours.log_text()
        assert ours.metric("rocketmq_half_messages") == 3
        ours.kill()  # at once: nothing is in a snapshot yet
        ours.start()
        assert ours.metric("rocketmq_half_messages") == 3, ours.metric("rocketmq_half_messages")
        first, second, third = newest_places(ours, left)
        with Producer(ours.address) as producer:
            for half in (done, dropped):
                assert producer.end(half, COMMIT).code == 1
            answer = producer.end(first, COMMIT)
            assert answer.code == 0, answer
            ours.kill()
            ours.start()  # the import must not bring the first one back
        with Producer(ours.address) as producer:
            assert producer.end(first, COMMIT).code == 1
            mine = producer.half("Move", 1, "b0")
            ended = producer.half("Move", 1, "b1")
            assert producer.end(ended, COMMIT).code == 0
            assert producer.end(producer.half("Move", 1, "b2"), ROLLBACK).code == 0
        ours.stop()

        back = ApacheHere(context.work)
        back.settings = ("transactionTimeOut=0", "transactionCheckInterval=10000")  # longer than it keeps op records back
        back.start()
        apache = back
        with Producer(back.broker) as producer:
            open_there = {}
            while set(open_there) != {second.body, third.body, mine.body}:
                heard = producer.asked(60)
                assert heard, f"only {sorted(open_there)} were asked about"
                assert heard[0].body in (second.body, third.body, mine.body), f"{heard[0].body} has ended"
                open_there[heard[0].body] = heard[0]
            assert producer.end(open_there[second.body], COMMIT, from_check=True).code == 0
            assert producer.end(open_there[third.body], ROLLBACK, from_check=True).code == 0
        with remoting.Connection(back.broker, 30) as c:
            def op_records():
                answer = pull(c, "RMQ_SYS_TRANS_OP_HALF_TOPIC", 0, 0)
                named = b",".join(r["body"] for r in remoting.decode_records(answer.body)) if answer.code == 0 else b""
                wanted = {str(open_there[half.body].offset).encode() for half in (second, third)}
                return wanted <= set(named.split(b","))
            until("RocketMQ's op records", op_records)
        back.stop_all()

        ours.start()
        assert ours.metric("rocketmq_half_messages") == 1
        [mine] = newest_places(ours, [mine])
        with Producer(ours.address) as producer:
            assert producer.end(mine, COMMIT).code == 0
        assert bodies(ours, "Move") == sorted([done.body, first.body, second.body, ended.body, mine.body])
    finally:
        apache.kill()

# SPDX-License-Identifier: Apache-2.0
"""kill -9 under load: what was acknowledged is there, once, at its offset."""
import random

from acknowledged import Acknowledged
from harness.broker import Load, check_acked
from harness.runner import test


def rounds(context, flush, count):
    broker = context.broker(f"flushDiskType={flush}")
    acked = Acknowledged()
    rng = random.Random(7)
    for number in range(count):
        broker.start()
        if number == 0:
            broker.create_topic("Crash")
        load = Load(broker, "Crash", tag=f"r{number}", size=rng.choice([40, 300, 3000]))
        load.run(rng.randint(1, 400))
        broker.kill()
        load.drain_after_kill()
        acked.update(load.acked)
        acked.assert_no_place_twice()
        if number % 10 == 9 or number == count - 1:
            broker.start()
            check_acked(broker, "Crash", acked)
            broker.kill()
    assert len(acked) > count, "the load did not get anywhere"


@test("crash.kill-9-sync-flush")
def sync_flush(context):
    rounds(context, "SYNC_FLUSH", context.options.rounds)


@test("crash.kill-9-async-flush")
def async_flush(context):
    # The page cache survives the process, so nothing may be missing either.
    rounds(context, "ASYNC_FLUSH", max(2, context.options.rounds // 5))


@test("crash.offsets-and-topics-survive")
def state(context):
    broker = context.broker("flushDiskType=SYNC_FLUSH")
    broker.start()
    broker.create_topic("State", 3)
    with broker.connect() as c:
        # A group known by its pull; its offset is in the log after the answer to a later command.
        from harness.broker import pull
        pull(c, "State", 0, 0)
        assert c.call(15, {"consumerGroup": "it_reader", "topic": "State", "queueId": "1", "commitOffset": "17"}).code == 0
    broker.stop()
    broker.start()
    with broker.connect() as c:
        assert c.call(14, {"consumerGroup": "it_reader", "topic": "State", "queueId": "1"}).ext["offset"] == "17"
        broker.create_topic("Later", 2)
    broker.kill()
    broker.start()
    with broker.connect() as c:
        assert c.call(14, {"consumerGroup": "it_reader", "topic": "State", "queueId": "1"}).ext["offset"] == "17"
        assert c.call(351, {"topic": "Later"}).code == 0
        assert c.call(351, {"topic": "Gone"}).code == 17


@test("crash.delayed-messages-are-delivered-once")
def delayed(context):
    from harness.broker import send_ext, read_queue
    import time
    broker = context.broker("flushDiskType=SYNC_FLUSH", "messageDelayLevel=1s 2s 3s")
    broker.start()
    broker.create_topic("Delay", 1)
    with broker.connect() as c:
        for i in range(50):
            answer = c.call(310, send_ext("Delay", 0, "DELAY\x011\x02"), f"d{i}".encode())
            assert answer.code == 0, answer
    # Killed while deliveries are due, several times.
    deadline = time.monotonic() + 60
    found = {}
    while len(found) < 50 and time.monotonic() < deadline:
        broker.kill()
        broker.start()
        found = read_queue(broker, "Delay", 0)
    bodies = sorted(found.values())
    assert bodies == sorted(f"d{i}".encode() for i in range(50)), f"{len(bodies)} deliveries: {bodies[:5]}"

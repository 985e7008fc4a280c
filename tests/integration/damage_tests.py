# SPDX-License-Identifier: Apache-2.0
"""Torn and flipped bytes in every kind of file: detected, named, never served; the rest is kept."""
import random
import struct

from harness.broker import Load, StartError, check_acked, read_queue
from harness.runner import test
from wire import remoting


def written_store(context, messages=2000, *settings):
    broker = context.broker("flushDiskType=SYNC_FLUSH", *settings)
    broker.start()
    broker.create_topic("Rot")
    load = Load(broker, "Rot")
    load.run(messages)
    load.drain()
    return broker, load.acked


def log_files(broker):
    return sorted((broker.store / "commitlog").iterdir())


def positions(broker, queue):
    """(offset, position, size) of each message of a queue, from the consume queue files."""
    entries, offset = [], 0
    for path in sorted((broker.store / "consumequeue" / "Rot" / str(queue)).iterdir()):
        data = path.read_bytes()
        for at in range(0, len(data), 20):
            position, size, _ = struct.unpack(">qiq", data[at:at + 20])
            if size > 0:
                entries.append((offset, position, size))
            offset += 1
    return entries


def overwrite(broker, position, data):
    file_bytes = 4194304
    path = broker.store / "commitlog" / f"{position // file_bytes * file_bytes:020d}"
    with open(path, "r+b") as f:
        f.seek(position % file_bytes)
        f.write(data)


@test("damage.torn-tail-is-cut")
def torn_tail(context):
    broker, acked = written_store(context)
    end = int(broker.metric("gantry_log_commit_position"))
    broker.kill()
    rng = random.Random(3)
    for tail in (b"\x00\x00\x01\x2c", struct.pack(">ii", 300, -626843481) + rng.randbytes(200), rng.randbytes(5000)):
        overwrite(broker, end, tail)
        broker.start()
        check_acked(broker, "Rot", acked)
        assert "cutting the torn end of the log" in broker.log_text()
        load = Load(broker, "Rot", tag=f"after{len(tail)}")
        load.run(20)
        load.drain()
        acked.update(load.acked)
        end = int(broker.metric("gantry_log_commit_position"))
        broker.kill()
    broker.start()
    check_acked(broker, "Rot", acked)


@test("damage.flipped-bytes-are-never-served")
def flipped(context):
    broker, acked = written_store(context)
    broker.stop()
    rng = random.Random(5)
    damaged = {}
    for queue in range(4):
        for offset, position, size in rng.sample(positions(broker, queue), 5):
            at = position + rng.choice([30, 95, size - 40])
            overwrite(broker, at, b"\xA5")
            damaged[(queue, offset)] = position
    broker.start()
    for queue in range(4):
        found = read_queue(broker, "Rot", queue)
        for (q, offset), body in acked.items():
            if q != queue:
                continue
            if (q, offset) in damaged:
                assert found.get(offset) in (None, body), f"rotten bytes were served at {q}/{offset}"
            else:
                assert found.get(offset) == body, f"{q}/{offset} is gone, although it was not damaged"
    served = sum(1 for (q, o) in damaged if read_queue(broker, "Rot", q).get(o) is not None)
    assert served == 0, f"{served} damaged messages were served"
    assert broker.metric("gantry_log_damaged_reads_total") >= len(damaged)
    assert "damaged" in broker.log_text()


@test("damage.flipped-byte-near-the-end")
def flipped_near_end(context):
    # Inside the range that a start after a crash reads again: the rest behind it must stay.
    broker, acked = written_store(context, 300)
    broker.kill()
    with open(log_files(broker)[0], "rb") as f:
        data = f.read()
    victim = max(acked)
    at = data.index(acked[victim][:12])
    overwrite(broker, at + 20, b"\xFF\xFE")
    broker.start()
    missing = check_acked(broker, "Rot", acked, missing_allowed=1)
    assert len(missing) == 1 and missing[0][:2] == victim and missing[0][2] == b"", missing
    load = Load(broker, "Rot", tag="after")
    load.run(50)
    load.drain()
    check_acked(broker, "Rot", load.acked)


@test("damage.derived-files-are-rebuilt")
def derived(context):
    broker, acked = written_store(context)
    broker.expect_errors = ("key index run is damaged",)
    broker.stop()  # writes the queue files
    broker.start()
    broker.kill()
    rng = random.Random(11)
    queue_file = next((broker.store / "consumequeue" / "Rot" / "2").iterdir())
    keep = queue_file.read_bytes()
    queue_file.write_bytes(rng.randbytes(2000) + keep[2000:])
    checkpoint = broker.store / "raft" / "checkpoint"
    checkpoint.write_bytes(rng.randbytes(8192))
    try:
        broker.start()
    except StartError as error:
        assert "checkpoint" in error.output, error.output
        checkpoint.unlink()  # what the message asks for: everything derived is rebuilt from the log
        for path in sorted((broker.store / "consumequeue").rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        broker.start()
    check_acked(broker, "Rot", acked)
    broker.stop()
    for run in (broker.store / "keyindex").iterdir():
        run.write_bytes(rng.randbytes(len(run.read_bytes())))
    broker.start()
    check_acked(broker, "Rot", acked)


@test("damage.snapshot-falls-back")
def snapshot(context):
    broker, acked = written_store(context)
    broker.stop()
    newest = sorted((broker.store / "raft").glob("state-*"))[-1]
    newest.write_bytes(newest.read_bytes()[:-9])
    broker.start()
    assert newest.name in broker.log_text()
    check_acked(broker, "Rot", acked)
    with broker.connect() as c:
        assert c.call(351, {"topic": "Rot"}).code == 0


@test("damage.hard-state")
def hard_state(context):
    broker, _ = written_store(context, 10)
    broker.stop()
    path = broker.store / "raft" / "hardstate"
    path.write_bytes(b"\x01" * 8192)
    try:
        broker.start()
    except StartError as error:
        assert "hardstate" in error.output and "valid" in error.output, error.output
        return
    raise AssertionError("a broker started without knowing its term")

# SPDX-License-Identifier: Apache-2.0
"""What a broker refuses to start with, and what it says."""
import socket
import subprocess

from harness.broker import BINARIES, StartError, send_ext
from harness.group import Group
from harness.runner import test


def refused(broker, *words):
    try:
        broker.start()
    except StartError as error:
        for word in words:
            assert word in error.output, f"'{word}' is missing in: {error.output[-600:]}"
        return
    raise AssertionError("the broker started")


@test("refuse.second-process-on-the-store")
def second(context):
    context.broker().start()
    refused(context.broker(), "in use by another process", "storePathRootDir")


@test("refuse.port-in-use")
def port(context):
    broker = context.broker()
    with socket.socket() as s:
        s.bind(("127.0.0.1", broker.port))
        s.listen()
        refused(broker, str(broker.port))


@test("refuse.bad-configuration")
def configuration(context):
    refused(context.broker("flushDiskTyp=SYNC_FLUSH"), "flushDiskTyp", "flushDiskType")
    refused(context.broker("flushDiskType=SOMETIMES"), "flushDiskType", "SYNC_FLUSH")
    refused(context.broker("listenPort=123456"), "listenPort")
    path = context.work / "broker.conf"
    path.write_text("brokerName=a\nbrokerClusterNam=c\n")
    done = subprocess.run([str(BINARIES / "gantry-broker"), "-c", str(path)], capture_output=True, text=True, timeout=30)
    assert done.returncode != 0 and "broker.conf:2" in done.stderr and "brokerClusterName" in done.stderr, done.stderr


@test("refuse.foreign-store")
def foreign(context):
    broker = context.broker()
    (broker.store / "commitlog").mkdir(parents=True)
    (broker.store / "commitlog" / "photo.jpg").write_bytes(b"x")
    refused(broker, "photo.jpg")
    other = context.broker(store="dledger")
    (other.store / "dledger-broker-a").mkdir(parents=True)
    refused(other, "DLedger")
    for number, name in enumerate(("rocksdbconsumequeue", "consumequeue_r")):
        rocks = context.broker(store=f"rocks{number}")
        (rocks.store / name).mkdir(parents=True)
        refused(rocks, name, "RocksDB")
    refused(context.broker(f"storePathCommitLog={context.work}/one,{context.work}/two", store="several"),
            "storePathCommitLog", "expected one directory")
    sized = context.broker(store="sized")
    sized.start()
    sized.stop()
    sized.settings.append("mappedFileSizeCommitLog=8388608")
    refused(sized, "mappedFileSizeCommitLog")


@test("refuse.a-set-whose-log-rocketmq-has-continued")
def continued(context):
    """A broker alone takes over what RocketMQ has written behind its end; a member of a set would differ from the others."""
    group = Group(context)
    group.start()
    leader = group.leader()
    leader.create_topic("T")
    victim = group.followers(leader)[0]
    group.converge()
    victim.stop()
    end = int(leader.metric("gantry_log_commit_position"))
    log = victim.store / "commitlog" / f"{0:020d}"
    with open(log, "r+b") as f:
        data = f.read()
        own_end = len(data.rstrip(b"\0"))
        assert 0 < own_end <= end + 8, (own_end, end)
        f.seek(end)
        f.write(b"\0\0\1\0\xda\xa3\x20\xa7")  # size and magic of a record
    refused(victim, "continued by RocketMQ", "join again")


@test("refuse.oversized-and-illegal-messages")
def messages(context):
    broker = context.broker("maxMessageSize=65536")
    broker.start()
    broker.create_topic("Size")
    with broker.connect() as c:
        assert c.call(310, send_ext("Size", 0), b"x" * 65536).code == 0
        assert c.call(310, send_ext("Size", 0), b"x" * 65537).code == 13
        assert c.call(310, send_ext("Size", 0, "K\x01" + "v" * 40000 + "\x02"), b"x").code == 13
        assert c.call(310, send_ext("T" * 128, 0), b"x").code == 29
        assert c.call(310, send_ext("bad topic!", 0), b"x").code == 29
        assert c.call(310, send_ext("rmq_sys_GANTRY_LOG", 0), b"x").code == 16
        assert c.call(310, send_ext("Size", 9), b"x").code == 29
        assert c.call(310, send_ext("Size", 1), b"still here").code == 0

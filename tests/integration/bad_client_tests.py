# SPDX-License-Identifier: Apache-2.0
"""Clients that send rubbish, half frames, huge lengths, or read nothing."""
import random
import socket
import struct

from harness.broker import Load, check_acked, send_ext
from harness.runner import test
from wire import remoting


def closed(s):
    """Waits until the server closes; False if it answers instead or nothing happens."""
    s.settimeout(20)
    try:
        return s.recv(1) == b""
    except ConnectionResetError:
        return True
    except socket.timeout:
        return False


@test("bad-client.garbage-is-cut-off-with-a-reason")
def garbage(context):
    broker = context.broker()
    broker.start()
    rng = random.Random(1)
    inputs = [b"GET / HTTP/1.1\r\n\r\n", struct.pack(">ii", 0x7FFFFFFF, 10), struct.pack(">ii", 2, 0),
              struct.pack(">ii", 20, 0x00FFFFFF) + b"x" * 16, struct.pack(">ii", 12, 8) + b"{not json",
              struct.pack(">iI", 30, (1 << 24) | 21) + rng.randbytes(26)]
    for data in inputs:
        with socket.create_connection(("127.0.0.1", broker.port), 10) as s:
            s.sendall(data)
            assert closed(s), f"not closed after {data[:20]!r}"
    assert "connection closed" in broker.log_text()
    with broker.connect() as c:
        assert c.call(9999).code == 3


@test("bad-client.half-frames-harm-nobody")
def halves(context):
    broker = context.broker()
    broker.start()
    broker.create_topic("Half")
    frame = remoting.encode_json(310, send_ext("Half", 0), b"half")
    hanging = []
    for cut in (1, 3, 4, 7, 8, 50, len(frame) - 1):
        s = socket.create_connection(("127.0.0.1", broker.port), 10)
        s.sendall(frame[:cut])
        hanging.append((s, cut))
    load = Load(broker, "Half")
    load.run(500)
    load.drain()
    check_acked(broker, "Half", load.acked)
    # The other half arrives: the request counts.
    s, cut = hanging.pop()
    s.sendall(frame[cut:])
    s.settimeout(10)
    assert len(s.recv(4096)) > 8
    for s, _ in hanging:
        s.close()


@test("bad-client.reads-nothing")
def reads_nothing(context):
    broker = context.broker()
    broker.start()
    broker.create_topic("Deaf", 1)
    load = Load(broker, "Deaf", queues=1, size=4000)
    load.run(500)
    load.drain()
    deaf = socket.create_connection(("127.0.0.1", broker.port), 10)
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    request = remoting.encode_json(11, {"consumerGroup": "deaf", "topic": "Deaf", "queueId": "0", "queueOffset": "0",
                                        "maxMsgNums": "32", "sysFlag": "4", "commitOffset": "0",
                                        "suspendTimeoutMillis": "0", "subscription": "*", "subVersion": "0",
                                        "expressionType": "TAG"})
    deaf.setblocking(False)
    sent = 0
    try:
        for _ in range(20000):
            sent += deaf.send(request)
    except (BlockingIOError, ConnectionError):
        pass  # the broker no longer reads from us, as it should
    other = Load(broker, "Deaf", queues=1, tag="o")
    other.run(300)
    other.drain()
    assert len(other.acked) >= 300
    with open(f"/proc/{broker.pid()}/status", encoding="ascii") as f:
        rss_kb = next(int(l.split()[1]) for l in f if l.startswith("VmRSS"))
    assert rss_kb < 400 * 1024, f"{rss_kb} kB after a client that reads nothing"
    deaf.close()

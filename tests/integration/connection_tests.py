# SPDX-License-Identifier: Apache-2.0
"""Many connections: idle ones cost little, busy ones all get served."""
import resource
import socket

from acknowledged import Acknowledged
from harness.broker import Load, check_acked, send_ext
from harness.runner import Skip, test
from wire import remoting

IDLE = 10000
BUSY = 500


def rss_kb(broker):
    with open(f"/proc/{broker.pid()}/status", encoding="ascii") as f:
        return next(int(l.split()[1]) for l in f if l.startswith("VmRSS"))


@test("connections.10000-idle-500-busy")
def many(context):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < IDLE + BUSY + 200:
        raise Skip(f"the limit of open files is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    broker = context.broker("maxTransferCountOnMessageInMemory=32")
    broker.start()
    broker.create_topic("Many")
    before = rss_kb(broker)
    idle = [socket.create_connection(("127.0.0.1", broker.port), 20) for _ in range(IDLE)]
    busy = [remoting.Connection(broker.address) for _ in range(BUSY)]
    acked = Acknowledged()
    for turn in range(4):
        waiting = {}
        for i, c in enumerate(busy):
            body = f"busy-{turn}-{i}".encode()
            waiting[c] = (c.request(310, send_ext("Many", i % 4), body), body)
        for c, (opaque, body) in waiting.items():
            answer = c.answer_to(opaque, 60)
            assert answer.code == 0, answer
            acked[(int(answer.ext["queueId"]), int(answer.ext["queueOffset"]))] = body
    assert len(acked) == 4 * BUSY
    grown = rss_kb(broker) - before
    assert grown < 120 * 1024, f"{IDLE} idle and {BUSY} busy connections cost {grown} kB"
    assert broker.metric("gantry_connections") >= IDLE + BUSY
    # An idle one is still served.
    idle[-1].sendall(remoting.encode_json(9999, {}, opaque=5))
    assert idle[-1].recv(4) != b"", "an idle connection got no answer"
    check_acked(broker, "Many", acked)
    for s in idle:
        s.close()
    for c in busy:
        c.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

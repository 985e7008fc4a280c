# SPDX-License-Identifier: Apache-2.0
"""A full disk answers senders clearly, loses nothing, and the broker goes on when space returns."""
import time

from harness.broker import Load, check_acked, send_ext
from harness.disk import SmallDisk
from harness.runner import test


@test("disk-full.senders-are-told-and-nothing-is-lost")
def full(context):
    disk = SmallDisk(context.work, 64)
    try:
        broker = context.broker("flushDiskType=SYNC_FLUSH", "cleanFileForciblyEnable=false",
                                store=str(disk.path / "store"))
        broker.start()
        broker.create_topic("Full")
        load = Load(broker, "Full", size=4000)
        deadline = time.monotonic() + 120
        while not load.refused and time.monotonic() < deadline:
            load.run(200)
        load.drain()
        assert set(load.refused) == {14}, f"refused with {load.refused}"
        # State still changes (the reserve), reads go on.
        check_acked(broker, "Full", load.acked)
        broker.kill()
        broker.start()
        check_acked(broker, "Full", load.acked)
        # Space returns: old files may go because nothing keeps them for long.
        with broker.connect() as c:
            ballast_gone = c.call(25, body=b"fileReservedTime=0\n")
            assert ballast_gone.code == 0, ballast_gone
            deadline = time.monotonic() + 120
            code = -1
            while code != 0 and time.monotonic() < deadline:
                assert c.call(329).code == 0
                answer = c.call(310, send_ext("Full", 0), b"again", timeout=30)
                code = answer.code
            assert code == 0, f"still refused with {code} after space returned"
        broker.kill()
    finally:
        disk.close()

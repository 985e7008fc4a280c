# SPDX-License-Identifier: Apache-2.0
"""Names whose server does not answer: a resolver waits for minutes, nothing else may."""
import contextlib
import shutil
import socket
import time

from harness.namesrv import NameServer
from harness.runner import Skip, test

SILENT = "127.0.9.53"  # where queries are taken and never answered


@contextlib.contextmanager
def silent_name_server(work):
    """Yields the command prefix of programs that ask it."""
    if shutil.which("unshare") is None:
        raise Skip("unshare is not installed")
    config = work / "resolv.conf"
    config.write_text(f"nameserver {SILENT}\noptions timeout:30 attempts:5\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        try:
            server.bind((SILENT, 53))
        except PermissionError:
            raise Skip("may not listen on port 53") from None
        yield ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"', str(config)], server


@test("names.one-that-hangs-holds-up-no-other-and-no-end")
def hanging(context):
    namesrv = NameServer(context)
    with silent_name_server(context.work) as (inside, server):
        broker = context.broker(f"namesrvAddr=nobody.answers.test:9876;localhost:{namesrv.port}", inside=inside)
        broker.start()
        server.settimeout(30)
        assert b"nobody" in server.recv(512), "the name is asked for"
        end = time.monotonic() + 20  # a sixth of what the resolver waits
        while namesrv.master("TBW102") != broker.address:
            assert time.monotonic() < end, "not registered at the NameServer whose name has an address"
            time.sleep(0.05)
        status, text, _ = broker.request("GET", "/readyz?verbose")
        assert status == 200, (status, text)
        broker.stop(seconds=20)

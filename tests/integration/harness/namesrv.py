# SPDX-License-Identifier: Apache-2.0
"""One gantry-namesrv process on loopback."""
import subprocess

from harness.broker import BINARIES, await_ready, free_port


class NameServer:
    def __init__(self, context):
        self.port, self.http_port = free_port(), free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.log = context.work / f"namesrv-{self.port}.log"
        values = [f"listenPort={self.port}", f"httpPort={self.http_port}", "bindAddress=127.0.0.1", "httpAddress=127.0.0.1",
                  f"kvConfigPath={context.work}/kvConfig-{self.port}.json"]
        command = [str(BINARIES / "gantry-namesrv")] + [w for v in values for w in ("--set", v)]
        context.processes.append(self)
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=out)
        await_ready(self.process, self.log)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

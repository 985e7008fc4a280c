# SPDX-License-Identifier: Apache-2.0
"""One gantry-namesrv process on loopback."""
import subprocess
import threading

from harness.broker import BINARIES, await_ready, free_port
from wire import remoting


class NameServer:
    def __init__(self, context, host="127.0.0.1"):
        self.port, self.http_port = free_port(), free_port()
        self.address = f"{host}:{self.port}"
        self.log = context.work / f"namesrv-{self.port}.log"
        values = [f"listenPort={self.port}", f"httpPort={self.http_port}", f"bindAddress={host}", f"httpAddress={host}",
                  f"kvConfigPath={context.work}/kvConfig-{self.port}.json"]
        self.command = [str(BINARIES / "gantry-namesrv")] + [w for v in values for w in ("--set", v)]
        context.processes.append(self)
        self.start()

    def start(self):
        self.connections = threading.local()
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=out)
        await_ready(self.process, self.log)

    def master(self, topic):
        """The address of brokerId 0 in the topic's route, or None."""
        return self.members(topic).get("0")

    def members(self, topic):
        """brokerId -> address in the topic's route, of the only broker set there is. Each thread keeps a connection: who
        asks a thousand times a second would use up the ports of the machine otherwise."""
        mine = self.connections
        try:
            if getattr(mine, "connection", None) is None:
                mine.connection = remoting.Connection(self.address, 5)
            answer = mine.connection.call(105, {"topic": topic})
        except (OSError, EOFError):
            mine.connection = None
            raise
        brokers = remoting.lenient_json(answer.body)["brokerDatas"] if answer.code == 0 else []
        return brokers[0]["brokerAddrs"] if brokers else {}

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

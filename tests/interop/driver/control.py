# SPDX-License-Identifier: Apache-2.0
"""Lets a running test ask the driver to stop, start or restart the broker: one line in, one out."""

import signal
import socketserver
import threading

from driver.target import TargetError

SIGNALS = {"term": signal.SIGTERM, "kill": signal.SIGKILL}


class Control:
    """A line server on 127.0.0.1. Commands: restart term|kill, stop term|kill, start,
    kill-leader."""

    def __init__(self, target):
        self.target = target
        self.lock = threading.Lock()
        control = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                for line in self.rfile:
                    self.wfile.write((control.answer(line.decode().split()) + "\n").encode())

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = "127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, words):
        try:
            with self.lock:
                if words[:1] == ["restart"] and words[1] in SIGNALS:
                    self.target.restart(SIGNALS[words[1]])
                elif words[:1] == ["stop"] and words[1] in SIGNALS:
                    self.target.stop_broker(SIGNALS[words[1]])
                elif words == ["start"]:
                    self.target.start_broker()
                elif words == ["kill-leader"]:
                    self.target.kill_leader()
                else:
                    return f"error unknown command {words}"
            return "ok"
        except (TargetError, IndexError, OSError) as error:
            return "error " + str(error).splitlines()[0]

    def close(self):
        self.server.shutdown()
        self.server.server_close()

# SPDX-License-Identifier: Apache-2.0
"""A network of its own for a test: each member in a network namespace, links that can be cut one way or both.

The test itself moves into a fresh namespace; threads it starts later belong to it too. Everything vanishes with the
test: namespaces live as long as the processes in them.
"""
import ctypes
import os
import shutil
import subprocess

from harness.runner import Skip

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def _run(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")


class Network:
    """10.91.0.1 is the test (clients, NameServers); members are 10.91.0.11 and up, all on one bridge."""

    HOST = "10.91.0.1"

    def __init__(self, context):
        for tool in ("ip", "nft", "nsenter", "unshare"):
            if shutil.which(tool) is None:
                raise Skip(f"{tool} is not installed")
        self.home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        if _libc.unshare(CLONE_NEWNET) != 0:
            os.close(self.home)
            raise Skip(f"cannot make a network namespace: {os.strerror(ctypes.get_errno())}")
        self.holders = []
        context.processes.append(self)
        _run("ip", "link", "set", "lo", "up")
        _run("ip", "link", "add", "bridge", "type", "bridge")
        _run("ip", "addr", "add", f"{self.HOST}/24", "dev", "bridge")
        _run("ip", "link", "set", "bridge", "up")

    def add(self):
        """A namespace with an address. Returns (address, command prefix that runs a program there)."""
        number = len(self.holders)
        address = f"10.91.0.{11 + number}"
        holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep infinity"],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.holders.append(holder)
        holder.stdout.readline()
        inside = ["nsenter", f"--net=/proc/{holder.pid}/ns/net"]
        link = f"m{number}"
        _run("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", str(holder.pid))
        _run("ip", "link", "set", link, "master", "bridge", "up")
        _run(*inside, "ip", "link", "set", "lo", "up")
        _run(*inside, "ip", "addr", "add", f"{address}/24", "dev", "eth0")
        _run(*inside, "ip", "link", "set", "eth0", "up")
        _run(*inside, "nft", "add table inet faults; add chain inet faults in { type filter hook input priority 0; }")
        return address, inside

    def cut(self, source, target):
        """What `source` sends no longer reaches `target`; the other way stays open."""
        _run(*target.inside, "nft", f"add rule inet faults in ip saddr {source.host} drop")

    def cut_from_clients(self, member):
        """Clients and NameServers no longer reach the member."""
        _run(*member.inside, "nft", f"add rule inet faults in ip saddr {self.HOST} drop")

    def heal(self, members):
        for member in members:
            _run(*member.inside, "nft", "flush chain inet faults in")

    def kill(self):
        """Called when the test ends, after its brokers."""
        for holder in self.holders:
            holder.kill()
            holder.wait()
        self.holders = []
        if self.home is not None:
            with open(self.home, closefd=True) as home:
                _libc.setns(home.fileno(), CLONE_NEWNET)
            self.home = None


# SPDX-License-Identifier: Apache-2.0
"""Three brokers of one set and their NameServer, of Gantry or of Apache RocketMQ, on loopback."""
import os
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

from wire import remoting

BINARIES = Path(os.environ.get("GANTRY_BIN_DIR", Path(__file__).resolve().parents[3] / "build/release/bin"))
NAMESRV = "127.0.0.1:19870"
MEMBERS = 3
START_SECONDS = 180


def client_port(number):
    return 21011 + 20 * number


class BrokerSet:
    """Members are numbered from 0. Subclasses say how a NameServer and a member are started."""

    name = ""

    def __init__(self, work, tools, flush, environment=None):
        self.work, self.tools, self.flush, self.environment = work, tools, flush, environment
        self.processes = {}

    def namesrv_command(self):
        raise NotImplementedError

    def member_command(self, number):
        raise NotImplementedError

    def __enter__(self):
        try:
            self._spawn("namesrv", self.namesrv_command())
            for number in range(MEMBERS):
                self.start(number)
            self.until("a leader and two followers in the route", lambda: len(self.route("TBW102")) == MEMBERS
                       and "0" in self.route("TBW102"))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in self.processes.values():
            process.kill()
            process.wait()

    def _spawn(self, who, command):
        with open(self.work / f"{who}.out", "ab") as out:
            self.processes[who] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                                   cwd=self.work, env=self.environment)

    def start(self, number):
        self._spawn(number, self.member_command(number))

    def until(self, what, condition, seconds=START_SECONDS):
        end = time.monotonic() + seconds
        while True:
            try:
                value = condition()
                if value:
                    return value
            except (OSError, EOFError):
                pass
            for who, process in self.processes.items():
                if process.poll() is not None and process.returncode != -signal.SIGKILL:
                    text = (self.work / f"{who}.out").read_text(errors="replace")[-1500:]
                    raise SystemExit(f"{self.name} {who} ended with {process.returncode}:\n{text}")
            if time.monotonic() > end:
                raise SystemExit(f"{self.name}: waited {seconds} s for {what}; logs are in {self.work}")
            time.sleep(0.05)

    def route(self, topic):
        """brokerId as text -> address."""
        with remoting.Connection(NAMESRV, 5) as c:
            answer = c.call(105, {"topic": topic})
        if answer.code != 0:
            return {}
        brokers = remoting.lenient_json(answer.body)["brokerDatas"]
        return brokers[0]["brokerAddrs"] if brokers else {}

    def leader(self):
        return self.until("a leader in the route", lambda: self.route("TBW102").get("0"))

    def create_topic(self, topic, queues):
        ext = {"topic": topic, "defaultTopic": "TBW102", "readQueueNums": str(queues), "writeQueueNums": str(queues),
               "perm": "6", "topicFilterType": "SINGLE_TAG", "topicSysFlag": "0", "order": "false"}

        def created():
            with remoting.Connection(self.leader(), 10) as c:
                return c.call(17, ext).code == 0
        self.until("the topic to be created", created)
        self.until("the topic's route", lambda: self.route(topic).get("0"))

    def kill(self, address):
        """kill -9 of the member that serves there. Returns its number."""
        number = next(n for n in range(MEMBERS) if address.endswith(f":{client_port(n)}"))
        self.processes[number].kill()
        self.processes[number].wait()
        return number


class GantrySet(BrokerSet):
    name = "gantry"

    def _settings(self, *pairs):
        return [word for pair in pairs for word in ("--set", pair)]

    def namesrv_command(self):
        return [BINARIES / "gantry-namesrv", *self._settings(
            f"listenPort={NAMESRV.rsplit(':', 1)[1]}", "httpPort=0", f"kvConfigPath={self.work}/kv.json")]

    def transfer(self, address):
        """Asks the leader, which serves there, to hand over."""
        number = next(n for n in range(MEMBERS) if address.endswith(f":{client_port(n)}"))
        request = urllib.request.Request(f"http://127.0.0.1:{client_port(number) + 2}/v1/raft/transfer", method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer.read()

    def member_command(self, number):
        listed = ";".join(f"127.0.0.1:{client_port(n) + 1}" for n in range(MEMBERS))
        return [BINARIES / "gantry-broker", *self._settings(
            "brokerName=broker-a", "brokerIP1=127.0.0.1", f"namesrvAddr={NAMESRV}", f"httpPort={client_port(number) + 2}",
            f"listenPort={client_port(number)}", f"raftListenPort={client_port(number) + 1}",
            f"raftInitialMembers={listed}", f"storePathRootDir={self.work}/store-{number}",
            f"flushDiskType={self.flush}")]


class DLedgerSet(BrokerSet):
    """Apache RocketMQ, its CommitLog replicated by DLedger. It acknowledges from memory whatever flushDiskType says."""

    name = "dledger"
    OPENS = ["--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED", "--add-exports=java.base/sun.nio.ch=ALL-UNNAMED",
             "--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED", "--add-opens=java.base/java.nio=ALL-UNNAMED",
             "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED", "--add-opens=java.base/java.lang=ALL-UNNAMED"]

    def __init__(self, work, tools, flush, environment=None):
        super().__init__(work, tools, flush, environment)
        self.class_path = subprocess.run([tools / "peer", "classpath"], check=True, capture_output=True,
                                         text=True).stdout.strip()

    def _java(self, heap, home, main, config, lines):
        home.mkdir(exist_ok=True)
        config = home / config
        config.write_text("".join(f"{line}\n" for line in lines))
        return ["java", *self.OPENS, f"-Xms{heap}", f"-Xmx{heap}", "-XX:+UseG1GC", "-XX:MaxDirectMemorySize=2g",
                f"-Duser.home={home}", f"-Drocketmq.home.dir={home}", "-cp", self.class_path, main, "-c", config]

    def namesrv_command(self):
        return self._java("256m", self.work / "names", "org.apache.rocketmq.namesrv.NamesrvStartup", "namesrv.conf",
                          [f"listenPort={NAMESRV.rsplit(':', 1)[1]}"])

    def member_command(self, number):
        peers = ";".join(f"n{n}-127.0.0.1:{client_port(n) + 5}" for n in range(MEMBERS))
        store = self.work / f"store-{number}"
        return self._java("1g", self.work / f"home-{number}", "org.apache.rocketmq.broker.BrokerStartup",
                          "broker.conf", [
                              "brokerClusterName=DefaultCluster", "brokerName=broker-a", "brokerIP1=127.0.0.1",
                              f"listenPort={client_port(number)}", f"haListenPort={client_port(number) + 1}",
                              f"namesrvAddr={NAMESRV}", f"storePathRootDir={store}",
                              f"storePathCommitLog={store}/commitlog", "enableDLegerCommitLog=true",
                              "dLegerGroup=broker-a", f"dLegerPeers={peers}", f"dLegerSelfId=n{number}",
                              "sendMessageThreadPoolNums=16", f"flushDiskType={self.flush}",
                              "waitTimeMillsInSendQueue=10000", "osPageCacheBusyTimeOutMills=10000"])

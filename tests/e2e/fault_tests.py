# SPDX-License-Identifier: Apache-2.0
"""What happens to pods while clients send and consume without a pause. After each fault every member is asked for every
message that was ever acknowledged. The gaps that clients saw are printed and decide nothing."""
import collections
import contextlib
import subprocess
import time

from harness import cluster, load, release
from harness.load import until
from harness.shell import environment, kubectl, say
from suite import expect, test

TOPIC = "faults"


class Scene:
    """A recorder and the stock Java client, from the first fault to the end of all tests."""

    def __init__(self):
        self.clients = []

    def start(self):
        if not self.clients:
            self.clients.append(load.Client("recorder", load.RECORDER, TOPIC, str(load.QUEUES), consumes=False))
            self.clients[0].wait_for_more(1)
            self.clients.append(load.Client("Java client", load.JAVA, TOPIC, load.PAUSE_MS))
            self.more(100)

    def more(self, count):
        for client in self.clients:
            client.wait_for_more(count)

    @contextlib.contextmanager
    def fault(self, name):
        """Around what is broken and repaired: clients go on, all is well again, nothing acknowledged is gone."""
        self.start()
        began = time.monotonic()
        known = [len(client.refusals) for client in self.clients]
        yield
        self.more(50)
        wait_until_well()
        self.more(20)
        say(f"{name}: gaps: {'; '.join(f'{client.name}: {client.gap_text(began)}' for client in self.clients)}")
        for client, before in zip(self.clients, known):
            for reason, count in collections.Counter(client.refusals[before:]).most_common(3):
                say(f"    {client.name}: {count} times {reason[:200]}")
        load.check(TOPIC, self.clients)

    def end(self):
        clients, self.clients = self.clients, []
        for client in clients:
            client.end()


scene = Scene()


def namespaced(*arguments, **options):
    return kubectl("--namespace", release.NAMESPACE, *arguments, **options)


def wait_until_well():
    """All pods are ready, all members are registered, the label is the leader's alone."""
    until("all pods to be ready", lambda: release.ready("broker", release.BROKERS) and release.ready("namesrv", release.NAME_SERVERS),
          detail=lambda: namespaced("get", "pods", "-o", "wide"))
    until("the label to be the leader's alone", lambda: (leader := release.leader()) and release.labelled() == [leader],
          detail=lambda: f"labelled {release.labelled()}, leader {release.leader()}")
    for member in release.members():
        until(f"{member} to be registered at every NameServer",
              lambda: all(s["registered"] for s in release.node(member)["nameServers"]), detail=lambda: release.node(member))


def leader():
    return until("a leader", release.leader)


def follower():
    leading = leader()
    return next(member for member in release.members() if member != leading)


def pod(name):
    return release.get("pod", name)


@test("faults.leader-deleted")
def leader_deleted():
    with scene.fault("leader deleted"):
        namespaced("delete", "pod", leader())


@test("faults.leader-deleted-by-force")
def leader_forced():
    """No preStop hook is waited for, and the next pod of that name may start before the last one has ended."""
    with scene.fault("leader deleted by force"):
        namespaced("delete", "pod", leader(), "--grace-period=0", "--force")


@test("faults.follower-deleted")
def follower_deleted():
    with scene.fault("follower deleted"):
        namespaced("delete", "pod", follower())


@test("faults.all-members-deleted")
def all_deleted():
    with scene.fault("all members deleted"):
        namespaced("delete", "pod", *release.members())


@test("faults.node-drained")
def drained():
    """Members that the majority needs stay, whatever the node's other members do."""
    victim = leader()
    node = pod(victim)["spec"]["nodeName"]
    others = [m for m in release.members() if m != victim and pod(m)["spec"]["nodeName"] == node]
    with scene.fault("node drained"):
        command = ["kubectl", "drain", node, "--pod-selector", release.selector("broker"), "--ignore-daemonsets",
                   "--delete-emptydir-data", "--timeout=300s"]
        drain = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment())
        try:
            said = []
            for line in drain.stdout:
                said.append(line)
                if "disruption budget" in line:
                    break
            expect(not others or "disruption budget" in said[-1], f"all members of the node were evicted:\n{''.join(said)}")
            scene.more(200)
            away = [m for m in release.members() if not present(m)]
            expect(len(away) <= 1, f"{away} are away at once, the budget is one")
            say(f"    evicted: {', '.join(away)}; refused for now: {said[-1].strip()[:120]}")
        finally:
            drain.terminate()
            drain.communicate()
            kubectl("uncordon", node)


def present(member):
    """Running, and not on its way out."""
    done = namespaced("get", "pod", member, "-o", "jsonpath={.status.phase}{.metadata.deletionTimestamp}", check=False)
    return done.returncode == 0 and done.stdout == "Running"


@test("faults.upgrade-to-another-image")
def upgraded():
    with scene.fault("helm upgrade to another image"):
        tag = cluster.next_tag(release.tag())
        release.helm("upgrade", release.NAME, release.CHART, *release.settings, "--set", f"image.tag={tag}")
        release.wait_for_rollout()
    images = {c["image"] for component in ("broker", "namesrv") for p in release.pods(component) for c in p["spec"]["containers"]}
    expect(all(image.endswith(f":{tag}") for image in images), f"images after the upgrade: {images}")


@test("faults.name-servers-deleted")
def name_servers():
    with scene.fault("all NameServers deleted"):
        namespaced("delete", "pod", "-l", release.selector("namesrv"))


def restarts(member, container):
    return next(c["restartCount"] for c in pod(member)["status"]["containerStatuses"] if c["name"] == container)


@test("faults.sidecar-ended")
def sidecar_ended():
    """Its pod is not ready for a moment, which must not matter to whoever sends to the leader."""
    leading = leader()
    before = restarts(leading, "sidecar")
    with scene.fault("the leader's sidecar ended"):
        namespaced("exec", leading, "-c", "sidecar", "--", "bash", "-c", "kill 1")
        until("the sidecar to be started again", lambda: restarts(leading, "sidecar") > before)
    expect(leader() == leading, "leadership moved")
    expect(restarts(leading, "broker") == 0, "the broker was restarted, too")


@test("faults.leader-deleted-while-its-sidecar-is-away")
def both():
    with scene.fault("the leader's sidecar ended and the leader deleted"):
        leading = leader()
        namespaced("exec", leading, "-c", "sidecar", "--", "bash", "-c", "kill 1")
        namespaced("delete", "pod", leading)


@test("faults.everything-was-received")
def received():
    scene.start()
    acked = load.check(TOPIC, scene.clients)
    load.wait_until_received(acked, scene.clients)
    say(f"{len(acked)} messages were acknowledged and received")

# SPDX-License-Identifier: Apache-2.0
"""Brokers with their sidecars before an API server made by the test: the leader label, and the drain."""
import os
import signal
import subprocess
import time

from harness.broker import BINARIES, check_acked
from harness.group import Group, Recorder
from harness.kubernetes import ApiServer, Sidecar
from harness.namesrv import NameServer
from harness.runner import test

FOLLOWS_SECONDS = 2.0  # a change of leader until the label, on a busy machine


class Set:
    """Three brokers, each with a sidecar and a pod."""

    def __init__(self, context, *settings):
        self.api = ApiServer(context)
        self.api.start()
        self.group = Group(context)
        self.sidecars = []
        for i, member in enumerate(self.group.members):
            self.api.add_pod(f"b-{i}", f"uid-{i}")
            self.sidecars.append(Sidecar(context, self.api, member, f"b-{i}", *settings))
        self.group.start()
        for sidecar in self.sidecars:
            sidecar.start()

    def sidecar_of(self, member):
        return self.sidecars[self.group.members.index(member)]

    def pod_of(self, member):
        return self.sidecar_of(member).pod

    def await_label(self, what="the label to be on the leader's pod alone"):
        """Returns the leader once its pod, and no other, has the label."""
        def right():
            leader = self.group.leader()
            return leader if self.api.labelled() == [self.pod_of(leader)] else None
        return self.group.until(what, right)

    def transfer(self, target):
        status, answer = self.group.ask_leader("POST", f"/v1/raft/transfer?target={self.group.uuid(target)}")
        assert status == 200, (status, answer)

    def followed_at(self, member, since):
        """Seconds from `since` until only that pod had the label."""
        self.group.until(f"the label on {self.pod_of(member)} alone", lambda: self.api.labelled() == [self.pod_of(member)])
        with self.api.lock:
            return next(at for at, names in self.api.history if at > since and names == [self.pod_of(member)]) - since

    def check_manners(self):
        """Nobody has asked for a pod that is not its own, and nothing else was refused than what a test refuses."""
        with self.api.lock:
            strange = [r for r in self.api.requests if r[0] is not None and (r[0] != r[2] or r[3] not in (200, 201))]
        assert not strange, strange[:5]


@test("sidecar.the-label-follows-the-leader")
def follows(context):
    made = Set(context)
    group, api = made.group, made.api
    leader = made.await_label()
    delays = []
    for _ in range(6):
        target = group.followers(leader)[0]
        began = time.monotonic()
        made.transfer(target)
        delays.append(made.followed_at(target, began))
        leader = target
    print(f"  hand-over until the label is right: typical {1000 * sorted(delays)[len(delays) // 2]:.0f} ms, worst {1000 * max(delays):.0f} ms")
    assert max(delays) < FOLLOWS_SECONDS, delays
    patches = len([r for r in api.requests if r[1] == "PATCH"])
    assert patches == 1 + 2 * len(delays), f"{patches} changes for {len(delays)} hand-overs"

    killed, began = leader, time.monotonic()
    killed.kill()
    group.until("the dead leader's pod to lose the label", lambda: made.pod_of(killed) not in api.labelled())
    print(f"  kill -9 until its pod has lost the label: {1000 * (time.monotonic() - began):.0f} ms")
    assert time.monotonic() - began < FOLLOWS_SECONDS
    leader = made.await_label()
    killed.start()
    group.until("the member to be ready again", lambda: group.readiness(killed)[0] == 200)
    assert made.await_label() is group.leader()

    frozen, began = group.leader(), time.monotonic()
    os.kill(frozen.pid(), signal.SIGSTOP)
    try:
        group.until("the frozen leader's pod to lose the label", lambda: made.pod_of(frozen) not in api.labelled())
        print(f"  freezing the leader until its pod has lost the label: {1000 * (time.monotonic() - began):.0f} ms")
        group.until("another pod to have it", lambda: len(api.labelled()) == 1)
    finally:
        os.kill(frozen.pid(), signal.SIGCONT)
    made.await_label()
    made.check_manners()


@test("sidecar.a-sidecar-that-is-away-is-made-up-for")
def away(context):
    made = Set(context)
    group, api = made.group, made.api
    leader = made.await_label()
    target = group.followers(leader)[0]
    # The next leader's sidecar is away: nobody sets the label for it.
    made.sidecar_of(target).stop()
    made.transfer(target)
    group.until("the label to be gone", lambda: api.labelled() == [])
    assert group.readiness(target)[0] == 200, "the broker does not depend on it"
    made.sidecar_of(target).start()
    assert made.await_label() is target
    # The leader's sidecar is killed: nobody removes the label until the next one is there.
    made.sidecar_of(target).kill()
    made.transfer(leader)
    group.until("two pods to have the label", lambda: api.labelled() == sorted([made.pod_of(leader), made.pod_of(target)]))
    made.sidecar_of(target).start()
    assert made.await_label() is leader
    # A sidecar that is stopped alone ends at once, and the label stays.
    began = time.monotonic()
    made.sidecar_of(leader).stop()
    print(f"  SIGTERM of the leader's sidecar: {1000 * (time.monotonic() - began):.0f} ms")
    assert api.labelled() == [made.pod_of(leader)]
    made.check_manners()


@test("sidecar.an-api-server-that-is-away-changes-nothing-at-the-brokers")
def api_away(context):
    made = Set(context, "podCheckIntervalMillis=500")
    group, api = made.group, made.api
    leader = made.await_label()
    leader.create_topic("T")
    with Recorder(group, "T") as recorder:
        recorder.more(50)
        before = api.labelled()
        api.kill()
        for sidecar in made.sidecars:
            sidecar.rotate_token(f"token-2-of-{sidecar.pod}")
        for target in (group.followers(leader)[0], group.followers(leader)[1]):
            made.transfer(target)
            recorder.more(50)
        for member in group.members:
            assert group.readiness(member)[0] == 200, group.readiness(member)
        assert api.labelled() == before, "nobody could change it"
        began = time.monotonic()
        api.start()
        assert made.await_label() is group.leader() is target
        print(f"  the API server's return until the label is right: {1000 * (time.monotonic() - began):.0f} ms")
        recorder.more(50)
        # A token may be replaced at any time.
        for sidecar in made.sidecars:
            sidecar.rotate_token(f"token-3-of-{sidecar.pod}")
        made.transfer(leader)
        assert made.await_label() is leader
    assert not recorder.refusals, recorder.refusals[:5]
    group.converge()
    for member in group.members:
        check_acked(member, "T", recorder.acked)
    made.check_manners()


@test("sidecar.the-end-of-a-pod")
def pod_end(context):
    """As the kubelet ends a pod: a hook drains the broker while the sidecar has SIGTERM already; then the broker gets it."""
    made = Set(context)
    group, api = made.group, made.api
    leader = made.await_label()
    sidecar = made.sidecar_of(leader)
    leader.create_topic("T")
    with Recorder(group, "T") as recorder:
        recorder.more(50)
        api.begin_deletion(sidecar.pod)
        with api.lock:
            looks = len(api.requests)
        sidecar.terminate()
        group.until("the sidecar to look at its pod", lambda: (sidecar.pod, "GET") in [r[:2] for r in api.requests[looks:]])
        assert sidecar.process.poll() is None and api.labelled() == [sidecar.pod], "the broker still leads"
        done = drain(leader, 20)
        assert done.returncode == 0 and "drained" in done.stdout and not done.stderr, (done.stdout, done.stderr)
        assert sidecar.process.wait(10) == 0
        assert sidecar.pod not in api.labelled()
        leader.stop()
        recorder.more(50)
    made.await_label()
    # The recorder stays with the old leader, which forwards, until that closes the connection.
    assert len(recorder.refusals) <= 1, recorder.refusals
    group.converge()
    for member in group.alive():
        check_acked(member, "T", recorder.acked)
    made.check_manners()


@test("sidecar.an-event-says-why-a-broker-is-not-ready")
def event_of_a_broker(context):
    """Broker, NameServer and sidecar are real: what the sidecar goes by is what the broker says."""
    api = ApiServer(context)
    api.start()
    api.add_pod("b-0", "uid-0")
    group = Group.of_one(context, "namesrvAddr=nowhere.invalid:9876")
    broker, = group.members
    broker.start()
    sidecar = Sidecar(context, api, broker, "b-0", "eventDelayMillis=500", "eventIntervalMillis=1000")
    sidecar.start()
    event = group.until("the Event", lambda: api.event("b-0", "NameServerUnresolvable"))
    assert event["type"] == "Warning" and event["involvedObject"]["uid"] == "uid-0", event
    for part in ("nowhere.invalid:9876", "namesrvAddr", "namesrv.addresses"):
        assert part in event["message"], event
    group.until("it to be counted", lambda: api.event("b-0", "NameServerUnresolvable")["count"] > 2)
    # Another sidecar of the same pod goes on with the same Event.
    sidecar.kill()
    before = api.event("b-0", "NameServerUnresolvable")["count"]
    sidecar.start()
    group.until("it to be counted by the next one", lambda: api.event("b-0", "NameServerUnresolvable")["count"] > before)
    name_server = NameServer(context)
    connection = broker.connect()
    answer = connection.call(25, {}, f"namesrvAddr={name_server.address}\n".encode())
    assert answer.code == 0, answer
    ready = group.until("the Event about its end", lambda: api.event("b-0", "BrokerReady"))
    assert ready["type"] == "Normal" and "NameServerUnresolvable" in ready["message"], ready
    assert group.readiness(broker)[0] == 200
    assert len(api.events) == 2, api.events


def drain(broker, timeout, *more):
    command = [str(BINARIES / "gantry-sidecar"), "drain", "--timeout", str(timeout), *more]
    if broker is not None:
        command += ["--broker-http-address", f"http://127.0.0.1:{broker.http_port}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@test("sidecar.drain-never-holds-up-a-pod")
def drains(context):
    group = Group(context)
    group.start()
    leader = group.leader()
    follower = group.followers(leader)[0]
    done = drain(follower, 20)
    assert done.returncode == 0 and "drained" in done.stdout, done
    assert group.readiness(follower)[0] == 503, "it is in maintenance"
    follower.request("DELETE", "/v1/maintenance")
    began = time.monotonic()
    done = drain(leader, 20)
    print(f"  drain of a leader: {1000 * (time.monotonic() - began):.0f} ms")
    assert done.returncode == 0 and "drained" in done.stdout, done
    assert group.leader() is not leader
    # Nobody can take over for the moment: waits, says why, ends.
    leader = group.leader()
    for other in group.followers(leader):
        other.request("PUT", "/v1/maintenance")
        other.kill()
    began = time.monotonic()
    done = drain(leader, 1.5)
    took = time.monotonic() - began
    assert done.returncode == 0 and took < 3, (done, took)
    leader.kill()
    done = drain(leader, 20)
    assert done.returncode == 0 and "nothing to wait for" in done.stderr and "does not answer" in done.stderr, done

    alone = context.broker(store="alone")
    alone.start()
    done = drain(alone, 20)
    assert done.returncode == 0 and "nobody can take over" in done.stderr and "no other voter" in done.stderr, done
    os.kill(alone.pid(), signal.SIGSTOP)
    try:
        began = time.monotonic()
        done = drain(alone, 1)
        took = time.monotonic() - began
    finally:
        os.kill(alone.pid(), signal.SIGCONT)
    assert done.returncode == 0 and 0.5 < took < 3 and "not drained in time" in done.stderr, (done, took)

    for wrong in (["--timeout", "0"], ["--timeout", "x"], ["--broker-http-address", "127.0.0.1:1"], ["--nonsense"]):
        done = subprocess.run([str(BINARIES / "gantry-sidecar"), "drain", *wrong], capture_output=True, text=True, timeout=20)
        assert done.returncode == 2 and done.stderr, (wrong, done)


@test("sidecar.refuses-to-start-without-its-surroundings")
def surroundings(context):
    def start(*settings, **environment):
        words = [w for s in settings for w in ("--set", s)]
        done = subprocess.run([str(BINARIES / "gantry-sidecar"), *words], capture_output=True, text=True, timeout=20,
                              env={k: v for k, v in os.environ.items() if not k.startswith(("POD_", "KUBERNETES_"))} | environment)
        assert done.returncode == 1, done
        return done.stderr

    cluster = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "1"}
    assert "KUBERNETES_SERVICE_HOST" in start(POD_NAME="b-0")
    assert f"{context.work}/token" in start(f"serviceAccountPath={context.work}", POD_NAME="b-0", **cluster)
    (context.work / "token").write_text("t")
    (context.work / "ca.crt").write_text("c")
    assert "POD_NAME" in start(f"serviceAccountPath={context.work}", **cluster)
    assert "POD_NAMESPACE" in start(f"serviceAccountPath={context.work}", POD_NAME="b-0", **cluster)
    assert 'did you mean "leaderLabel"?' in start("leaderLable=x", POD_NAME="b-0", **cluster)

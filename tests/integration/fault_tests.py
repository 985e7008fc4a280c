# SPDX-License-Identifier: Apache-2.0
"""Three members under load, each in a network namespace of its own, and what can happen to them.

Through every fault a producer and a consumer go on by the route of a NameServer. Whatever was acknowledged is there
once at its offset on every member, no term has two leaders, the route never goes back, offsets of groups do not go
back by more than flushConsumerOffsetInterval. The gaps that clients saw are printed and decide nothing.
"""
import random
import shutil
import time
from contextlib import ExitStack

from harness.broker import check_acked
from harness.disk import SmallDisk
from harness.group import Group, Recorder
from harness.java_client import JavaClient
from harness.java_client import class_path as java_classes
from harness.namesrv import NameServer
from harness.network import Network
from harness.runner import test
from harness.witness import Consumer, Leaders

OFFSET_WINDOW = 1.0  # seconds: 200 ms, and time for the batch on a busy machine


class Scene:
    """A broker set with its NameServer, a producer, a consumer and a witness of who leads."""

    def __init__(self, context, *settings, flush="SYNC_FLUSH"):
        self.context = context
        self.network = Network(context)
        self.namesrv = NameServer(context, Network.HOST)
        self.group = Group(context, f"flushDiskType={flush}", f"namesrvAddr={self.namesrv.address}",
                           "flushConsumerOffsetInterval=5000", *settings, network=self.network)
        self.stack = ExitStack()
        self.recorders = []  # further ones, whose messages are checked when nobody sends any more

    def __enter__(self):
        self.group.start()
        self.group.leader().create_topic("T")
        self.group.until("the route of the topic", lambda: self.namesrv.master("T"))
        self.leaders = self.stack.enter_context(Leaders(self.group, self.namesrv, "T"))
        self.producer = self.stack.enter_context(Recorder(self.group, "T", namesrv=self.namesrv, timeout=1.0))
        self.consumer = self.stack.enter_context(Consumer(self.namesrv, "T"))
        self.producer.more(100)
        return self

    def __exit__(self, kind, value, trace):
        if kind is None:
            self.network.heal(self.group.members)
            self.producer.more(50)
        self.stack.__exit__(kind, value, trace)
        if kind is None:
            self.check()

    def check(self):
        self.group.converge()
        for member in self.group.alive():
            for recorder in (self.producer, *self.recorders):
                check_acked(member, "T", recorder.acked)
        logs = [self.group.log_bytes(m) for m in self.group.alive()]
        assert len(set(logs)) == 1, "the logs of the members differ"

    def recover(self, what, began, messages=50):
        """Waits until producer and consumer have gone on after a fault, and prints their gaps."""
        self.producer.more(messages)
        received = len(self.consumer.times)
        self.group.until("the consumer to go on", lambda: len(self.consumer.times) > received)
        kept, due = self.consumer.kept(self.group.leader()), self.consumer.committed_by(began - OFFSET_WINDOW)
        assert kept >= due, f"the group's offset went back to {kept}, {due} was committed long before the fault"
        gaps = self.producer.gap_ms(began), self.consumer.gap_ms(began)
        print(f"  {what}: gap of the producer {gaps[0]:.0f} ms, of the consumer {gaps[1]:.0f} ms", flush=True)
        return gaps[0]

    def caught_up(self, member):
        """Waits until the member follows again and is ready."""
        self.group.until(f"{member.address} to be ready", lambda: self.group.readiness(member)[0] == 200)
        self.group.until(f"{member.address} to have caught up",
                         lambda: member.request("GET", "/v1/probes/post_restart")[1].get("caughtUp"))

    def term(self):
        return self.group.leader().request("GET", "/v1/raft")[1]["term"]


def java_gaps(scene, classes, faults):
    """Runs the official client through faults (name, begin, end) and prints the gaps that it saw."""
    client = JavaClient(scene.context, scene.group, classes, scene.namesrv, "T")
    scene.recorders.append(client)
    with client:
        for name, begin, end in faults:
            began = time.monotonic()
            begin()
            client.wait_for_more(20)
            print(f"  Java client, {name}: gaps: {client.lines.gap_text(began)}", flush=True)
            end()
    client.lines.acked.assert_no_place_twice()
    missing = set(client.lines.acked.values()) - client.lines.got
    assert not missing, f"{len(missing)} acknowledged messages never came, such as {sorted(missing)[:3]}"


@test("faults.java-client")
def java_client(context):
    classes = java_classes()
    with Scene(context) as scene:
        group = scene.group
        victim = []

        def kill():
            victim[:] = [group.leader()]
            victim[0].kill()

        def kill_and_start():
            kill()
            victim[0].start()

        def come_back():
            if victim[0].process.poll() is not None:
                victim[0].start()
            scene.caught_up(victim[0])

        def restart():
            victim[:] = [group.leader()]
            victim[0].stop()
            victim[0].start()

        def kill_follower():
            victim[:] = [group.followers(group.leader())[0]]
            victim[0].kill()

        def kill_all():
            for member in group.members:
                member.kill()
            for member in group.members:
                member.start()

        def pause():
            victim[:] = [group.leader()]
            victim[0].pause()
            group.members.remove(victim[0])

        def resume():
            group.members.append(victim[0])
            victim[0].resume()
            scene.caught_up(victim[0])

        def cut_off():
            victim[:] = [group.leader()]
            for other in group.followers(victim[0]):
                scene.network.cut(victim[0], other)
                scene.network.cut(other, victim[0])
            scene.network.cut_from_clients(victim[0])
            group.members.remove(victim[0])

        def heal():
            group.members.append(victim[0])
            scene.network.heal(group.members)
            scene.caught_up(victim[0])

        def silence():
            victim[:] = [group.leader()]
            for other in group.followers(victim[0]):
                scene.network.cut(victim[0], other)
            group.until("another leader", lambda: group.leader() is not victim[0])

        def hear():
            scene.network.heal(group.members)
            scene.caught_up(victim[0])

        def move():
            status, answer = group.ask_leader("POST", "/v1/raft/transfer")
            assert status == 200, (status, answer)

        java_gaps(scene, classes, [
            ("planned change of leader", move, lambda: None),
            ("restart of the leader", restart, come_back),
            ("kill -9 of the leader that comes back at once", kill_and_start, come_back),
            ("kill -9 of the leader that stays away", kill, come_back),
            ("kill -9 of a follower", kill_follower, come_back),
            ("kill -9 of all", kill_all, lambda: None),
            ("SIGSTOP of the leader", pause, resume),
            ("leader cut off", cut_off, heal),
            ("leader is not heard", silence, hear),
        ])


@test("faults.members-join-and-leave")
def members_change(context):
    """From three members to five and back, whoever leads among those that leave."""
    classes = java_classes()
    with Scene(context) as scene:
        group = scene.group

        def grow():
            began = time.monotonic()
            for _ in range(2):
                group.add_empty().start()
                group.join(group.members[-1])
            scene.recover("3 to 5 members", began)

        def shrink():
            began = time.monotonic()
            for _ in range(2):
                leader = group.leader()
                group.remove(group.uuid(leader))
                group.members.remove(leader)
                leader.stop()
            scene.recover("5 to 3 members", began)

        java_gaps(scene, classes, [("3 to 5 members", grow, lambda: None), ("5 to 3 members", shrink, lambda: None)])


def killed(context, flush):
    with Scene(context, flush=flush) as scene:
        gaps = []
        for _ in range(20):
            leader, began = scene.group.leader(), time.monotonic()
            leader.kill()
            scene.producer.more(20)
            gaps.append(scene.producer.gap_ms(began))
            leader.start()
            scene.caught_up(leader)
        scene.recover(f"kill -9 of the leader, {flush}, the last of 20", began)
    print(f"  kill -9 of the leader, {flush}: typical {sorted(gaps)[len(gaps) // 2]:.0f} ms, worst of {len(gaps)} {max(gaps):.0f} ms")


@test("faults.leader-killed-sync-flush")
def leader_killed_sync(context):
    killed(context, "SYNC_FLUSH")


@test("faults.leader-killed-async-flush")
def leader_killed_async(context):
    killed(context, "ASYNC_FLUSH")


@test("faults.follower-killed")
def follower_killed(context):
    with Scene(context) as scene:
        for follower in scene.group.followers(scene.group.leader()):
            term, began = scene.term(), time.monotonic()
            follower.kill()
            scene.recover("kill -9 of a follower", began)
            follower.start()
            scene.caught_up(follower)
            assert scene.term() == term, "a follower that goes and comes moves no leadership"


@test("faults.all-killed")
def all_killed(context):
    with Scene(context) as scene:
        for _ in range(3):
            began = time.monotonic()
            for member in scene.group.members:
                member.kill()
            for member in scene.group.members:
                member.start()
            scene.recover("kill -9 of all", began)


@test("faults.leader-paused")
def leader_paused(context):
    with Scene(context) as scene:
        leader, began = scene.group.leader(), time.monotonic()
        leader.pause()
        scene.group.members.remove(leader)
        scene.recover("SIGSTOP of the leader", began)
        scene.group.members.append(leader)
        leader.resume()
        scene.caught_up(leader)
        assert scene.group.leader() is not leader


@test("faults.follower-paused")
def follower_paused(context):
    with Scene(context) as scene:
        leader = scene.group.leader()
        follower, term, began = scene.group.followers(leader)[0], scene.term(), time.monotonic()
        follower.pause()
        scene.group.members.remove(follower)
        scene.recover("SIGSTOP of a follower", began, messages=300)
        scene.group.members.append(follower)
        follower.resume()
        scene.caught_up(follower)
        assert scene.term() == term, "a follower that slept moves no leadership"


@test("faults.leader-cut-off")
def leader_cut_off(context):
    """From the members and from the clients, as when its node loses the network."""
    with Scene(context) as scene:
        leader, began = scene.group.leader(), time.monotonic()
        for other in scene.group.followers(leader):
            scene.network.cut(leader, other)
            scene.network.cut(other, leader)
        scene.network.cut_from_clients(leader)
        scene.group.members.remove(leader)
        scene.recover("leader cut off", began)
        scene.group.members.append(leader)
        scene.network.heal(scene.group.members)
        scene.caught_up(leader)


@test("faults.leader-cut-off-from-the-members")
def leader_without_members(context):
    """Clients and the NameServer still reach it: it must stop taking messages by itself."""
    with Scene(context) as scene:
        leader, began = scene.group.leader(), time.monotonic()
        for other in scene.group.followers(leader):
            scene.network.cut(leader, other)
            scene.network.cut(other, leader)
        scene.group.until("the old leader to step down", lambda: leader.request("GET", "/v1/raft")[1]["role"] != "leader")
        scene.recover("leader cut off from the members", began)
        scene.network.heal(scene.group.members)
        scene.caught_up(leader)


@test("faults.leader-is-not-heard")
def leader_not_heard(context):
    """One way: the members' packets reach the leader, its own are lost."""
    with Scene(context) as scene:
        leader, began = scene.group.leader(), time.monotonic()
        for other in scene.group.followers(leader):
            scene.network.cut(leader, other)
        scene.group.until("another leader", lambda: scene.group.leader() is not leader)
        scene.recover("leader is not heard", began)
        scene.network.heal(scene.group.members)
        scene.caught_up(leader)


@test("faults.leader-hears-nobody")
def leader_deaf(context):
    """One way: the leader's packets reach the members, theirs are lost."""
    with Scene(context) as scene:
        leader, began = scene.group.leader(), time.monotonic()
        for other in scene.group.followers(leader):
            scene.network.cut(other, leader)
        scene.group.until("another leader", lambda: scene.group.leader() is not leader)
        scene.recover("leader hears nobody", began)
        scene.network.heal(scene.group.members)
        scene.caught_up(leader)


@test("faults.follower-hears-nobody")
def follower_deaf(context):
    """A follower that hears no leader and is heard by all must not disturb the others."""
    with Scene(context) as scene:
        leader = scene.group.leader()
        follower, other = scene.group.followers(leader)
        term, began = scene.term(), time.monotonic()
        scene.network.cut(leader, follower)
        scene.network.cut(other, follower)
        scene.group.until("the follower to miss its leader", lambda: not follower.request("GET", "/v1/raft")[1]["leader"])
        scene.recover("follower hears nobody", began, messages=300)
        scene.network.heal(scene.group.members)
        scene.caught_up(follower)
        assert scene.term() == term, "a follower that heard nobody moves no leadership"


@test("faults.members-do-not-reach-each-other")
def all_apart(context):
    """No majority anywhere: nothing is acknowledged; then everything goes on."""
    with Scene(context) as scene:
        began = time.monotonic()
        for one in scene.group.members:
            for other in scene.group.members:
                if one is not other:
                    scene.network.cut(one, other)
        scene.group.until("nobody to lead", lambda: all(
            m.request("GET", "/v1/raft")[1]["role"] != "leader" for m in scene.group.members))
        scene.network.heal(scene.group.members)
        scene.recover("members did not reach each other", began)


@test("faults.disk-wiped")
def wiped(context):
    """A member that comes back empty is a new member: it neither votes nor stands for what it once knew."""
    with Scene(context) as scene:
        leader = scene.group.leader()
        follower = scene.group.followers(leader)[0]
        old, began = scene.group.uuid(follower), time.monotonic()
        follower.kill()
        shutil.rmtree(follower.store)
        follower.start()
        scene.group.until("the empty member to wait", lambda: (
            "join it with a change of its membership" in scene.group.readiness(follower)[1]))
        scene.group.remove(old)
        scene.group.join(follower)
        scene.caught_up(follower)
        scene.recover("disk of a follower wiped", began)


@test("faults.disk-of-the-leader-full")
def leader_disk_full(context):
    disk_full(context, lambda group, leader: leader)


@test("faults.disk-of-a-follower-full")
def follower_disk_full(context):
    disk_full(context, lambda group, leader: group.followers(leader)[0])


def disk_full(context, choose):
    disks = [SmallDisk(context.work, 96, f"disk{i}") for i in range(3)]
    try:
        scene = Scene(context, "cleanFileForciblyEnable=false")
        for member, disk in zip(scene.group.members, disks):
            member.store = disk.path / "store"
        with scene:
            victim = choose(scene.group, scene.group.leader())
            disk = disks[scene.group.members.index(victim)]
            began = time.monotonic()
            disk.fill()
            scene.recover("disk full", began, messages=300)
            disk.free()
            if victim.process.poll() is not None:
                victim.start()
            scene.caught_up(victim)
        for member in scene.group.members:
            member.kill()
    finally:
        for member in context.brokers:
            member.kill()
        for disk in disks:
            disk.close()


@test("faults.rolling-restart")
def rolling_restart(context):
    with Scene(context) as scene:
        for _ in range(2):
            for member in list(scene.group.members):
                began = time.monotonic()
                scene.group.until("a restart to be safe", lambda: scene.group.leader().request("GET", "/v1/probes/pre_restart")[1]["safe"])
                member.stop()
                scene.recover("restart of a member", began)
                member.start()
                scene.caught_up(member)


@test("faults.one-after-the-other")
def random_faults(context):
    """Faults in a random order; the seed is printed and can be given with --seed."""
    seed = context.options.seed if context.options.seed is not None else random.SystemRandom().randrange(1 << 32)
    print(f"  seed {seed}: run again with --only one-after-the-other --seed {seed}", flush=True)
    choice = random.Random(seed)
    with Scene(context, flush=choice.choice(("SYNC_FLUSH", "ASYNC_FLUSH"))) as scene:
        for _ in range(context.options.rounds // 5):
            disturb(scene, choice)


def disturb(scene, choice):
    """One fault of one or two members, some messages in between, then the fault ends."""
    one, other, third = choice.sample(scene.group.members, 3)
    kind = choice.choice(("kill", "kill-two", "pause", "cut", "cut-one-way", "cut-link", "stop"))
    began = time.monotonic()
    if kind == "kill":
        one.kill()
    elif kind == "kill-two":
        one.kill()
        other.kill()
    elif kind == "pause":
        one.pause()
        scene.group.members.remove(one)
    elif kind == "stop":
        one.stop()
    elif kind == "cut-link":
        scene.network.cut(one, other)
        scene.network.cut(other, one)
    else:
        for neighbour in (other, third):
            scene.network.cut(one, neighbour)
            if kind == "cut":
                scene.network.cut(neighbour, one)
    if kind != "kill-two":
        scene.producer.more(choice.randrange(1, 200))
    if kind == "pause":
        one.resume()
        scene.group.members.append(one)
    for member in (one, other):
        if member.process.poll() is not None:
            member.start()
    scene.network.heal(scene.group.members)
    scene.recover(kind, began)
    if choice.random() < 0.7:
        for member in scene.group.members:
            scene.caught_up(member)

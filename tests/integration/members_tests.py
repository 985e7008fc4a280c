# SPDX-License-Identifier: Apache-2.0
"""Changes of a broker set under load: members that join and leave, planned changes of leader, maintenance."""
import json
import re
import shutil
import subprocess
import threading
import time
from pathlib import Path

from acknowledged import Acknowledged
from harness.broker import BINARIES, Load, check_acked, pull
from harness.group import Group, Recorder
from harness.namesrv import NameServer
from harness.runner import test
from harness.witness import Masters


def check_everywhere(group, *acked):
    group.converge()
    everything = Acknowledged(*acked)
    for member in group.alive():
        check_acked(member, "T", everything)


@test("members.one-three-five-three-one")
def grow_and_shrink(context):
    group = Group.of_one(context, "flushDiskType=SYNC_FLUSH")
    group.start()
    group.leader().create_topic("T")
    before = Load(group.leader(), "T", tag="before")
    before.run(300)
    before.drain()
    with Recorder(group, "T") as recorder:
        for size in (2, 3, 4, 5):
            group.add_empty().start()
            group.join(group.members[-1])
            recorder.more(50)
            assert len(group.leader().request("GET", "/v1/members")[1]["members"]) == size
        victim = group.leader()
        victim.kill()
        recorder.more(50)
        group.remove(group.ask_leader("GET", "/v1/members")[1]["members"][0]["uuid"])
        group.members.remove(victim)
        recorder.more(20)
        while len(group.members) > 1:
            # The leader goes too: it hands over first.
            leader = group.leader()
            uuid = group.uuid(leader)
            group.remove(uuid)
            group.members.remove(leader)
            leader.stop()
            recorder.more(20)
    lonely = group.members[0]
    check_everywhere(group, before.acked, recorder.acked)
    lonely.stop()
    lonely.start()
    check_everywhere(group, before.acked, recorder.acked)


@test("members.followers-redirect-to-the-leader")
def redirect(context):
    group = Group(context)
    group.start()
    leader = group.leader()
    follower = group.followers(leader)[0]
    uuid = group.uuid(follower)
    group.until("the follower to know the leader", lambda: follower.request("GET", "/v1/raft")[1]["leader"])
    for method, path in (("DELETE", f"/v1/members/{uuid}"), ("POST", f"/v1/members/{uuid}/promote"),
                         ("POST", f"/v1/raft/transfer?target={uuid}")):
        status, answer, location = follower.request(method, path)
        assert status == 307 and location == f"http://127.0.0.1:{leader.http_port}{path}", (status, answer, location)
    status, members, _ = follower.request("GET", "/v1/members")
    assert status == 200 and members["leader"] == group.uuid(leader) and len(members["members"]) == 3, members


@test("members.refusals-say-why")
def refusals(context):
    group = Group(context)
    group.start()
    leader = group.leader()
    group.until("every member to follow", lambda: all(
        m.get("progress", {}).get("state", "replicate") == "replicate" for m in leader.request("GET", "/v1/members")[1]["members"]))

    def refused(status, text, method, path, body=None):
        def answered():
            got, answer, _ = leader.request(method, path, body)
            return (got, answer) if got != 503 or status == 503 else None
        got, answer = group.until(f"{method} {path}", answered)
        assert got == status and text in answer["error"], (got, answer)

    nobody = "0" * 32
    refused(404, "does not belong", "DELETE", f"/v1/members/{nobody}")
    refused(404, "does not belong", "POST", f"/v1/members/{nobody}/promote")
    refused(503, "not connected", "PUT", "/v1/members", {"uuid": nobody})
    refused(400, "expected a JSON object", "PUT", "/v1/members", ["x"])
    refused(400, "is not known", "PUT", "/v1/members", {"host": "x"})
    refused(400, "address", "PUT", "/v1/members", {"address": "no-port"})
    other_cluster = context.broker("brokerClusterName=Other", store="other")
    other_cluster.start()
    refused(409, "brokerClusterName", "PUT", "/v1/members", {"address": f"127.0.0.1:{other_cluster.raft_port}"})
    own_history = context.broker(store="own-history")
    own_history.start()
    refused(409, "belongs to another broker set", "PUT", "/v1/members", {"address": f"127.0.0.1:{own_history.raft_port}"})
    # With one member away, another one must stay.
    away, here = group.followers(leader)
    here_uuid = group.uuid(here)
    away.kill()
    group.until("the silence to be noticed", lambda: not all(
        m.get("progress", {}).get("answers", True) for m in leader.request("GET", "/v1/members")[1]["members"]))
    refused(409, "only 1 answer, 2 are needed", "DELETE", f"/v1/members/{here_uuid}")
    refused(503, "does not answer", "POST", f"/v1/raft/transfer?target={group_uuid_of(leader, away)}")


@test("members.one-change-at-a-time")
def one_at_a_time(context):
    """While nothing can be committed a change stays under way: a second one is refused, logged once, and possible later."""
    group = Group(context)
    group.start()

    def learner():
        group.add_empty().start()
        status, answer = group.ask_leader("PUT", "/v1/members", {"address": group.members[-1].raft_address})
        assert status == 200, (status, answer)
        return group.uuid(group.members[-1])

    def voters(asked):
        return {m["uuid"] for m in asked.request("GET", "/v1/members")[1]["members"] if m["voter"]}

    def both():
        """Promotes one while the other voters stand still, then asks for the second; None when the leader has stepped down before."""
        one, leader = learner(), group.leader()
        still = [m for m in group.members if m is not leader and group.uuid(m) in voters(leader)]
        first = threading.Thread(target=lambda: leader.request("POST", f"/v1/members/{one}/promote"))
        for member in still:
            member.pause()
        try:
            first.start()
            while first.is_alive() and one not in voters(leader):
                pass
            answers = [leader.request("POST", f"/v1/members/{two}/promote")[:2] for _ in range(2)]
        finally:
            for member in still:
                member.resume()
            first.join()
        return None if any(status in (307, 503) for status, _ in answers) else (leader, one, answers)

    two = learner()
    leader, one, answers = group.until("two changes at once", both)
    for status, answer in answers:
        assert status == 409 and "another change of the membership is not committed yet" in answer["error"], (status, answer)
    assert leader.log_text().count("a change of the membership is refused request=promote") == 1, leader.log_text()
    for uuid in (one, two):
        status, answer = group.ask_leader("POST", f"/v1/members/{uuid}/promote")
        assert status == 200, (status, answer)
    assert {one, two} <= voters(group.leader())
    group.converge()


@test("members.a-copied-disk-is-refused")
def copied_disk(context):
    """Two stores with one uuid: the copy stays outside, both sides say why, and the set goes on."""
    group = Group(context)
    group.start()
    leader = group.leader()
    leader.create_topic("T")
    follower = group.followers(leader)[0]
    group.converge()
    follower.stop()
    copy = context.broker(*follower.settings, store="copy")
    shutil.copytree(follower.store, copy.store)
    follower.start()
    with Recorder(group, "T") as recorder:
        recorder.more(50)
        copy.start()
        for side in (copy, leader):
            group.until("the refusal to be logged", lambda: "one of the two stores is a copy of the other" in side.log_text())
        recorder.more(50)
    assert group.readiness(copy)[0] == 503, group.readiness(copy)
    copy.kill()
    check_everywhere(group, recorder.acked)


def group_uuid_of(asked, member):
    members = asked.request("GET", "/v1/members")[1]["members"]
    return next(m["uuid"] for m in members if m["address"] == f"127.0.0.1:{member.raft_port}")


@test("members.planned-transfer")
def planned_transfer(context):
    namesrv = NameServer(context)
    group = Group(context, f"namesrvAddr={namesrv.address}")
    group.start()
    group.leader().create_topic("T")
    group.until("the route of the topic", lambda: namesrv.master("T"))
    with Recorder(group, "T") as recorder, Masters(namesrv, "T") as masters:
        recorder.more(200)
        gaps = []
        for _ in range(10):
            leader = group.leader()
            target = group.uuid(group.followers(leader)[0])
            began = time.monotonic()
            status, answer = group.ask_leader("POST", f"/v1/raft/transfer?target={target}")
            assert status == 200 and answer["leader"] == target, (status, answer)
            recorder.more(100)
            gaps.append(recorder.gap_ms(began))
        group.until("the route to show the last leader", lambda: namesrv.master("T") == group.leader().address)
    assert len(masters.seen) > 1, masters.seen
    print(f"  gaps of planned transfers: typical {sorted(gaps)[len(gaps) // 2]:.1f} ms, worst {max(gaps):.1f} ms")
    assert not recorder.refusals, recorder.refusals[:5]
    check_everywhere(group, recorder.acked)


@test("members.sigterm-hands-over")
def sigterm(context):
    group = Group(context)
    group.start()
    group.leader().create_topic("T")
    with Recorder(group, "T") as recorder:
        recorder.more(200)
        for _ in range(3):
            leader = group.leader()
            began = time.monotonic()
            leader.stop()
            recorder.more(100)
            print(f"  gap of a SIGTERM to the leader: {recorder.gap_ms(began):.1f} ms")
            assert "leadership handed over to member" in leader.log_text()
            leader.start()
            group.until("the member to be ready again", lambda: group.readiness(leader)[0] == 200)
    check_everywhere(group, recorder.acked)


@test("members.leadership-can-be-waited-for")
def leadership(context):
    """/v1/leadership answers in the moment of a change, at once to who knows an older state, and only two wait."""
    group = Group(context)
    group.start()
    leader = group.leader()
    other = group.followers(leader)[0]
    state = leader.request("GET", "/v1/leadership")[1]
    assert state["leading"] and state["leader"] == group.uuid(leader), state
    assert leader.request("GET", "/v1/leadership?known=older&waitMillis=10000")[1] == state
    began = time.monotonic()
    assert leader.request("GET", f"/v1/leadership?known={state['state']}&waitMillis=300")[1] == state
    assert time.monotonic() - began >= 0.3, "it did not wait"
    assert leader.request("GET", "/v1/leadership?waitMillis=10001")[0] == 400
    assert leader.request("GET", "/v1/leadership?waitMillis=x")[0] == 400
    changed = {}

    def wait_for_change(name):
        answer = leader.request("GET", f"/v1/leadership?known={state['state']}&waitMillis=10000")[1]
        changed[name] = (time.monotonic(), answer)

    waiting = [threading.Thread(target=wait_for_change, args=(i,)) for i in range(3)]
    for thread in waiting:
        thread.start()
    # The third is answered at once; two wait and leave the probes alone.
    group.until("one to be answered", lambda: len(changed) == 1)
    assert [answer for _, answer in changed.values()] == [state] and leader.request("GET", "/livez")[0] == 200
    began = time.monotonic()
    status, answer = group.ask_leader("POST", f"/v1/raft/transfer?target={group.uuid(other)}")
    assert status == 200, (status, answer)
    for thread in waiting:
        thread.join()
    delays = [1000 * (at - began) for at, answer in changed.values() if not answer["leading"]]
    print(f"  waiting readers knew of a transfer after {', '.join(f'{d:.0f} ms' for d in delays)}")
    assert len(delays) == 2 and max(delays) < 2000, delays


@test("members.maintenance-drains-a-leader")
def maintenance(context):
    group = Group(context)
    group.start()
    leader = group.leader()
    leader.create_topic("T")
    with Recorder(group, "T") as recorder:
        recorder.more(50)
        assert leader.request("GET", "/v1/probes/pre_restart")[1] == {"safe": True, "risks": []}
        assert leader.request("PUT", "/v1/maintenance")[0] == 200
        group.until("the drain to finish", lambda: leader.request("GET", "/v1/maintenance")[1]["finished"])
        assert group.leader() is not leader
        status, text = group.readiness(leader)
        assert status == 503 and "in maintenance" in text, (status, text)
        recorder.more(50)
        assert leader.request("DELETE", "/v1/maintenance")[1]["draining"] is False
        group.until("the member to be ready", lambda: group.readiness(leader)[0] == 200)
        probe = group.until("the member to have caught up", lambda: (p := leader.request("GET", "/v1/probes/post_restart")[1])["caughtUp"] and p)
        assert probe["percent"] > 99, probe
    assert not recorder.refusals, recorder.refusals[:5]
    check_everywhere(group, recorder.acked)


@test("members.maintenance-without-a-successor-refuses-messages")
def maintenance_alone(context):
    alone = context.broker()
    alone.start()
    alone.create_topic("T")
    load = Load(alone, "T")
    load.run(50)
    load.drain()
    assert alone.request("GET", "/v1/probes/pre_restart")[1]["risks"] == ["unavailable"]
    state = alone.request("PUT", "/v1/maintenance")[1]
    assert state["finished"] and state["refusesMessages"] and "no other voter" in state["obstacle"], state
    refused = Load(alone, "T", window=1)
    refused.run(1)
    assert set(refused.refused) == {14}, refused.refused
    with alone.connect() as c:
        assert pull(c, "T", 0, 0).code == 0
    alone.request("DELETE", "/v1/maintenance")
    later = Load(alone, "T", tag="later")
    later.run(50)
    later.drain()
    check_acked(alone, "T", Acknowledged(load.acked, later.acked))


@test("members.command-line")
def command_line(context):
    """join, members, status, transfer and remove of `gantry cluster`, as an operator uses them."""
    namesrv = NameServer(context)
    group = Group.of_one(context, f"namesrvAddr={namesrv.address}")
    group.start()

    def gantry(*words, code=0):
        done = subprocess.run([str(BINARIES / "gantry"), "cluster", *words, "--namesrv", namesrv.address, "--timeout", "20000", "--json"],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout) if code == 0 else done.stderr

    group.until("the broker to be registered", lambda: gantry()["brokers"])
    for size in (2, 3):
        group.add_empty().start()
        joined = gantry("join", f"127.0.0.1:{group.members[-1].raft_port}")
        assert joined == {"uuid": group.uuid(group.members[-1]), "number": size, "role": "voter"}, joined
    shown = gantry("members", "--broker", "broker-a")
    assert [m["role"] for m in shown["members"]] == ["leader", "voter", "voter"], shown
    moved = gantry("transfer", "--to", "3")
    assert moved["number"] == 3 and group.leader() is group.members[2], moved
    status = group.until("all members to be of one opinion", lambda: (
        (answer := gantry("status")) and len({(m["raft"]["term"], m["raft"]["leader"], m["raft"]["applied"]) for m in answer["members"]}) == 1 and answer))
    assert sorted(m["raft"]["role"] for m in status["members"]) == ["follower", "follower", "leader"], status
    # The route follows: one master, and members under their numbers.
    group.until("the route to show the new leader", lambda: sorted(
        (b["id"], b["address"]) for b in gantry()["brokers"]) == sorted(
        [(0, group.members[2].address), (1, group.members[0].address), (2, group.members[1].address)]))
    gantry("remove", "1")
    assert [m["number"] for m in gantry("members")["members"]] == [2, 3]
    assert "no member of broker-a is called 9" in gantry("remove", "9", code=3)
    assert "no broker set nobody is registered" in gantry("members", "--broker", "nobody", code=3)


@test("metrics.every-metric-of-our-own-is-documented")
def documented(context):
    page = Path(__file__).resolve().parents[2] / "docs/operations/metrics.md"
    named = {n for n in re.findall(r"^\| `(gantry_\w+)`", page.read_text(), re.M) if not n.startswith(("gantry_namesrv_", "gantry_sidecar_"))}
    group = Group(context)
    group.start()
    group.leader()
    shown = set()
    for member in group.members:
        status, text, _ = member.request("GET", "/metrics")
        assert status == 200
        shown |= set(re.findall(r"^# TYPE (gantry_\w+) ", text, re.M))
    assert shown == named, (shown - named, named - shown)


@test("members.slow-consumers-read-from-a-follower")
def slow_consumers(context):
    group = Group(context, "slaveReadEnable=true", "accessMessageInMemoryMaxRatio=0")
    group.start()
    leader = group.leader()
    leader.create_topic("T")
    load = Load(leader, "T", queues=1)
    load.run(200)
    load.drain()
    group.converge()
    numbers = {m["number"]: m for m in leader.request("GET", "/v1/members")[1]["members"] if not m["leader"]}
    with leader.connect() as c:
        behind = group.until("a follower to be suggested", lambda: (
            (answer := pull(c, "T", 0, 0)).ext["suggestWhichBrokerId"] != "0" and answer))
        assert int(behind.ext["suggestWhichBrokerId"]) in numbers, (behind.ext, numbers)
        end = int(behind.ext["maxOffset"])
        assert pull(c, "T", 0, end).ext["suggestWhichBrokerId"] == "0", "who has caught up reads from the leader"
    group.converge()  # the first pull has created the consumer group
    chosen = numbers[int(behind.ext["suggestWhichBrokerId"])]
    follower = next(m for m in group.members if m.address == chosen["clientAddress"])
    with follower.connect() as c:
        answer = pull(c, "T", 0, 0)
        assert answer.code == 0 and answer.body == behind.body, "a follower serves the same bytes"
        assert int(answer.ext["suggestWhichBrokerId"]) == chosen["number"], answer.ext
        assert pull(c, "T", 0, end).ext["suggestWhichBrokerId"] == "0", "it sends back who has caught up"
    for member in group.followers(leader):
        member.kill()
    group.until("the silence to be noticed", lambda: leader.request("GET", "/v1/raft")[1]["role"] != "leader" or not any(
        p["answers"] for p in leader.request("GET", "/v1/raft")[1]["progress"].values()))
    with leader.connect() as c:
        if leader.request("GET", "/v1/raft")[1]["role"] == "leader":
            assert pull(c, "T", 0, 0).ext["suggestWhichBrokerId"] == "0", "nobody is sent to the dead"


@test("members.initial-members-mean-nothing-to-a-store-with-data")
def store_with_data(context):
    """Who has data stays what it is, a broker set of one; empty stores that name it wait to be joined."""
    for clean in (True, False):
        group = Group.of_one(context)
        old = group.members[0]
        old.store = old.work / f"with-data-{clean}"
        old.start()
        old.create_topic("T")
        load = Load(old, "T")
        load.run(200)
        load.drain()
        if clean:
            old.stop()
        else:
            old.kill()
        others = [group.add_empty() for _ in range(2)]
        listed = ";".join(f"127.0.0.1:{m.raft_port}" for m in group.members)
        for member in group.members:
            member.settings = [s for s in member.settings if not s.startswith("raftInitialMembers")] + [f"raftInitialMembers={listed}"]
        for other in others:
            other.store = other.work / f"empty-{clean}-{other.port}"
            other.start()
        old.start()
        assert group.leader() is old
        check_acked(old, "T", load.acked)
        for other in others:
            group.until("the others to wait", lambda: "join it with a change of its membership" in group.readiness(other)[1])
            group.join(other)
        group.converge()
        for member in group.members:
            check_acked(member, "T", load.acked)
            member.kill()

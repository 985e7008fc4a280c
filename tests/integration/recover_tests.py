# SPDX-License-Identifier: Apache-2.0
"""`gantry cluster recover`: broker sets that have lost voters for good."""
import json
import random
import shutil
import struct
import subprocess
import threading
import zlib

from acknowledged import Acknowledged
from harness.broker import BINARIES, Load, check_acked
from harness.group import Group, Recorder
from harness.namesrv import NameServer
from harness.runner import test


def gantry(*words, code=0):
    """The JSON document, or what it says on stderr when it is expected to fail; both when it shows a plan."""
    done = subprocess.run([str(BINARIES / "gantry"), "cluster", *words, "--timeout", "20000", "--json"],
                          capture_output=True, text=True, timeout=90)
    assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout) if code == 0 else (done.stdout, done.stderr)


def http_of(member):
    return f"{member.host}:{member.http_port}"


def wipe(group, *members):
    """Their processes end at once and their disks are gone."""
    for member in members:
        member.kill()
        shutil.rmtree(member.store)
        group.members.remove(member)


def loaded(context, *settings, members=3, messages=300):
    """A broker set, its leader, and what it has acknowledged; all members have it."""
    group = Group(context, *settings, members=members)
    group.start()
    leader = group.leader()
    leader.create_topic("T")
    load = Load(leader, "T", tag="before")
    load.run(messages)
    load.drain()
    group.converge()
    return group, leader, load.acked


def sends(member, tag, count=100):
    load = Load(member, "T", tag=tag)
    load.run(count)
    load.drain()
    assert not load.refused and len(load.acked) >= count, (load.refused, len(load.acked))
    return load.acked


def refill(group, survivor, size=3):
    """New members with empty stores join until the set has its size."""
    while len(group.members) < size:
        group.members.append(group.context.broker(f"raftInitialMembers={survivor.raft_address}", *group.settings,
                                                  store=f"new{len(group.members)}-{survivor.port}"))
        group.members[-1].start()
        group.join(group.members[-1])


def check_everywhere(group, *acked):
    group.converge()
    for member in group.alive():
        check_acked(member, "T", Acknowledged(*acked))


def raft(member):
    return member.request("GET", "/v1/raft")[1]


@test("recover.two-of-three-disks-are-gone")
def two_gone(context):
    group, leader, before = loaded(context)
    survivor = group.followers(leader)[0]
    lost = [m for m in group.members if m is not survivor]
    names = [(group.uuid(m), m.raft_address) for m in lost]
    wipe(group, *lost)
    text = group.until("readiness to say what to do", lambda: (
        (said := group.readiness(survivor)[1]) and "gantry cluster recover" in said and said))
    for uuid, address in names:
        assert f"({uuid} at {address})" in text, (uuid, address, text)
    assert "1 of its 3 voters answer, 2 are needed" in text, text
    document = survivor.request("GET", "/readyz?format=json")[1]
    check = next(c for c in document["checks"] if c["name"] == "group")
    assert check["reason"] == "NoLeader" and all(uuid in check["message"] for uuid, _ in names), document

    term = raft(survivor)["term"]
    plan, said = gantry("recover", "--http", http_of(survivor), code=2)
    assert "--accept-loss" in said and "nothing has been changed" in said, said
    plan = json.loads(plan)
    assert plan["chosen"] == group.uuid(survivor) and not plan["done"], plan
    assert sorted(plan["givenUp"]) == sorted(uuid for uuid, _ in names), plan
    chosen = next(v for v in plan["voters"] if v["uuid"] == plan["chosen"])
    assert chosen["end"] == raft(survivor)["end"] and [v["answers"] for v in plan["voters"]].count(False) == 2, plan
    now = raft(survivor)
    assert (now["term"], now["recoveries"], now["leader"]) == (term, [], ""), now
    table = subprocess.run([str(BINARIES / "gantry"), "cluster", "recover", "--http", http_of(survivor)],
                           capture_output=True, text=True, timeout=60)
    assert table.returncode == 2 and "goes on alone" in table.stdout and "What is lost" in table.stdout, table

    done = gantry("recover", "--http", http_of(survivor), "--accept-loss")
    assert done["done"] and group.leader() is survivor, done
    now = raft(survivor)
    assert now["term"] > term and len(now["recoveries"]) == 1, now
    warned = [line for line in survivor.log_text().splitlines() if "begins again with this member alone" in line]
    assert len(warned) == 1 and all(uuid in warned[0] for uuid, _ in names), survivor.log_text()
    check_acked(survivor, "T", before)
    after = sends(survivor, "alone")

    # Asked again, by hand: nothing happens.
    body = {"acceptLoss": True, "survivors": [], "givenUp": [uuid for uuid, _ in names]}
    status, answer, _ = survivor.request("POST", "/v1/raft/recover", body)
    assert status == 200 and answer["recoveries"] == now["recoveries"] and answer["term"] == now["term"], (status, answer)
    survivor.kill()
    survivor.start()
    assert group.leader() is survivor and raft(survivor)["recoveries"] == now["recoveries"]

    refill(group, survivor)
    more = sends(group.leader(), "three")
    check_everywhere(group, before, after, more)
    assert all(raft(m)["recoveries"] == now["recoveries"] for m in group.members)
    survivor.kill()  # they are three: the other two can do without it
    last = sends(group.leader(), "two")
    survivor.start()
    check_everywhere(group, before, after, more, last)


@test("recover.lost-members-that-come-back-are-refused")
def come_back(context):
    group, leader, before = loaded(context)
    survivor = group.followers(leader)[0]
    lost = [m for m in group.members if m is not survivor]
    # What only the lost majority has.
    survivor.kill()
    lost_messages = sends(group.leader(), "lost", 50)
    for member in lost:
        member.kill()
        group.members.remove(member)
    survivor.start()
    gantry("recover", "--http", http_of(survivor), "--accept-loss")
    refill(group, survivor)
    with Recorder(group, "T") as recorder:
        recorder.more(30)
        for member in lost:
            member.start()
            group.until("it to know", lambda: "this member was given up" in member.log_text())
            group.until("it to say so", lambda: "was given up when its broker set was recovered" in group.readiness(member)[1])
            document = member.request("GET", "/readyz?format=json")[1]
            assert any(c.get("reason") == "GivenUp" for c in document["checks"]), document
            group.until("the set to say so", lambda: any("which has given it up" in m.log_text() for m in group.members))
            refused = Load(member, "T", window=1, tag="refused")
            refused.run(1)
            assert not refused.acked and set(refused.refused) == {14}, (refused.acked, refused.refused)
        recorder.more(30)
        # Nobody takes one of them in by mistake.
        status, answer = group.ask_leader("PUT", "/v1/members", {"address": lost[0].raft_address})
        assert status == 409 and "given" in answer["error"], (status, answer)
        status, answer, _ = lost[0].request("POST", "/v1/raft/recover", {
            "acceptLoss": True, "survivors": [], "givenUp": [group.uuid(survivor)]})
        assert status in (400, 409), (status, answer)
        recorder.more(30)
    check_everywhere(group, before, recorder.acked)
    assert len(lost_messages) >= 50
    # The two of them are the majority of the old set, and remember that it is over.
    for member in [*group.alive(), *lost]:
        member.kill()
    for member in lost:
        member.start()
    for member in lost:
        assert "was given up" in group.readiness(member)[1], group.readiness(member)
        node = group.node(member)
        assert node["role"] == "follower" and node["brokerId"] == -1, node
    group.start()
    after = sends(group.leader(), "after")
    check_everywhere(group, before, recorder.acked, after)
    assert all(group.node(m)["role"] == "follower" for m in lost)


@test("recover.is-refused-while-a-majority-is-there")
def refused(context):
    namesrv = NameServer(context)
    group, leader, before = loaded(context, f"namesrvAddr={namesrv.address}", members=5)
    uuids = {m: group.uuid(m) for m in group.members}

    def ask(member, survivors, **more):
        rest = [u for m, u in uuids.items() if m is not member and m not in survivors]
        return member.request("POST", "/v1/raft/recover", {
            "acceptLoss": True, "survivors": [uuids[m] for m in survivors], "givenUp": rest, **more})[:2]

    for member in group.members:
        status, answer = ask(member, [m for m in group.members if m is not member])
        assert status == 409 and "leads the group" in answer["error"], (status, answer)
        status, answer = ask(member, [])
        assert status == 409 and "cannot be given up" in answer["error"], (status, answer)
    _, said = gantry("recover", "--http", http_of(leader), "--accept-loss", code=1)
    assert "nothing is to be recovered" in said, said

    one, two, *rest = group.followers(leader)
    for member in [leader, *rest]:
        member.kill()
    group.until("nobody to lead", lambda: not raft(one)["leader"] and not raft(two)["leader"])
    for body, text in (({"acceptLoss": False}, "acceptLoss"), ({"givenUp": "x"}, "list of uuids"), ({"force": 1}, "is not known"),
                       ({"givenUp": []}, "must be one of"), ({"givenUp": ["0" * 32]}, "no other voter")):
        status, answer = ask(one, [two], **body)
        assert status == 400 and text in answer["error"], (body, status, answer)
    status, answer = ask(one, [])
    assert status == 409 and f"member {uuids[two]} at {two.raft_address} answers" in answer["error"], (status, answer)
    status, answer = ask(one, [two, leader])
    assert status == 503 and "has not said yet" in answer["error"], (status, answer)
    assert raft(one)["recoveries"] == [] and raft(two)["recoveries"] == []
    assert "a change of the membership is refused request=recover" in one.log_text()

    # Found through the NameServer; the other survivor is told that it is given up, and stops by itself.
    done = gantry("recover", "--broker", "broker-a", "--namesrv", namesrv.address, "--accept-loss")
    chosen, other = (one, two) if done["chosen"] == uuids[one] else (two, one)
    assert done["chosen"] == uuids[chosen], done
    group.until("the other survivor to know", lambda: "this member was given up" in other.log_text())
    group.members = [chosen]
    after = sends(group.leader(), "after")
    check_acked(chosen, "T", Acknowledged(before, after))


def after_a_power_cut(member):
    """As if the machine had been started again since the last checkpoint."""
    path = member.store / "raft" / "checkpoint"
    data = bytearray(path.read_bytes())
    changed = 0
    for slot in range(0, len(data), 4096):
        size = struct.unpack_from(">I", data, slot + 12)[0]
        payload = bytes(data[slot + 16:slot + 16 + size])
        if b"bootId=" not in payload:
            continue
        lines = [b"bootId=another" if line.startswith(b"bootId=") else line for line in payload.split(b"\n")]
        payload = b"\n".join(lines)
        struct.pack_into(">I", data, slot + 12, len(payload))
        data[slot + 16:slot + 16 + len(payload)] = payload
        struct.pack_into(">I", data, slot + 16 + len(payload), zlib.crc32(bytes(data[slot:slot + 16 + len(payload)])))
        changed += 1
    assert changed, "no checkpoint"
    path.write_bytes(data)


@test("recover.after-a-power-cut-with-one-disk-gone")
def power_cut(context):
    group, leader, before = loaded(context, "flushDiskType=ASYNC_FLUSH")
    gone = group.followers(leader)[0]
    uuid = group.uuid(gone)
    for member in group.members:
        member.kill()
    wipe(group, gone)
    for member in group.members:
        after_a_power_cut(member)
        member.start()
        assert "may have forgotten what it acknowledged" in member.log_text(), member.log_text()
    for member in group.members:
        text = group.until("readiness to say who is missing", lambda: (
            (said := group.readiness(member)[1]) and "so that all 3 have to answer" in said and said))
        assert f"({uuid} at {gone.raft_address})" in text and "gantry cluster recover" in text, text
    plan = json.loads(gantry("recover", "--http", http_of(group.members[0]), code=2)[0])
    assert plan["givenUp"] == [uuid] and all(v["recovering"] for v in plan["voters"] if v["answers"]), plan
    assert max((v["lastTerm"], v["end"]) for v in plan["voters"] if v["answers"]) == next(
        (v["lastTerm"], v["end"]) for v in plan["voters"] if v["uuid"] == plan["chosen"]), plan
    done = gantry("recover", "--http", http_of(group.members[1]), "--accept-loss")
    survivor = next(m for m in group.members if group.uuid(m) == done["chosen"])
    other = next(m for m in group.members if m is not survivor)
    group.until("the other one to know", lambda: "this member was given up" in other.log_text())
    wipe(group, other)
    assert group.leader() is survivor and not raft(survivor)["recovering"]
    check_acked(survivor, "T", before)  # nothing was lost: only the mark says that it might have been
    refill(group, survivor)
    after = sends(group.leader(), "after")
    check_everywhere(group, before, after)


@test("recover.kill-9-in-the-middle")
def killed(context):
    """It is done or not done, and can be asked for again."""
    group, leader, before = loaded(context)
    survivor = group.followers(leader)[0]
    uuids = [group.uuid(m) for m in group.members if m is not survivor]
    wipe(group, *(m for m in group.members if m is not survivor))
    survivor.kill()
    saved = survivor.work / "saved"
    shutil.copytree(survivor.store, saved)
    rng = random.Random(9)
    body = {"acceptLoss": True, "survivors": [], "givenUp": uuids}
    found = []
    for _ in range(8):
        survivor.kill()
        shutil.rmtree(survivor.store)
        shutil.copytree(saved, survivor.store)
        survivor.start()

        def ask():
            try:
                survivor.request("POST", "/v1/raft/recover", body)
            except OSError:
                pass  # killed before it could answer

        asking = threading.Thread(target=ask)
        asking.start()
        asking.join(rng.uniform(0, 0.01))
        survivor.kill()
        asking.join()
        survivor.start()
        found.append(len(raft(survivor)["recoveries"]))
        group.until("it to be taken", lambda: survivor.request("POST", "/v1/raft/recover", body)[0] == 200)
        assert group.leader() is survivor and len(raft(survivor)["recoveries"]) == 1
        check_acked(survivor, "T", before)
    print(f"  done when it was killed: {found}")
    after = sends(survivor, "after")
    survivor.kill()
    survivor.start()
    group.leader()
    check_acked(survivor, "T", Acknowledged(before, after))

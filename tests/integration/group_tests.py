# SPDX-License-Identifier: Apache-2.0
"""Broker sets of three members: forming, replication, and what happens when the leader is killed."""
import time

from acknowledged import Acknowledged
from harness.broker import Load, check_acked, pull, send_ext
from harness.group import Group
from harness.namesrv import NameServer
from harness.runner import test
from wire import remoting
from wire.framework import heartbeat_body


def killed_leader(context, flush):
    group = Group(context, f"flushDiskType={flush}")
    group.start()
    leader = group.leader()
    leader.create_topic("Group")
    load = Load(leader, "Group", tag="before")
    load.run(500)
    leader.kill()
    load.drain_after_kill()
    began = time.monotonic()
    successor = group.leader()
    print(f"  {flush}: the next leader after {time.monotonic() - began:.2f} s")
    assert successor is not leader
    check_acked(successor, "Group", load.acked)
    later = Load(successor, "Group", tag="after")
    later.run(300)
    later.drain()
    assert not later.refused, later.refused
    leader.start()  # the old leader comes back and follows
    group.converge()
    acked = Acknowledged(load.acked, later.acked)
    for member in group.members:
        check_acked(member, "Group", acked)
    logs = [group.log_bytes(m) for m in group.members]
    assert logs[0] == logs[1] == logs[2], "the logs of the members differ"


@test("group.kill-9-of-the-leader-sync-flush")
def sync_flush(context):
    killed_leader(context, "SYNC_FLUSH")


@test("group.kill-9-of-the-leader-async-flush")
def async_flush(context):
    killed_leader(context, "ASYNC_FLUSH")


@test("group.says-whom-it-waits-for")
def waiting(context):
    group = Group(context)
    for member in group.members[:2]:
        member.start()
    missing = group.members[2].raft_port
    group.until("the missing member to be named", lambda: f"waiting for 127.0.0.1:{missing}" in group.readiness(group.members[0])[1])
    group.members[2].start()
    group.leader()


@test("group.kill-9-of-all")
def all_killed(context):
    group = Group(context, "flushDiskType=SYNC_FLUSH")
    group.start()
    leader = group.leader()
    leader.create_topic("All")
    load = Load(leader, "All")
    load.run(400)
    for member in group.members:
        member.kill()
    load.drain_after_kill()
    group.start()
    leader = group.leader()
    group.converge()
    for member in group.members:
        check_acked(member, "All", load.acked)


@test("group.members-compare-their-state")
def compare_state(context):
    group = Group(context, "compareStateInterval=100", "flushConsumerOffsetInterval=100")
    group.start()
    leader = group.leader()
    leader.create_topic("Compared")
    load = Load(leader, "Compared")
    load.run(200)
    load.drain()
    for member in group.members:
        group.until("members to have compared", lambda: member.metric("gantry_state_comparisons_total") >= 1)
        assert member.metric("gantry_state_differences_total") == 0
        assert member.metric("gantry_state_feature_level") == 4
    seen = {m: m.metric("gantry_state_comparisons_total") for m in group.members}
    with leader.connect() as c:  # the state goes on, and so do comparisons
        pull(c, "Compared", 0, 0)  # creates the group
        for offset in range(1, 200):
            answer = c.call(15, {"consumerGroup": "it_reader", "topic": "Compared", "queueId": "0", "commitOffset": str(offset)})
            assert answer.code == 0, answer
    for member in group.members:
        group.until("another comparison", lambda: member.metric("gantry_state_comparisons_total") > seen[member])
        assert member.metric("gantry_state_differences_total") == 0


def committed(member, group_name, **more):
    with member.connect() as c:
        return c.call(14, {"consumerGroup": group_name, "topic": "Offsets", "queueId": "0", **more})


@test("group.offsets-are-those-of-the-leader")
def offsets(context):
    """A consumer that asks another member is not sent back, nor to the end of its queue as one that nobody knows."""
    group = Group(context)
    group.start()
    leader = group.leader()
    leader.create_topic("Offsets")
    follower, other = group.followers(leader)
    with leader.connect() as c:
        pull(c, "Offsets", 0, 0)  # creates the group
        for offset in ("3", "4"):
            assert c.call(15, {"consumerGroup": "it_reader", "topic": "Offsets", "queueId": "0", "commitOffset": offset}).code == 0
            answer = committed(follower, "it_reader")
            assert (answer.code, answer.ext.get("offset")) == (0, offset), answer
    unknown = committed(follower, "never_seen", setZeroIfNotFound="false")
    assert unknown.code == 22, unknown
    # A planned change of leader brings it into the log, then nobody leads.
    status, answer = group.ask_leader("POST", f"/v1/raft/transfer?target={group.uuid(follower)}")
    assert status == 200, (status, answer)
    group.until("the other one to lead", lambda: group.leader() is follower)
    group.converge()
    follower.kill()
    other.kill()
    group.until("no leader to be known", lambda: "no leader" in group.readiness(leader)[1])
    answer = committed(leader, "it_reader")
    assert (answer.code, answer.ext.get("offset")) == (0, "4"), answer
    unknown = committed(leader, "never_seen")
    assert unknown.code == 14 and "no master" in unknown.remark, unknown


@test("group.no-majority-takes-nothing")
def no_majority(context):
    group = Group(context)
    group.start()
    leader = group.leader()
    leader.create_topic("Few")
    load = Load(leader, "Few", window=4)
    load.run(20)
    load.drain()
    for follower in group.followers(leader):
        follower.kill()
    with leader.connect() as c:
        hasty = c.call(310, send_ext("Few", 0, "WAIT\x01false\x02"), b"does not wait for other members")
        assert hasty.code == 0, hasty
    group.until("the leader to step down", lambda: group.node(leader)["role"] != "leader")
    status, text = group.readiness(leader)
    assert status == 503 and "the broker set has no leader" in text, (status, text)
    lonely = Load(leader, "Few", window=1, tag="lonely")
    lonely.run(1)
    assert not lonely.acked and set(lonely.refused) == {14}, (lonely.acked, lonely.refused)
    for member in group.members:
        if member is not leader:
            member.start()
    check_acked(group.leader(), "Few", load.acked)
    for member in group.members:
        group.until("every member to be ready", lambda: group.readiness(member)[0] == 200)


@test("group.followers-forward-after-a-change-of-leader")
def forwarding(context):
    group = Group(context)
    group.start()
    leader = group.leader()
    leader.create_topic("Forward")
    follower = group.followers(leader)[0]
    group.converge()
    load = Load(follower, "Forward", window=8, tag="stale-route")
    load.run(50)
    load.drain()
    assert len(load.acked) >= 50 and not load.refused, (len(load.acked), load.refused)
    check_acked(leader, "Forward", load.acked)
    # The client is where the records say, not the member that passed them on.
    client_port = load.connection.socket.getsockname()[1]
    with leader.connect() as c:
        records = remoting.decode_records(pull(c, "Forward", 0, 0).body)
    assert records and all(r["bornHost"].endswith(f":{client_port}") for r in records), (client_port, records[0]["bornHost"])


def push_pull(member, topic, version):
    """A pull as stock push consumers send it, without the subscription, over a connection of its own."""
    with member.connect() as client:
        return client.call(11, {"consumerGroup": "it_push", "topic": topic, "queueId": "0", "queueOffset": "0",
                                "maxMsgNums": "32", "sysFlag": "0", "commitOffset": "0", "suspendTimeoutMillis": "0",
                                "subVersion": str(version)})


@test("group.consumers-go-on-at-a-member-that-does-not-know-them")
def unknown_consumers(context):
    """After a change of leader, pulls do not wait for the next heartbeat of the group."""
    version = 1700000000000
    group = Group(context)
    group.start()
    leader = group.leader()
    leader.create_topic("Known")
    with leader.connect() as client:
        for tag in "ABAB":
            answer = client.call(310, send_ext("Known", 0, f"TAGS\x01{tag}\x02"), tag.encode())
            assert answer.code == 0, answer
        answer = client.call(34, body=heartbeat_body("it@1", "it_push", ["Known"], version=version, sub="B"))
        assert answer.code == 0, answer
        # A follower has no heartbeat, and what is replicated serves it, too.
        for follower in group.followers(leader):
            group.until("followers to know the group", lambda: push_pull(follower, "Known", version).code == 0)
        for follower in group.followers(leader):
            follower.stop()
            follower.start()
    group.converge()
    leader.kill()
    successor = group.leader()
    answer = push_pull(successor, "Known", version)
    assert answer.code == 0, answer
    assert [r["body"] for r in remoting.decode_records(answer.body)] == [b"B", b"B"], answer
    assert push_pull(successor, "Known", version + 1).code == 25, "a filter older than the client's"
    with successor.connect() as client:
        online = client.call(38, {"consumerGroup": "it_push"})
        assert online.code == 1, "nobody is online"
    leader.start()
    group.converge()


@test("group.clients-of-the-leaders-address-dial-again")
def dial_again(context):
    """Where the leader has an address of its own, a client that still ends at another member is served, and then let go."""
    group = Group(context, "leaderAdvertisedAddress=leader.invalid:10911")
    group.start()
    leader = group.leader()
    leader.create_topic("Moved")
    group.converge()
    follower = group.followers(leader)[0]
    sent, began = 0, time.monotonic()
    with follower.connect() as client:
        try:
            while time.monotonic() - began < 30:
                answer = client.call(310, send_ext("Moved", 0), b"x")
                assert answer.code == 0, (answer.code, answer.remark)
                sent += 1
        except (OSError, EOFError) as error:
            print(f"  closed after {time.monotonic() - began:.1f} s and {sent} messages: {error}")
    took = time.monotonic() - began
    assert 10 <= took < 20, f"closed after {took:.1f} s, expected 10"
    group.converge()
    assert sent > 10, sent
    with leader.connect() as client:
        assert pull(client, "Moved", 0, sent - 1).code == 0, "the last acknowledged message is not there"
        assert pull(client, "Moved", 0, sent).code != 0, "there is more than what was acknowledged"


@test("group.a-leaders-own-address-leaves-no-follower-behind")
def no_follower_behind(context):
    """Who leads is in the routes under the leader's address, and no longer under its own as a follower."""
    namesrv = NameServer(context)
    group = Group(context, "leaderAdvertisedAddress=leader.invalid:10911", f"namesrvAddr={namesrv.address}")
    group.start()
    for _ in range(3):
        leader = group.leader()
        wanted = {"leader.invalid:10911", *(f.address for f in group.followers(leader))}
        group.until("the route to show the leader and its followers", lambda: (
            (seen := namesrv.members("TBW102")) and set(seen.values()) == wanted and seen.get("0") == "leader.invalid:10911"))
        status, answer = group.ask_leader("POST", "/v1/raft/transfer")
        assert status == 200, (status, answer)
        group.until("another leader", lambda: group.leader() is not leader)


@test("group.a-name-server-that-was-restarted-knows-all-at-once")
def restarted_name_server(context):
    """It has forgotten every route; nobody waits for the next periodic registration."""
    namesrv = NameServer(context)
    group = Group(context, f"namesrvAddr={namesrv.address}", "registerNameServerPeriod=60000")
    group.start()
    addresses = {m.address for m in group.members}
    everybody = lambda: set(namesrv.members("TBW102").values()) == addresses  # noqa: E731
    group.until("the route to show every member", everybody)
    namesrv.kill()
    namesrv.start()
    group.until("the route to show every member again", everybody)

# SPDX-License-Identifier: Apache-2.0
"""The replicated state of a broker set on its way to members that need all of it."""
import json
import re

from harness.broker import send_ext
from harness.group import Group
from harness.runner import test

FRAME_BYTES_MAX = 80 << 20  # of what members say to each other
GROUPS, NOTE_BYTES = 240, 400_000
TOPICS = 5000


def create(connection, code, bodies):
    """One request for each body, a few ahead of their answers."""
    waiting = []
    for body in bodies:
        waiting.append(connection.request(code, {}, json.dumps(body).encode()))
        if len(waiting) == 8:
            assert connection.answer_to(waiting.pop(0)).code == 0
    for opaque in waiting:
        assert connection.answer_to(opaque).code == 0


def topic_name(i):
    return f"topic-{i:05}"


def group_name(i):
    return f"group-{i:03}"


def make_large_state(leader):
    topics = [{"topicName": topic_name(i), "readQueueNums": 8, "writeQueueNums": 8, "perm": 6} for i in range(TOPICS)]
    with leader.connect(60) as c:
        create(c, 18, [{"topicConfigList": topics[i:i + 500]} for i in range(0, TOPICS, 500)])
        for i in range(0, GROUPS, 8):
            create(c, 200, [{"groupName": group_name(j), "attributes": {"note": f"{j:03}" + "x" * NOTE_BYTES}} for j in range(i, i + 8)])
            # Log files without a message do not count as old.
            assert c.call(310, send_ext(topic_name(0), 0), b"m").code == 0


def raft(member):
    status, answer, _ = member.request("GET", "/v1/raft")
    assert status == 200, (status, answer)
    return answer


def delete_old_files(group, leader):
    """Whoever needs the log from its first byte on needs a snapshot afterwards."""
    with leader.connect() as c:
        def begins_later():
            assert c.call(329).code == 0
            return raft(leader)["begin"] > 0
        group.until("the first log files to be deleted", begins_later)


def check_state(member):
    with member.connect() as c:
        answer = c.call(351, {"topic": topic_name(TOPICS - 1)})
        assert answer.code == 0 and json.loads(answer.body)["writeQueueNums"] == 8, answer
        answer = c.call(352, {"group": group_name(GROUPS - 1)})
        assert answer.code == 0, answer.code
        assert json.loads(answer.body)["attributes"]["note"] == f"{GROUPS - 1:03}" + "x" * NOTE_BYTES


@test("snapshot.larger-than-a-frame")
def larger_than_a_frame(context):
    """Empty members join a set whose state is larger than any message: it comes in pieces, nobody stands for election
    meanwhile, and each member can lead afterwards."""
    group = Group.of_one(context, "fileReservedTime=0")
    group.start()
    leader = group.leader()
    make_large_state(leader)
    delete_old_files(group, leader)
    term = raft(leader)["term"]
    for _ in range(2):
        newcomer = group.add_empty()
        newcomer.start()
        group.join(newcomer)
        sizes = [int(s) for s in re.findall(r"beginning again with a snapshot of the leader .*bytes=(\d+)", newcomer.log_text())]
        assert len(sizes) == 1 and sizes[0] > FRAME_BYTES_MAX, sizes
        assert raft(leader)["term"] == term, "an election"
    group.converge()
    for member in group.followers(leader):
        uuid = group.uuid(member)
        status, answer = group.ask_leader("POST", f"/v1/raft/transfer?target={uuid}")
        assert status == 200, (status, answer)
        group.until("it to lead", lambda: group.leader() is member)  # noqa: B023
        check_state(member)
    # What came is on the disk.
    for member in group.members:
        member.kill()
    group.start()
    group.converge()
    check_state(group.leader())

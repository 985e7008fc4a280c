# SPDX-License-Identifier: Apache-2.0
"""Mistakes that a replicated log can have: what each is called, its file, what stands there once, and what
the mistake puts there instead."""
from typing import NamedTuple


class Mistake(NamedTuple):
    name: str
    file: str
    right: str
    wrong: str


LEADING, ELECTION = "libs/raft/leading.cc", "libs/raft/election.cc"
FOLLOWING, QUORUM = "libs/raft/following.cc", "libs/raft/quorum.cc"

MISTAKES = [
    Mistake("a prior term is committed by counting", LEADING,
            "if (position <= commit_ || position <= term_start_) return;",
            "if (position <= commit_) return;"),
    Mistake("the vote is not on the disk", ELECTION,
            "    hard_.voted_for = message.from;\n    save_hard_state();\n",
            "    hard_.voted_for = message.from;\n"),
    Mistake("a vote is given twice in a term", ELECTION,
            "const bool free = hard_.voted_for.empty() || hard_.voted_for == message.from;",
            "const bool free = true;"),
    Mistake("votes skip the comparison of the logs", ELECTION,
            "up_to_date = request.log >= log_end();",
            "up_to_date = true;"),
    Mistake("the term before an append is not compared", FOLLOWING,
            "from > end_ || epochs_.term_before(from) != append.term_before",
            "from > end_"),
    Mistake("a follower reports what is written beyond what matches", FOLLOWING,
            "answer.written = std::min(matched_, written_);\n"
            "  answer.durable = std::min(matched_, std::min(written_, durable_));",
            "answer.matched = end_;\n"
            "  answer.written = written_;\n"
            "  answer.durable = std::min(written_, durable_);"),
    Mistake("the leader counts what it has not written", LEADING,
            "std::min(written_, durable_) : written_);",
            "end_ : end_);"),
    Mistake("a leader with SYNC_FLUSH counts what it has not synced", LEADING,
            "std::min(written_, durable_) : written_);",
            "written_ : written_);"),
    Mistake("followers of a leader with SYNC_FLUSH count when they have written", LEADING,
            "it->second.durable()",
            "it->second.written()"),
    Mistake("an append cuts what lies behind it", FOLLOWING,
            "  if (append.to > end_) {\n    output_.accept",
            "  if (append.from < append.to && append.to < end_) {\n"
            "    output_.cut = end_ = append.to;\n"
            "    written_ = std::min(written_, end_);\n"
            "    durable_ = std::min(durable_, end_);\n"
            "    epochs_.cut(end_);\n"
            "    memberships_.cut(end_);\n"
            "  }\n"
            "  if (append.to > end_) {\n    output_.accept"),
    Mistake("a cut leaves the old bytes behind it", "libs/replog/log_files.cc",
            "zero(from, options_.file_bytes - from)",
            "zero(from, 0)"),
    Mistake("the vote of a recovering member counts like any other", QUORUM,
            "if (!it->second.recovering) ++clean;",
            "++clean;"),
    Mistake("learners count for commits", LEADING,
            "    if (!member.voter) continue;\n"
            "    if (member.id == options_.self) {\n      positions.push_back",
            "    if (member.id == options_.self) {\n      positions.push_back"),
    Mistake("two changes of the membership at once", LEADING,
            "  if (memberships_.pending(commit_)) {\n    return make_error(ErrorCode::kConflict",
            "  if (commit_ > end_) {\n    return make_error(ErrorCode::kConflict"),
    Mistake("a change of the membership before a commit in the own term", LEADING,
            "  if (commit_ <= term_start_) {",
            "  if (commit_ > end_) {"),
    Mistake("new voters commit what lies before their membership", LEADING,
            "const LogPosition written = quorum_reached(mode_, voters);",
            "const LogPosition written = quorum_reached(mode_, newest);"),
    Mistake("a cut leaves the memberships", FOLLOWING,
            "  epochs_.cut(at);\n  memberships_.cut(at);\n",
            "  epochs_.cut(at);\n"),
    Mistake("every refusal sends a whole window", "libs/raft/progress.cc",
            "  window_ = 1;\n",
            ""),
    Mistake("the directory of a new topic is not synced", "libs/store/consume_queue.cc",
            "{directory_, topic, io::parent_directory(topic)});",
            "{directory_, topic});"),
    Mistake("a lost disk comes back as the same member", "tests/sim/node.cc",
            "simulated_uuid(cluster_.seed, number_, stores_)",
            "simulated_uuid(cluster_.seed, number_, 0)"),
]

// SPDX-License-Identifier: Apache-2.0
#include "tests/support/raft/trace.h"

namespace gantry::raft::model {
namespace {

std::string text(LogPosition position) { return std::to_string(position.v); }
std::string text(Term term) { return "t" + std::to_string(term.v); }
std::string text(const LogEnd& log) { return text(log.last_term) + "@" + text(log.end); }
std::string text(const SnapshotId& snapshot) {
  return std::to_string(snapshot.size) + "@" + text(snapshot.position);
}
std::string name(const MemberId& id) { return id.empty() ? "-" : id; }

std::string text(const std::vector<MembershipLog::Entry>& entries) {
  std::string result;
  for (const auto& entry : entries) {
    result += " membership@" + text(entry.start) + "=" + describe(entry.membership);
  }
  return result;
}

struct Body {
  std::string operator()(const VoteRequest& m) const {
    return std::string(m.pre ? "PreVote?" : "Vote?") + (m.transfer ? " transfer" : "") +
           " log=" + text(m.log);
  }
  std::string operator()(const VoteAnswer& m) const {
    return std::string(m.pre ? "PreVote " : "Vote ") + (m.granted ? "yes" : "no") +
           (m.recovering ? " recovering" : "") + " log=" + text(m.log);
  }
  std::string operator()(const Append& m) const {
    return "Append [" + text(m.from) + "," + text(m.to) + ") before=" + text(m.term_before) +
           " commit=" + text(m.commit) + " end=" + text(m.leader_end) +
           (m.epochs.empty() ? "" : " epochs=" + describe_epochs(m.epochs)) + text(m.memberships);
  }
  std::string operator()(const AppendAnswer& m) const {
    return "Matched " + text(m.matched) + " written=" + text(m.written) +
           " durable=" + text(m.durable) + (m.recovering ? " recovering" : "");
  }
  std::string operator()(const AppendRefusal& m) const {
    return "Refused " + text(m.from) + " end=" + text(m.end) + " commit=" + text(m.commit) +
           " epochs=" + describe_epochs(m.epochs) + (m.recovering ? " recovering" : "");
  }
  std::string operator()(const InstallSnapshot& m) const {
    return "Install begin=" + text(m.begin) + " position=" + text(m.position) +
           " end=" + text(m.leader_end) + " epochs=" + describe_epochs(m.epochs) +
           " membership=" + describe(m.membership.membership) +
           (m.pieces ? " pieces=" + text(*m.pieces) : "");
  }
  std::string operator()(const SnapshotPiece& m) const {
    return "Piece " + text(m.snapshot) + " offset=" + std::to_string(m.offset);
  }
  std::string operator()(const SnapshotAnswer& m) const {
    return "Pieces " + text(m.snapshot) + " received=" + std::to_string(m.received) +
           (m.to_offer ? " offered" : "");
  }
  std::string operator()(const InstallAnswer& m) const {
    return "Installed begin=" + text(m.begin);
  }
  std::string operator()(const TimeoutNow& /*m*/) const { return "TimeoutNow"; }
  std::string operator()(const StaleTerm& /*m*/) const { return "StaleTerm"; }
};

}  // namespace

std::string describe(const Message& message) {
  return message.from + "->" + message.to + " " + text(message.term) + " " +
         std::visit(Body{}, message.body);
}

std::string describe(const Membership& membership) {
  std::string result;
  for (const auto& member : membership.members) {
    result += (result.empty() ? "" : ",") + member.id + (member.voter ? "" : "(learner)");
  }
  for (const Recovery& recovery : membership.recoveries) result += "/" + recovery.id;
  return result;
}

std::string describe_epochs(std::span<const Epoch> epochs) {
  std::string result;
  for (const Epoch& epoch : epochs) {
    result += (result.empty() ? "" : ",") + text(epoch.term) + "@" + text(epoch.start);
  }
  return result.empty() ? "none" : result;
}

std::string describe(const Member& member, const Output& output) {
  std::string result;
  const auto line = [&](const std::string& what) {
    result += "  " + member.id + " " + what + "\n";
  };
  if (output.save) {
    line("saves " + text(output.save->term) + " vote=" + name(output.save->voted_for) +
         (output.save->recovering ? " recovering" : "") +
         (output.save->recovered.members.empty()
              ? ""
              : (output.save->given_up ? " given up by " : " recovered as ") +
                    describe(output.save->recovered)));
  }
  if (output.cut) line("cuts at " + text(*output.cut));
  if (output.install) line("installs begin=" + text(output.install->begin));
  if (output.accept) {
    line("takes [" + text(output.accept->from) + "," + text(output.accept->to) + ")");
  }
  if (output.role_changed) {
    const Core& core = *member.core;
    line("is " + std::string(to_string(core.role())) + " " + text(core.term()) +
         " leader=" + name(core.leader()) +
         (core.leading() && !output.start_term && !core.accepting()
              ? " handing over to " + name(core.transfer_target())
              : ""));
  }
  if (output.start_term)
    line("begins " + text(member.core->term()) + " at " + text(member.log.end()));
  if (output.commit_advanced) line("commits " + text(member.core->committed()));
  if (output.recovered) line("has recovered");
  if (output.fault) line("FAULT: " + *output.fault);
  return result;
}

std::string describe_state(const Member& member) {
  if (!member.up()) {
    return member.id + ": down " + text(member.disk.term) + " end=" + text(member.log.end());
  }
  const Core& core = *member.core;
  return member.id + ": " + to_string(core.role()) + " " + text(core.term()) +
         " vote=" + name(core.hard_state().voted_for) + " leader=" + name(core.leader()) +
         " log=[" + text(core.begin()) + "," + text(core.end()) + ")" +
         " written=" + text(member.log.written()) + " durable=" + text(member.log.durable()) +
         " commit=" + text(core.committed()) + (core.recovering() ? " recovering" : "") +
         (member.installing ? " installing" : "") + (core.given_up() ? " given-up" : "") +
         " members=" + describe(core.membership());
}

std::string describe_progress(const Member& member) {
  std::string result;
  for (const auto& [id, progress] : member.core->progress()) {
    const char* state = progress.state() == Progress::State::kProbe       ? "probe"
                        : progress.state() == Progress::State::kReplicate ? "replicate"
                                                                          : "snapshot";
    result += id + ": " + state + " next=" + text(progress.next()) +
              " matched=" + text(progress.matched()) + " written=" + text(progress.written()) +
              " durable=" + text(progress.durable()) + (progress.recovering ? " recovering" : "") +
              "\n";
  }
  return result;
}

std::string describe_log(const Member& member) {
  std::string result = member.id + ": begin=" + text(member.log.begin());
  for (const Record& record : member.log.records()) {
    result += " " + text(record.term) + "[" + text(record.start) + "," + text(record.end) + ")" +
              (record.starts_term ? "*" : "") +
              (record.membership ? "{" + describe(*record.membership) + "}" : "");
  }
  return result;
}

}  // namespace gantry::raft::model

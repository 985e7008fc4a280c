// SPDX-License-Identifier: Apache-2.0
#include "tests/support/raft/group.h"

#include <algorithm>

namespace gantry::raft::model {

Member& Group::add(const MemberId& id, Membership membership) {
  Member& member = members_[id];
  member.id = id;
  member.log.set_base(std::move(membership));
  member.log.mistake_cut_undone = settings.mistakes.cut_undone;
  member.log.mistake_late_sync = settings.mistakes.late_sync;
  return member;
}

Member& Group::member(const MemberId& id) { return members_.at(id); }

void Group::start(Member& member) {
  Options options = settings.core;
  options.self = member.id;
  options.start = ++member.start;
  // Spread over members and starts; the same in every run.
  options.seed = settings.core.seed * 1000 + member.start;
  for (const char c : member.id) options.seed = options.seed * 31 + static_cast<unsigned char>(c);
  member.fault.reset();
  member.installing = false;
  member.core = std::make_unique<Core>(
      options, member.log.initial(member.disk, member.remembered_commit), member.log);
  drain(member);
  for (auto& [id, other] : members_) meet(member, other);
}

void Group::crash(Member& member, LogPosition keep) {
  member.core.reset();
  member.log.crash(keep);
  member.remembered_commit =
      std::clamp(member.remembered_commit, member.log.begin(), member.log.end());
}

void Group::tick(Member& member) {
  if (!member.up()) return;
  member.core->tick();
  drain(member);
}

void Group::campaign(Member& member) {
  member.core->campaign();
  drain(member);
}

const Record& Group::append(Member& member, std::int64_t size, Record record) {
  record.start = member.log.end();
  record.end = record.start + size;
  record.term = member.core->term();
  record.id = next_id_++;
  member.log.append(std::move(record));
  return member.log.records().back();
}

bool Group::propose(Member& member, std::int64_t size, int count) {
  if (!member.up() || !member.core->accepting()) return false;
  for (int i = 0; i < count; ++i) append(member, size);
  member.core->on_appended(member.log.end());
  drain(member);
  return true;
}

Result<void> Group::change(Member& member, const Membership& next) {
  GANTRY_TRY(member.core->may_change(next));
  Record change;
  change.membership = next;
  const Record& record = append(member, settings.membership_record_size, std::move(change));
  member.core->on_membership_appended({record.start, record.end, next});
  drain(member);
  return {};
}

Result<void> Group::transfer(Member& member, const MemberId& target) {
  auto result = member.core->transfer(target);
  drain(member);
  return result;
}

Result<void> Group::recover(Member& member, const std::vector<MemberId>& survivors) {
  auto result = member.core->recover(survivors, "r" + std::to_string(++recoveries_));
  drain(member);
  for (auto& [id, other] : members_) meet(member, other);
  return result;
}

void Group::trim(Member& member, LogPosition begin) {
  member.log.trim(begin);
  member.remembered_commit = std::max(member.remembered_commit, begin);
  member.core->on_trimmed(begin);
  drain(member);
}

void Group::flush_ticks(Member& member, int ticks) { member.core->set_flush_ticks(ticks); }

void Group::write_one(Member& member) {
  const LogPosition position = member.log.write_one();
  if (on_progress) on_progress(member);
  member.core->on_written(position);
  drain(member);
}

void Group::write_all(Member& member) {
  const LogPosition position = member.log.write_all();
  if (on_progress) on_progress(member);
  member.core->on_written(position);
  drain(member);
}

void Group::begin_sync(Member& member) { member.log.begin_sync(); }

void Group::end_sync(Member& member) {
  const auto position = member.log.end_sync();
  if (!position) return;
  if (on_progress) on_progress(member);
  member.core->on_durable(*position);
  drain(member);
}

void Group::installed(Member& member) {
  if (!member.installing) return;
  member.installing = false;
  member.core->on_installed();
  drain(member);
}

void Group::meet(Member& one, Member& other) {
  if (!one.up() || !other.up() || !connected(one.id, other.id)) return;
  if (one.core->give_up(Membership(other.core->membership()))) drain(one);
  if (other.core->give_up(Membership(one.core->membership()))) drain(other);
}

bool Group::takes(const Packet& packet) {
  const Core& to = *member(packet.message.to).core;
  if (packet.group.members.empty() || to.membership().members.empty()) return true;
  return !packet.given_up && !to.given_up() &&
         may_talk(to.membership(), to.self(), packet.group, packet.message.from);
}

void Group::deliver(const Packet& packet) {
  Member& to = member(packet.message.to);
  if (!to.up()) return;
  if (!takes(packet)) return meet(to, member(packet.message.from));
  to.core->step(packet.message);
  drain(to, &packet);
}

bool Group::connected(const MemberId& a, const MemberId& b) const {
  for (const auto& side : sides_) {
    if (side.contains(a) != side.contains(b)) return false;
  }
  return true;
}

void Group::send(const Member& member, Message message) {
  if (!members_.contains(message.to) || !connected(message.from, message.to)) return;
  Packet packet{std::move(message), {}, member.core->membership(), member.core->given_up()};
  if (const auto* body = std::get_if<Append>(&packet.message.body)) {
    packet.records = member.log.range(body->from, body->to);
  }
  links_[{packet.message.from, packet.message.to}].push_back(std::move(packet));
}

void Group::drain(Member& member, const Packet* packet) {
  for (;;) {
    while (carry_out(member, packet)) {
    }
    if (!member.up() || member.fault || member.installing) return;
    ModelLog& log = member.log;
    if (settings.auto_write && log.written() < log.end()) {
      member.core->on_written(log.write_all());
    } else if (settings.auto_sync && log.durable() < log.written() && !log.syncing()) {
      log.begin_sync();
      member.core->on_durable(*log.end_sync());
    } else {
      return;
    }
    if (on_progress) on_progress(member);
  }
}

// False when there was nothing to do.
bool Group::carry_out(Member& member, const Packet* packet) {
  if (!member.up() || member.fault) return false;
  const Output output = member.core->take_output();
  if (!output.save && !output.cut && !output.install && !output.accept && !output.start_term &&
      !output.role_changed && !output.commit_advanced && !output.recovered &&
      output.messages.empty() && !output.fault) {
    return false;
  }
  member.fault = output.fault;
  if (output.save) {
    member.disk = *output.save;
    if (settings.mistakes.forgets_vote) member.disk.voted_for.clear();
  }
  if (output.cut) member.log.cut(*output.cut);
  if (output.install) {
    member.log.install(*output.install);
    member.installing = true;
    member.remembered_commit = output.install->begin;
  }
  if (output.accept) {
    for (const Record& record : packet->records) {
      if (record.start >= output.accept->from) member.log.append(record);
    }
    if (settings.mistakes.reports_unwritten) member.core->on_written(member.log.end());
  }
  if (on_output) on_output(member, output, packet);
  for (const Message& message : output.messages) send(member, message);
  if (output.start_term) {
    Record first;
    first.starts_term = true;
    const Record& record = append(member, settings.term_record_size, std::move(first));
    member.core->on_term_started(record.start, record.end, settings.mode);
  }
  if (member.installing && settings.auto_install) {
    member.installing = false;
    member.core->on_installed();
  }
  return true;
}

}  // namespace gantry::raft::model

// SPDX-License-Identifier: Apache-2.0
#include "tests/script/raft_commands.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include "tests/support/raft/trace.h"

namespace gantry::script {

using raft::model::describe;
using raft::model::Group;
using raft::model::Member;
using raft::model::Packet;
using raft::model::Record;

namespace {

constexpr int kStabiliseMax = 10'000;  // messages; more is a loop

}  // namespace

std::int64_t RaftCommands::Line::number(const std::string& key, std::int64_t otherwise) const {
  const auto it = values.find(key);
  return it == values.end() ? otherwise : std::stoll(it->second);
}

const std::string& RaftCommands::Line::word(std::size_t i) const {
  if (i >= words.size()) throw std::invalid_argument(name + ": argument missing");
  return words[i];
}

std::int64_t RaftCommands::Line::integer(std::size_t i, std::int64_t otherwise) const {
  return i < words.size() ? std::stoll(words[i]) : otherwise;
}

RaftCommands::Line RaftCommands::parse(const std::string& text) {
  Line line;
  std::istringstream in(text);
  in >> line.name;
  for (std::string word; in >> word;) {
    const auto equals = word.find('=');
    if (equals == std::string::npos) {
      line.words.push_back(word);
    } else {
      line.values[word.substr(0, equals)] = word.substr(equals + 1);
    }
  }
  return line;
}

std::string RaftCommands::run(const std::string& text) {
  trace_.clear();
  const bool before = quiet_;
  try {
    const Line line = parse(text);
    if (std::ranges::find(line.words, "quiet") != line.words.end()) quiet_ = true;
    brief_ = std::ranges::find(line.words, "brief") != line.words.end();
    if (line.name == "members") {
      make_group(line);
    } else if (!network(line) && !disk(line) && !operate(line) && !show(line)) {
      say("unknown command " + line.name);
    }
  } catch (const std::exception& error) {
    say("error: " + text + ": " + error.what());
  }
  quiet_ = before;
  if (violation()) trace_ += "VIOLATION: " + *violation() + "\n";
  return trace_;
}

void RaftCommands::say(const std::string& text) {
  if (quiet_) return;
  trace_ += text;
  if (!text.empty() && !text.ends_with('\n')) trace_ += '\n';
}

// members N [stopped] [spare=N] [mode=sync] [election=] [inflight=] [inflight-bytes=] [append=]
void RaftCommands::make_group(const Line& line) {
  Group::Settings settings;
  settings.core.election_ticks = static_cast<int>(line.number("election", 10));
  settings.core.resend_ticks = static_cast<int>(line.number("resend", 10));
  settings.core.inflight_max = static_cast<std::size_t>(line.number("inflight", 256));
  settings.core.inflight_bytes_max = line.number("inflight-bytes", 1 << 20);
  settings.core.append_bytes_max = line.number("append", 1000);
  const auto mode = line.values.find("mode");
  settings.mode = mode != line.values.end() && mode->second == "sync" ? raft::CommitMode::kDurable
                                                                      : raft::CommitMode::kWritten;
  raft::Membership membership;
  const auto count = static_cast<int>(line.integer(0, 3));
  for (int i = 1; i <= count; ++i) {
    membership.put({std::to_string(i), "host:" + std::to_string(i), i, true});
  }
  group_ = std::make_unique<Group>(settings);
  checker_ = std::make_unique<raft::model::Checker>(*group_, membership);
  group_->on_output = [this](Member& m, const raft::Output& output, const Packet* /*packet*/) {
    say(describe(m, output));
    checker_->output(m, output);
  };
  group_->on_progress = [this](Member& m) { checker_->progress(m); };
  for (int i = 1; i <= count + line.number("spare", 0); ++i) {
    Member& m = group_->add(std::to_string(i), membership);
    if (std::ranges::find(line.words, "stopped") == line.words.end()) group_->start(m);
  }
}

Member& RaftCommands::member(const Line& line, std::size_t word) {
  const auto it = group_->members().find(line.word(word));
  if (it == group_->members().end()) throw std::invalid_argument("no member " + line.word(word));
  return it->second;
}

// One member, or `all`.
RaftCommands::Members RaftCommands::members(const Line& line, std::size_t word) {
  if (word < line.words.size() && line.words[word] != "all") return {&member(line, word)};
  Members result;
  for (auto& [id, m] : group_->members()) result.push_back(&m);
  return result;
}

std::deque<Packet>& RaftCommands::link(const Line& line) {
  const std::string& text = line.word(0);
  const auto arrow = text.find("->");
  if (arrow == std::string::npos) throw std::invalid_argument("expected A->B, got " + text);
  return group_->links()[{text.substr(0, arrow), text.substr(arrow + 2)}];
}

void RaftCommands::deliver_one(std::deque<Packet>& queue, std::size_t at) {
  if (at >= queue.size()) return say("nothing to deliver");
  const Packet packet = queue[at];
  queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(at));
  const auto& m = packet.message;
  const bool lost = !group_->connected(m.from, m.to) || !group_->member(m.to).up();
  const bool refused = !lost && !group_->takes(packet);
  if (!brief_) say(describe(m) + (lost ? " (lost)" : refused ? " (refused)" : ""));
  if (!lost) group_->deliver(packet);
}

void RaftCommands::stabilise() {
  for (int i = 0; i < kStabiliseMax; ++i) {
    const auto it =
        std::ranges::find_if(group_->links(), [](const auto& l) { return !l.second.empty(); });
    if (it == group_->links().end()) return;
    deliver_one(it->second, 0);
  }
  say("still not stable");
}

bool RaftCommands::network(const Line& line) {
  if (line.name == "deliver") {  // A->B [COUNT] [at=N|-1]
    auto& queue = link(line);
    const auto count = line.integer(1, static_cast<std::int64_t>(queue.size()));
    if (count == 0) say("nothing to deliver");
    const auto place = line.number("at", 0);  // -1: the newest
    const auto at = place < 0 ? queue.size() - 1 : static_cast<std::size_t>(place);
    for (std::int64_t i = 0; i < count; ++i) deliver_one(queue, at);
  } else if (line.name == "drop") {  // A->B [COUNT]
    auto& queue = link(line);
    for (auto n = line.integer(1, static_cast<std::int64_t>(queue.size())); n > 0; --n) {
      if (queue.empty()) break;
      say(describe(queue.front().message) + " (lost)");
      queue.pop_front();
    }
  } else if (line.name == "duplicate") {  // A->B: its next message comes a second time, last
    auto& queue = link(line);
    if (!queue.empty()) queue.push_back(Packet(queue.front()));
  } else if (line.name == "stabilise") {
    stabilise();
  } else if (line.name == "run") {  // TICKS [brief|quiet]: clocks tick and messages arrive
    for (auto n = line.integer(0, 1); n > 0; --n) {
      for (auto& [id, m] : group_->members()) group_->tick(m);
      stabilise();
    }
  } else if (line.name == "partition") {  // 1|2,3
    std::vector<std::set<raft::MemberId>> sides(1);
    std::string id;
    for (const char c : line.word(0) + "|") {
      if (c != '|' && c != ',') {
        id += c;
        continue;
      }
      sides.back().insert(std::exchange(id, {}));
      if (c == '|') sides.emplace_back();
    }
    sides.pop_back();
    group_->partition(std::move(sides));
  } else if (line.name == "heal") {
    group_->partition({});
  } else if (line.name == "queue") {
    for (const auto& [link, queue] : group_->links()) {
      for (const Packet& packet : queue) say(describe(packet.message));
    }
  } else {
    return false;
  }
  return true;
}

bool RaftCommands::disk(const Line& line) {
  if (line.name == "auto") {  // write=on|off sync=on|off install=on|off
    for (const auto& [key, value] : line.values) {
      const bool on = value == "on";
      if (key == "write") group_->settings.auto_write = on;
      if (key == "sync") group_->settings.auto_sync = on;
      if (key == "install") group_->settings.auto_install = on;
    }
  } else if (line.name == "write") {  // ID|all [COUNT]
    for (Member* m : members(line, 0)) {
      if (line.words.size() < 2) {
        group_->write_all(*m);
      } else {
        for (auto n = line.integer(1, 1); n > 0; --n) group_->write_one(*m);
      }
    }
  } else if (line.name == "sync" || line.name == "sync-begin" || line.name == "sync-end") {
    for (Member* m : members(line, 0)) {
      if (line.name != "sync-end") group_->begin_sync(*m);
      if (line.name != "sync-begin") group_->end_sync(*m);
    }
  } else if (line.name == "installed") {
    group_->installed(member(line, 0));
  } else if (line.name == "preset") {
    preset(line);
  } else if (line.name == "crash") {
    crash(line);
  } else if (line.name == "restart") {
    restart(line);
  } else {
    return false;
  }
  return true;
}

// preset ID [term=T vote=V] T:SIZE,SIZE,... ...: the log that a stopped member has on its disk.
void RaftCommands::preset(const Line& line) {
  Member& m = member(line, 0);
  for (std::size_t i = 1; i < line.words.size(); ++i) {
    std::istringstream in(line.words[i]);
    std::int64_t term = 0;
    in >> term;
    bool first = true;
    for (std::int64_t size = 0; in.ignore(1) && in >> size; first = false) {
      Record record;
      record.start = m.log.end();
      record.end = record.start + size;
      record.term = Term(term);
      record.starts_term = first;
      const auto key = std::pair(term, record.start.v);
      record.id = preset_ids_.try_emplace(key, 1'000'000 + preset_ids_.size()).first->second;
      m.log.append(record);
      m.disk.term = record.term;
    }
  }
  m.disk.term = Term(line.number("term", m.disk.term.v));
  const auto vote = line.values.find("vote");
  if (vote != line.values.end()) m.disk.voted_for = vote->second;
  m.log.write_all();
  m.log.begin_sync();
  m.log.end_sync();
  checker_->progress(m);
}

// crash ID [power]: without power, what is written stays.
void RaftCommands::crash(const Line& line) {
  Member& m = member(line, 0);
  const bool power = line.words.size() > 1 && line.words[1] == "power";
  group_->crash(m, power ? m.log.durable() : m.log.written());
}

// restart ID|all [recovering]
void RaftCommands::restart(const Line& line) {
  const bool recovering = line.words.size() > 1 && line.words[1] == "recovering";
  for (Member* m : members(line, 0)) {
    if (m->up()) continue;
    if (recovering) m->disk.recovering = true;
    checker_->restarted(*m);
    group_->start(*m);
  }
}

// add-learner|promote|demote|remove LEADER ID, add-voter LEADER ID...
void RaftCommands::change(const Line& line) {
  Member& leader = member(line, 0);
  raft::Membership next = leader.core->membership();
  for (std::size_t i = 1; i < line.words.size(); ++i) {
    const std::string& id = line.words[i];
    if (line.name == "remove") {
      next.remove(id);
      continue;
    }
    const auto* there = next.find(id);
    raft::Member subject{id, "host:" + id, there != nullptr ? there->number : next.free_number(),
                         line.name == "promote" || line.name == "add-voter"};
    next.put(subject);
  }
  const auto result = group_->change(leader, next);
  if (!result) say("refused: " + result.error().message);
}

bool RaftCommands::operate(const Line& line) {
  if (line.name == "campaign") {
    group_->campaign(member(line, 0));
  } else if (line.name == "tick") {  // ID|all [COUNT]
    for (auto n = line.integer(1, 1); n > 0; --n) {
      for (Member* m : members(line, 0)) group_->tick(*m);
    }
  } else if (line.name == "propose") {  // ID [size=] [count=]
    if (!group_->propose(member(line, 0), line.number("size", 100),
                         static_cast<int>(line.number("count", 1)))) {
      say("refused: takes no appends");
    }
  } else if (line.name == "passive") {  // ID on|off
    member(line, 0).core->set_passive(line.words.at(1) == "on");
  } else if (line.name == "transfer") {  // LEADER [TO]
    const auto result =
        group_->transfer(member(line, 0), line.words.size() > 1 ? line.words[1] : "");
    if (!result) say("refused: " + result.error().message);
  } else if (line.name == "recover") {  // ID [SURVIVOR...]
    Member& chosen = member(line, 0);
    std::vector<raft::MemberId> survivors(line.words.begin() + 1, line.words.end());
    std::erase_if(survivors, [](const auto& id) { return id == "quiet" || id == "brief"; });
    if (chosen.core->may_recover(survivors)) checker_->recovers(chosen);
    const auto result = group_->recover(chosen, survivors);
    if (!result) say("refused: " + result.error().message);
  } else if (line.name == "flush-ticks") {  // ID TICKS
    group_->flush_ticks(member(line, 0), static_cast<int>(line.integer(1, 0)));
  } else if (line.name == "trim") {  // ID POSITION
    group_->trim(member(line, 0), LogPosition(line.integer(1, 0)));
  } else if (line.name == "add-learner" || line.name == "promote" || line.name == "demote" ||
             line.name == "remove" || line.name == "add-voter") {
    change(line);
  } else {
    return false;
  }
  return true;
}

bool RaftCommands::show(const Line& line) {
  if (line.name == "state") {  // [ID]
    for (Member* m : members(line, 0)) say(describe_state(*m));
  } else if (line.name == "log") {  // [ID]
    for (Member* m : members(line, 0)) say(describe_log(*m));
  } else if (line.name == "progress") {
    say(describe_progress(member(line, 0)));
  } else {
    return false;
  }
  return true;
}

}  // namespace gantry::script

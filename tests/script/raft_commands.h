// SPDX-License-Identifier: Apache-2.0
// The commands of the Raft scripts, on a model group. What they do: tests/script/README.md.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/raft/checker.h"

namespace gantry::script {

class RaftCommands {
 public:
  // Carries out one line and returns its trace.
  std::string run(const std::string& line);
  const std::optional<std::string>& violation() const { return checker_->violation(); }

 private:
  struct Line {
    std::string name;
    std::vector<std::string> words;             // arguments without a '='
    std::map<std::string, std::string> values;  // key=value
    std::int64_t number(const std::string& key, std::int64_t otherwise) const;
    const std::string& word(std::size_t i) const;
    std::int64_t integer(std::size_t i, std::int64_t otherwise) const;
  };
  using Members = std::vector<raft::model::Member*>;

  static Line parse(const std::string& text);
  void make_group(const Line& line);
  bool network(const Line& line);
  bool disk(const Line& line);
  bool operate(const Line& line);
  bool show(const Line& line);

  void preset(const Line& line);
  void deliver_one(std::deque<raft::model::Packet>& queue, std::size_t at);
  void stabilise();
  void crash(const Line& line);
  void restart(const Line& line);
  void change(const Line& line);
  Members members(const Line& line, std::size_t word);
  raft::model::Member& member(const Line& line, std::size_t word);
  std::deque<raft::model::Packet>& link(const Line& line);
  void say(const std::string& text);

  std::unique_ptr<raft::model::Group> group_ =
      std::make_unique<raft::model::Group>(raft::model::Group::Settings{});
  std::unique_ptr<raft::model::Checker> checker_ =
      std::make_unique<raft::model::Checker>(*group_, raft::Membership{});
  std::string trace_;
  bool quiet_ = false;  // this command prints nothing
  bool brief_ = false;  // this command prints what happens, not what is said
  std::map<std::pair<std::int64_t, std::int64_t>, std::uint64_t> preset_ids_;  // (term, start)
};

}  // namespace gantry::script

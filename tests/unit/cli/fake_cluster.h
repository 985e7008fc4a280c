// SPDX-License-Identifier: Apache-2.0
// A NameServer and a broker in memory, behind one port, that know as much as the commands need; and
// a way to run whole commands against them.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "protocol/client_connection.h"
#include "protocol/topic_config.h"
#include "tests/unit/client/scripted_server.h"
#include "tests/unit/client/test_records.h"

namespace gantry::test {

class FakeCluster {
 public:
  FakeCluster();

  ScriptedServer& server() { return server_; }
  std::string namesrv() const { return server_.address(); }

  void add_topic(const std::string& name, int queues);
  // Appends; offset, position and topic are filled in.
  void add_message(const std::string& topic, int queue, TestMessage message);
  void add_group(const std::string& group);
  void set_offset(const std::string& group, const std::string& topic, int queue,
                  std::int64_t offset);
  void add_member(const std::string& group, const std::string& client_id);

  bool has_topic(const std::string& name) const;
  std::optional<std::int64_t> offset(const std::string& group, const std::string& topic,
                                     int queue) const;
  // Bodies of all messages of a topic, by queue.
  std::vector<std::string> bodies(const std::string& topic) const;
  // The properties of the topic's first message.
  std::string properties(const std::string& topic) const;

 private:
  using Command = protocol::Command;
  struct Topic {
    protocol::TopicConfig config;
    std::vector<std::vector<std::string>> queues;
  };

  void script_name_server();
  void script_topics();
  void script_groups();
  void script_offsets();
  void script_messages();

  Command route(const Command& request);
  Command update_topic(const Command& request);
  Command send(const Command& request);
  Command pull(const Command& request);
  Command query(const Command& request);
  Command view(const Command& request);
  Command consume_stats(const Command& request);
  Command reset(const Command& request);

  // Null when there is none. The lock is held.
  const std::vector<std::string>* queue_of(const Command& request) const;
  void append(const std::string& topic, int queue, TestMessage message);

  mutable std::mutex mutex_;
  std::map<std::string, Topic> topics_;
  std::set<std::string> groups_;
  std::map<std::string, std::vector<protocol::ClientConnection>> members_;
  std::map<std::tuple<std::string, std::string, int>, std::int64_t> offsets_;
  std::int64_t position_ = 0;
  ScriptedServer server_;  // last: stops before what it answers with goes
};

struct Ran {
  int code = 0;
  std::string out;
  std::string err;
};
// Runs a command as from a shell, without a terminal.
Ran run_gantry(std::vector<std::string> arguments, const std::string& input = {});
// The same with --namesrv.
Ran run_gantry(const FakeCluster& cluster, std::vector<std::string> arguments,
               const std::string& input = {});

}  // namespace gantry::test

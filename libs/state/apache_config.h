// SPDX-License-Identifier: Apache-2.0
// The configuration files of an Apache RocketMQ store, config/*.json: read once when such a store
// is opened, written at every clean stop so that Apache RocketMQ can open ours.
// consumerFilter.json, consumerOrderInfo.json and whatever else lies there are left alone.
//
// Blocking file I/O: call on a background thread, or before the shards run. The *_json functions
// are pure but read a StateMachine, so they run on the log shard.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/file_system.h"
#include "state/commands.h"
#include "state/state_machine.h"

namespace gantry::state {

struct ApacheConfig {
  ImportedState state;
  // One line for each file that was missing or damaged and what was used instead.
  std::vector<std::string> notes;
};

// Reads topics.json, subscriptionGroup.json, consumerOffset.json and delayOffset.json from
// `config_directory`, each falling back to its .bak as Apache does. A file that is missing together
// with its .bak counts as empty (noted). Errors: kCorrupt naming the file when a file and its .bak
// are both unusable, kIo.
Result<ApacheConfig> read_apache_config(io::FileSystem& fs, const std::string& config_directory);

// Parsers of one file each; they add to `out`.
Result<void> parse_topics_json(std::string_view text, ImportedState& out);
Result<void> parse_subscription_group_json(std::string_view text, ImportedState& out);
Result<void> parse_consumer_offset_json(std::string_view text, ImportedState& out);
Result<void> parse_delay_offset_json(std::string_view text, ImportedState& out);

// The files' contents in the form Apache RocketMQ writes, without its line breaks. The third is
// also the answer of code 43, the fourth of code 45.
std::string topics_json(const StateMachine& machine);
std::string subscription_group_json(const StateMachine& machine);
std::string consumer_offset_json(const StateMachine& machine);
std::string delay_offset_json(const StateMachine& machine);

struct ApacheConfigFiles {
  std::string topics;
  std::string subscription_group;
  std::string consumer_offset;
  std::string delay_offset;
};
// All four at once, to be written by another thread.
ApacheConfigFiles render_apache_config(const StateMachine& machine);

// Writes the four files, each atomically, the previous version kept as .bak. Creates the directory.
// Errors: kDiskFull, kIo.
Result<void> write_apache_config(io::FileSystem& fs, const ApacheConfigFiles& files,
                                 const std::string& config_directory);

}  // namespace gantry::state

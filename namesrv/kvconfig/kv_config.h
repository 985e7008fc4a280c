// SPDX-License-Identifier: Apache-2.0
// The KV table of the NameServer: namespace -> key -> value, kept in kvConfig.json in RocketMQ's
// own form, so that a file of Apache RocketMQ is taken over as it is. Belongs to the NameServer's
// shard. The only namespace the NameServer itself reads is ORDER_TOPIC_CONFIG.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "namesrv/persist/persisted_value.h"

namespace gantry::io {
class FileSystem;
}

namespace gantry::namesrv {

// topic -> "brokerA:4;brokerB:4", given out with routes and to registering brokers.
inline constexpr std::string_view kOrderTopicNamespace = "ORDER_TOPIC_CONFIG";

using KvTable = std::map<std::string, std::string, std::less<>>;
using KvNamespaces = std::map<std::string, KvTable, std::less<>>;

std::string encode_kv_namespaces(const KvNamespaces& namespaces);
// Errors: kCorrupt with what is wrong and where.
Result<KvNamespaces> decode_kv_namespaces(std::string_view json);

// Reads the table. No file: empty. An unreadable file is set aside as `<path>.damaged` and the
// backup `<path>.bak` is used instead, with a line in the log; an error when that is unusable too.
Result<KvNamespaces> load_kv_namespaces(io::FileSystem& fs, const std::string& path);

class KvConfig {
 public:
  using Done = PersistedValue<KvNamespaces>::Done;

  KvConfig(KvNamespaces initial, std::string path, FileWriter& writer);

  // Null when absent. Valid until the next change.
  const std::string* get(std::string_view name_space, std::string_view key) const;
  const KvTable* list(std::string_view name_space) const;

  void put(std::string name_space, std::string key, std::string value, Done done);
  // Success also when there is no such key.
  void erase(std::string name_space, std::string key, Done done);

 private:
  PersistedValue<KvNamespaces> namespaces_;
};

}  // namespace gantry::namesrv

// SPDX-License-Identifier: Apache-2.0
// The address that stands in records and in message ids: tools dial it to look a message up. It is
// the one that the leader registers, which may be a name, while a record has room for an address
// only. Belongs to the log shard.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "config/broker_config.h"
#include "net/name_lookup.h"
#include "protocol/record.h"
#include "runtime/shard.h"

namespace gantry::broker {

class StoreHost {
 public:
  using Changed = std::function<void(const protocol::RecordHost&)>;

  // `own_ip` stands for a name as long as that is not known. `changed` runs on the shard.
  StoreHost(runtime::Shard& shard, const config::BrokerConfig& config, std::uint16_t port,
            const std::string& own_ip, Changed changed);

  const protocol::RecordHost& value() const { return value_; }

  // A name is looked up again: at the start, and whenever this member begins to lead. Repeated
  // until it is known.
  void look_up();

 private:
  void on_found(const Result<std::string>& ip);

  runtime::Shard& shard_;
  const Changed changed_;
  std::string name_;  // empty: an address, nothing to look up
  std::uint16_t port_;
  protocol::RecordHost value_;
  bool warned_ = false;
  net::NameLookup lookup_;
  std::unique_ptr<runtime::Timer> retry_timer_;
};

}  // namespace gantry::broker

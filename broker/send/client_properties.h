// SPDX-License-Identifier: Apache-2.0
// The properties of a message as a client sent them, made into what is stored: what only the broker
// may say is dropped, what the broker adds is added. One pass; the common case copies the text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/message_id.h"

namespace gantry::broker {

// What the broker adds to every message.
class BrokerProperties {
 public:
  // Cheap when it is what was given before.
  void set(std::string_view region, bool trace_on, std::string_view cluster);
  std::string_view text() const { return text_; }

 private:
  std::string region_;
  bool trace_on_ = false;
  std::string cluster_;
  std::string text_;
};

struct ClientProperties {
  std::string_view uniq_key;  // into the written text
  std::int32_t delay_level = 0;
  bool wait = true;          // WAIT is not "false"
  bool transaction = false;  // TRAN_MSG is "true"
  bool timer = false;        // one of TIMER_DELAY_SEC, TIMER_DELAY_MS, TIMER_DELIVER_MS
  bool sharding = false;     // __SHARDINGKEY: ordered by key
};

// Clears `out` and writes the stored form of `text` to it. The views in the result point into
// `out`.
ClientProperties rewrite_properties(std::string_view text, const BrokerProperties& broker,
                                    protocol::UniqueIdGenerator& ids, std::int64_t now_ms,
                                    std::string& out);

}  // namespace gantry::broker

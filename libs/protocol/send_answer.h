// SPDX-License-Identifier: Apache-2.0
// The frame that answers a send: what ResponseWriter would write for it, byte for byte, but put
// together in one go, because a broker writes one for every message. Plain value; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/types.h"

namespace gantry::protocol {

struct SendAnswer {
  std::int32_t opaque = 0;
  std::string_view message_ids;  // hexadecimal digits and commas
  std::int32_t queue_id = 0;
  QueueOffset queue_offset;
  std::string_view uniq_key;  // left out when empty
};

class SendAnswerWriter {
 public:
  // What is the same in all answers; cheap when it is what was given before.
  void set_broker(std::string_view region, bool trace_on);
  // Appends the frame.
  void write(const SendAnswer& answer, std::string& out) const;

 private:
  void write_piecewise(const SendAnswer& answer, std::string& out) const;

  std::string region_;
  bool trace_on_ = false;
  std::string head_;  // from the length field to the message ids
};

}  // namespace gantry::protocol

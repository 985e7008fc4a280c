// SPDX-License-Identifier: Apache-2.0
// Whether a queue entry may be of interest to a subscription: by the hash of its tag. Clients check
// the tag's text themselves.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "protocol/subscription_data.h"

namespace gantry::broker {

class MessageFilter {
 public:
  MessageFilter() = default;  // everything
  explicit MessageFilter(const protocol::SubscriptionData& data) : all_(data.subscribes_all()) {
    if (!all_) codes_.assign(data.code_set.begin(), data.code_set.end());  // ascending
  }
  bool matches(std::int64_t tags_code) const {
    return all_ || std::ranges::binary_search(codes_, static_cast<std::int32_t>(tags_code));
  }

 private:
  bool all_ = true;
  std::vector<std::int32_t> codes_;
};

}  // namespace gantry::broker

// SPDX-License-Identifier: Apache-2.0
#include "protocol/batch.h"

#include <fmt/core.h>

#include "base/bytes.h"

namespace gantry::protocol {

Result<std::vector<BatchItem>> decode_batch(std::string_view rest) {
  constexpr std::size_t kFixed = 22;
  std::vector<BatchItem> items;
  const auto fail = [&](std::string_view what) {
    return make_error(ErrorCode::kCorrupt, fmt::format("batch item {}: {}", items.size(), what));
  };
  while (!rest.empty()) {
    if (rest.size() < kFixed) return fail("shorter than its fixed part");
    const std::size_t total = load_be<std::uint32_t>(rest.data());
    if (total < kFixed || total > rest.size()) return fail("total size does not fit");
    BatchItem item;
    item.flag = load_be<std::int32_t>(rest.data() + 12);
    const std::size_t body_size = load_be<std::uint32_t>(rest.data() + 16);
    if (body_size > total - kFixed) return fail("body does not fit");
    item.body = rest.substr(20, body_size);
    const auto properties_size = load_be<std::int16_t>(rest.data() + 20 + body_size);
    if (properties_size < 0 ||
        static_cast<std::size_t>(properties_size) != total - kFixed - body_size) {
      return fail("properties do not fill the item");
    }
    item.properties = rest.substr(kFixed + body_size, static_cast<std::size_t>(properties_size));
    items.push_back(item);
    rest.remove_prefix(total);
  }
  if (items.empty()) return fail("the batch is empty");
  return items;
}

}  // namespace gantry::protocol

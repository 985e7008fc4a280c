// SPDX-License-Identifier: Apache-2.0
// One encoded state, as it goes to members whose log cannot be filled otherwise. Immutable, so that
// one copy serves all of them; may be made on any thread.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "base/crc32.h"
#include "base/types.h"
#include "raft/message.h"

namespace gantry::replog {

struct SnapshotImage {
  raft::SnapshotId id;
  std::string bytes;
};

using SnapshotImagePtr = std::shared_ptr<const SnapshotImage>;

// `position`: everything before it is in the state.
inline SnapshotImagePtr make_snapshot_image(LogPosition position, std::string bytes) {
  const raft::SnapshotId id{position, static_cast<std::int64_t>(bytes.size()), crc32(bytes)};
  return std::make_shared<const SnapshotImage>(id, std::move(bytes));
}

}  // namespace gantry::replog

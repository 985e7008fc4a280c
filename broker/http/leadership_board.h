// SPDX-License-Identifier: Apache-2.0
// Who leads the broker set, for HTTP threads that want to know as soon as it changes. The log shard
// puts the newest state here; readers see it without asking the shard, also while that is busy with
// recovery. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace gantry::broker {

struct Leadership {
  bool leading = false;  // this member leads and may decide
  std::int64_t term = 0;
  std::string leader{};  // uuid; empty: not known
  bool operator==(const Leadership&) const = default;

  // Another text for each other state. Readers treat it as opaque.
  std::string state() const;
};

class LeadershipBoard {
 public:
  // Waiting holds one of the few HTTP threads, so only so many may.
  explicit LeadershipBoard(std::size_t waiting_max) : waiting_max_(waiting_max) {}

  void publish(Leadership now);
  // From here on nobody waits. Final.
  void close();

  Leadership now() const;
  // The state as soon as it is another one than `known`, at the latest after `timeout`. At once
  // when `waiting_max` callers wait already.
  Leadership wait(std::string_view known, std::chrono::milliseconds timeout);

 private:
  const std::size_t waiting_max_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Leadership now_;  // guarded by mutex_, as are the others
  std::size_t waiting_ = 0;
  bool closed_ = false;
};

}  // namespace gantry::broker

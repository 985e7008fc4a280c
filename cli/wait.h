// SPDX-License-Identifier: Apache-2.0
// Waiting that ends when the user wants to stop.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace gantry::cli {

// False when stopped before the time has come.
inline bool sleep_until(const std::stop_token& stop, std::chrono::steady_clock::time_point when) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_until(lock, stop, when, [] { return false; });
  return !stop.stop_requested();
}

// For what gives no notice of a change (a table at a NameServer): asks again every `period` until
// `ready` says yes. False when the time is over or the user wants to stop.
template <class Ready>
bool wait_until(const std::stop_token& stop, std::chrono::milliseconds timeout,
                std::chrono::milliseconds period, Ready&& ready) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!ready()) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= deadline || !sleep_until(stop, now + period)) return false;
  }
  return true;
}

}  // namespace gantry::cli

// SPDX-License-Identifier: Apache-2.0
// A whole NameServer: remoting server, route table, KV table, timers, HTTP. Used by gantry-namesrv
// and, in-process, by `gantry up` and by tests.
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "config/namesrv_config.h"

namespace gantry::runtime {
class Shard;
}

namespace gantry::namesrv {

class NamesrvApp {
 public:
  // `shard`: a running shard to live on, which must outlive the app; null: the app makes its own.
  explicit NamesrvApp(config::NamesrvConfig config, runtime::Shard* shard = nullptr);
  ~NamesrvApp();  // stops
  NamesrvApp(const NamesrvApp&) = delete;
  NamesrvApp& operator=(const NamesrvApp&) = delete;

  // Any thread but the shard's. Loads the KV table, listens, serves. On an error (port in use,
  // damaged KV table) everything is stopped again and the message says what to change.
  Result<void> start();
  // Any thread but the shard's. Stops accepting, finishes writes to disk, closes connections, stops
  // HTTP. Idempotent.
  void stop();

  // After start(): the ports in use, also when the configuration said 0.
  std::uint16_t remoting_port() const;
  std::uint16_t http_port() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gantry::namesrv

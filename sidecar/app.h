// SPDX-License-Identifier: Apache-2.0
// The sidecar of one broker pod: watches the broker, keeps the pod's leader label, posts Events,
// serves HTTP. Used by gantry-sidecar and, in-process, by tests. The broker does not know of it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "config/sidecar_config.h"
#include "kube/service_account.h"

namespace gantry::sidecar {

class SidecarApp {
 public:
  // The environment names the pod and the API server; it is asked in start() only.
  SidecarApp(config::SidecarConfig config,
             kube::Environment environment = kube::process_environment());
  ~SidecarApp();  // halts
  SidecarApp(const SidecarApp&) = delete;
  SidecarApp& operator=(const SidecarApp&) = delete;

  // Starts threads and listener, or says what has to change. Does not wait for broker or API
  // server.
  Result<void> start();
  // The orderly end after SIGTERM. In a pod that is being deleted the label is kept true until the
  // broker leads no more, at most stopTimeoutMillis; otherwise only the sidecar ends, and leaves
  // the label as it is. Blocks.
  void stop();
  // Ends at once, whatever the label says. Idempotent.
  void halt();

  std::uint16_t http_port() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gantry::sidecar

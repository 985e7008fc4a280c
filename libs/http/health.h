// SPDX-License-Identifier: Apache-2.0
// Named health checks and their endpoints, in the form of the Kubernetes API server:
//
//   /livez /readyz /startupz     200 `ok`, or 503 with one line per check
//   …?verbose                    one line per check: `[+]log ok`, `[-]leader failed: no quorum`
//   …?exclude=leader             leaves a check out (may be repeated)
//   …?format=json                the same for programs, with a reason for each failed check:
//       {"healthy": false, "checks": [{"name": "log", "healthy": true},
//        {"name": "leader", "healthy": false, "reason": "NoLeader", "message": "no quorum"}]}
//   /readyz/<check>              one check alone; 404 if there is none of that name
//
// `/healthz` is another name for `/livez`. Unlike the API server, a failed check shows its reason
// to everybody and answers 503.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/not_ready.h"
#include "http/http_server.h"

namespace gantry::http {

enum class Probe { kLive, kReady, kStartup };

// Nothing: healthy.
using CheckResult = std::optional<NotReady>;

// Called on an HTTP thread for each probe; must be quick and must not block.
using Check = std::function<CheckResult()>;

// Thread-safe. Owned by the app; must outlive the HttpServer it is mounted on.
class HealthChecks {
 public:
  // Checks are run and shown in the order in which they were added. A name added twice to the same
  // probe replaces the first check.
  void add(Probe probe, std::string name, Check check);

  void mount(HttpServer& server) const;

  // What the endpoints answer; separate from HTTP so that callers (and tests) can ask directly.
  Response probe(Probe probe, const Request& request) const;
  Response one(Probe probe, std::string_view name) const;
  bool healthy(Probe probe) const;

 private:
  struct Named {
    Probe probe;
    std::string name;
    Check check;
  };
  std::vector<Named> checks_of(Probe probe) const;

  mutable std::mutex mutex_;
  std::vector<Named> checks_;
};

}  // namespace gantry::http

// SPDX-License-Identifier: Apache-2.0
// The thread of the LabelKeeper: a step for each change of what is known of the broker, a look at
// the real pod now and then, and another try after failures, later each time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <thread>

#include "kube/api_client.h"
#include "metrics/metrics.h"
#include "sidecar/label_keeper.h"
#include "sidecar/pulse.h"
#include "sidecar/sidecar_metrics.h"

namespace gantry::sidecar {

struct LabelStatus {
  std::optional<bool> leads{};     // what the label has to say
  bool in_step = false;            // and says, as far as is known
  bool lost = false;               // there is no such pod any more
  std::optional<bool> deleting{};  // the pod is being deleted
  std::string uid{};
  std::string obstacle{"not looked at the pod yet"};
  std::int64_t looks = 0;  // at the real pod, without a failure
};

class LabelLoop {
 public:
  LabelLoop(kube::ApiClient client, const std::string& name_space, PodIdentity identity,
            std::string label, std::chrono::milliseconds check_interval,
            metrics::Registry& registry);
  ~LabelLoop() { stop(); }
  LabelLoop(const LabelLoop&) = delete;
  LabelLoop& operator=(const LabelLoop&) = delete;

  void start();
  void stop();  // idempotent; waits for a request under way

  // Any thread.
  void want(std::optional<bool> leads);
  void look_now();
  LabelStatus status() const;
  // False: the status was not like that within `timeout`.
  bool wait_until(const std::function<bool(const LabelStatus&)>& condition,
                  std::chrono::milliseconds timeout);
  const Pulse& pulse() const { return pulse_; }

 private:
  using Lock = std::unique_lock<std::mutex>;

  void run();
  void take_step(Lock& lock);
  std::chrono::milliseconds next_pause(const Step& step);
  void report(const Step& step);
  void wake();

  kube::ApiClient client_;
  ApiMetrics metrics_;
  LabelKeeper keeper_;
  const std::chrono::milliseconds check_interval_;
  Pulse pulse_;
  int failures_ = 0;  // steps in a row; label thread only
  std::minstd_rand random_{std::random_device{}()};
  std::string reported_;         // the obstacle that was logged last; label thread only
  std::int64_t look_at_us_ = 0;  // steady; label thread only

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  LabelStatus status_;      // guarded by mutex_, as are the others
  std::stop_source newer_;  // stops a step that works on what is not wanted any more
  bool woken_ = false, look_ = false, stopping_ = false;
  std::thread thread_;
};

}  // namespace gantry::sidecar

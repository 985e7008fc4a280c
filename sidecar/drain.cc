// SPDX-License-Identifier: Apache-2.0
#include "sidecar/drain.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "sidecar/broker_client.h"

namespace gantry::sidecar {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr milliseconds kQuestionMax{2000};
constexpr milliseconds kWaitMax{500};

class Drain {
 public:
  Drain(const DrainOptions& options, const Clock& clock)
      : options_(options),
        client_(options.host_port),
        clock_(clock),
        until_us_(clock.steady_us() + microseconds(options.timeout).count()) {}

  DrainOutcome run() {
    const bool led =
        client_.leadership({}, milliseconds(0), question_timeout()).seen == Seen::kLeads;
    const DrainOutcome outcome = hand_over();
    if (led && outcome.drained == Drained::kMoved) pause(std::min(options_.linger, left()));
    return outcome;
  }

 private:
  DrainOutcome hand_over() {
    bool begun = false;
    std::string why = "it has not been asked";
    while (left().count() > 0) {
      const auto answer = client_.maintenance(begun ? "GET" : "PUT", question_timeout());
      begun = begun || answer.http_status == 200;
      if (auto end = judge(answer)) return *std::move(end);
      why = !answer.detail.empty()     ? answer.detail
            : !answer.obstacle.empty() ? answer.obstacle
                                       : "the hand-over is under way";
      wait_for_change();
    }
    return {Drained::kTimedOut,
            (begun ? "the broker still leads: " : "the broker cannot be drained: ") + why};
  }

  milliseconds left() const {
    const std::int64_t left_us = until_us_ - clock_.steady_us();
    return milliseconds(std::max<std::int64_t>(0, left_us / 1000));
  }
  milliseconds question_timeout() const {
    return std::clamp(left(), milliseconds(1), kQuestionMax);
  }

  // Nothing: go on.
  std::optional<DrainOutcome> judge(const MaintenanceAnswer& answer) {
    switch (answer.seen) {
      case Seen::kFollows:
        return DrainOutcome{Drained::kMoved, "the broker does not lead"};
      case Seen::kGone:
        return DrainOutcome{Drained::kGone, answer.detail};
      case Seen::kLeads:
        return judge_leader(answer);
      case Seen::kSilent:
        break;
    }
    if (answer.http_status == 200 || (answer.http_status >= 400 && answer.http_status < 500)) {
      return DrainOutcome{Drained::kImpossible, answer.detail};
    }
    if (answer.http_status == 0) return std::nullopt;
    // It starts or stops: then it has nothing to hand over.
    const auto leadership = client_.leadership({}, milliseconds(0), question_timeout());
    if (leadership.seen != Seen::kFollows) return std::nullopt;
    return DrainOutcome{Drained::kMoved, "the broker does not lead: " + answer.detail};
  }

  // What lacks a successor for the moment may find one; what has no other voter will not.
  std::optional<DrainOutcome> judge_leader(const MaintenanceAnswer& answer) {
    if (answer.obstacle.empty() || !answer.finished) return std::nullopt;
    const auto voters = client_.voters(question_timeout());
    if (!voters || *voters > 1) return std::nullopt;
    return DrainOutcome{Drained::kAlone, "nobody can take over, the broker refuses new messages: " +
                                             answer.obstacle};
  }

  // Until leadership changes, as far as the broker lets itself be waited for.
  void wait_for_change() {
    const std::int64_t began = clock_.steady_us();
    const auto now = client_.leadership(state_, std::min(kWaitMax, left()), question_timeout());
    const bool news = now.state != state_;
    state_ = now.state;
    if (news && !state_.empty()) return;
    const milliseconds took =
        std::chrono::duration_cast<milliseconds>(microseconds(clock_.steady_us() - began));
    pause(std::min(options_.poll_interval - std::min(options_.poll_interval, took), left()));
  }

  static void pause(milliseconds delay) {
    std::mutex mutex;
    std::condition_variable never;
    std::unique_lock lock(mutex);
    never.wait_for(lock, delay, [] { return false; });
  }

  const DrainOptions& options_;
  const BrokerClient client_;
  const Clock& clock_;
  const std::int64_t until_us_;
  std::string state_;
};

}  // namespace

DrainOutcome drain(const DrainOptions& options, const Clock& clock) {
  return Drain(options, clock).run();
}

}  // namespace gantry::sidecar

// SPDX-License-Identifier: Apache-2.0
// Requests to the Kubernetes API from inside a cluster: HTTPS with the service account's token and
// certificate authority, timeouts, and further attempts after failures that pass. Each attempt is a
// connection of its own and reads the certificate authority again, so that a rotation needs no
// restart.
//
// Blocks; belongs to one thread, which must be a named one and no shard. Objects are asked for by
// path and come back as text: pods.h and its kind know their form.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "kube/api_error.h"
#include "kube/retry.h"
#include "kube/service_account.h"
#include "kube/token_file.h"

namespace gantry::kube {

struct ApiRequest {
  std::string method = "GET";
  std::string path;            // with its query, escaped
  std::string body{};          // empty: none
  std::string content_type{};  // of the body

  // Carrying it out twice is the same as once.
  bool repeatable() const { return method != "POST"; }
};

struct ApiClientOptions {
  std::chrono::milliseconds connect_timeout{2000};
  std::chrono::milliseconds answer_timeout{5000};  // for the whole answer
  std::size_t body_bytes_max = 4UL << 20;
  std::string user_agent = "gantry";
  RetryPolicy retry{};
};

// One attempt, for metrics. `code` is the HTTP status, or the failure's name.
struct Attempt {
  std::string_view method;
  std::string_view code;
  bool answered = false;  // the server has given any answer
};

class ApiClient {
 public:
  ApiClient(ServiceAccount account, ApiClientOptions options, const Clock& clock = system_clock());

  // Called after each attempt, on the caller's thread.
  void observe(std::function<void(const Attempt&)> observer) { observer_ = std::move(observer); }

  // The body of the 2xx answer. `stop` ends pauses between attempts, not an attempt. A server that
  // has asked for a pause is left alone by all requests until that is over.
  ApiResult<std::string> call(const ApiRequest& request, const std::stop_token& stop = {});

 private:
  struct Answer {
    int status = 0;
    std::string body;
  };
  ApiResult<Answer> attempt(const ApiRequest& request);
  ApiResult<Answer> attempt_with_fresh_token(const ApiRequest& request);
  ApiResult<Answer> exchange(const ApiRequest& request, const std::string& token);
  bool pause(std::chrono::milliseconds delay, const std::stop_token& stop);
  std::chrono::milliseconds pause_left() const;

  const ServiceAccount account_;
  const ApiClientOptions options_;
  const Clock& clock_;
  TokenFile token_;
  std::function<void(const Attempt&)> observer_;
  std::minstd_rand random_{std::random_device{}()};
  std::int64_t left_alone_until_us_ = 0;  // steady
};

}  // namespace gantry::kube

// SPDX-License-Identifier: Apache-2.0
#include "kube/api_client.h"

#include <httplib.h>
#include <openssl/x509.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

namespace gantry::kube {
namespace {

using std::chrono::milliseconds;

ApiError error_of(const ApiRequest& request, Failure failure, std::string message) {
  return {.failure = failure,
          .method = request.method,
          .path = request.path,
          .status = {.message = std::move(message)}};
}

Failure failure_of(httplib::Error error) {
  switch (error) {
    case httplib::Error::Connection:
    case httplib::Error::ConnectionTimeout:
    case httplib::Error::BindIPAddress:
      return Failure::kConnect;
    case httplib::Error::SSLConnection:
    case httplib::Error::SSLLoadingCerts:
    case httplib::Error::SSLServerVerification:
      return Failure::kTls;
    default:
      return Failure::kAnswer;
  }
}

std::string verify_text(long result) {
  return result == X509_V_OK ? std::string("its certificate is for another host")
                             : std::string(X509_verify_cert_error_string(result));
}

std::optional<std::chrono::seconds> parse_retry_after(const std::string& text) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds <= 0) return std::nullopt;
  return std::chrono::seconds(std::min<std::int64_t>(seconds, 3600));
}

// Takes the body as it arrives, until it is too large or late.
class Body {
 public:
  Body(const Clock& clock, std::size_t bytes_max, milliseconds timeout)
      : clock_(clock),
        bytes_max_(bytes_max),
        until_us_(clock.steady_us() + std::chrono::microseconds(timeout).count()) {}

  bool take(const char* data, std::size_t size) {
    too_large_ = text_.size() + size > bytes_max_;
    late_ = clock_.steady_us() > until_us_;
    if (too_large_ || late_) return false;
    text_.append(data, size);
    return true;
  }
  std::string& text() { return text_; }
  std::string_view complaint() const {
    return too_large_ ? "the answer is too large" : late_ ? "the answer takes too long" : "";
  }

 private:
  const Clock& clock_;
  const std::size_t bytes_max_;
  const std::int64_t until_us_;
  std::string text_;
  bool too_large_ = false, late_ = false;
};

}  // namespace

ApiClient::ApiClient(ServiceAccount account, ApiClientOptions options, const Clock& clock)
    : account_(std::move(account)),
      options_(std::move(options)),
      clock_(clock),
      token_(account_.token_file, clock) {}

ApiResult<std::string> ApiClient::call(const ApiRequest& request, const std::stop_token& stop) {
  for (int failures = 0;;) {
    if (!pause(pause_left(), stop)) {
      return std::unexpected(error_of(request, Failure::kStopped, "given up"));
    }
    auto answer = attempt_with_fresh_token(request);
    if (answer) return std::move(answer->body);
    ++failures;
    const ApiError& error = answer.error();
    const auto asked = requested_pause(options_.retry, error);
    if (asked.count() > 0) {
      left_alone_until_us_ = clock_.steady_us() + std::chrono::microseconds(asked).count();
    }
    const double random = std::uniform_real_distribution<double>(0.0, 1.0)(random_);
    const auto delay =
        delay_before_retry(options_.retry, error, failures, request.repeatable(), random);
    if (!delay || !pause(*delay, stop)) return std::unexpected(error);
  }
}

// A token that has just been replaced is refused at most once.
ApiResult<ApiClient::Answer> ApiClient::attempt_with_fresh_token(const ApiRequest& request) {
  auto answer = attempt(request);
  if (answer || !answer.error().is_status(401)) return answer;
  token_.distrust();
  return attempt(request);
}

ApiResult<ApiClient::Answer> ApiClient::attempt(const ApiRequest& request) {
  auto answer = [&]() -> ApiResult<Answer> {
    const auto token = token_.get();
    if (!token) {
      return std::unexpected(error_of(request, Failure::kCredentials, token.error().message));
    }
    return exchange(request, *token);
  }();
  if (!observer_) return answer;
  const bool answered = answer || answer.error().failure == Failure::kStatus;
  const std::string code =
      answered ? std::to_string(answer ? answer->status : answer.error().http_status)
               : std::string(to_string(answer.error().failure));
  observer_({.method = request.method, .code = code, .answered = answered});
  return answer;
}

ApiResult<ApiClient::Answer> ApiClient::exchange(const ApiRequest& request,
                                                 const std::string& token) {
  httplib::SSLClient client(account_.host, account_.port);
  client.set_ca_cert_path(account_.ca_file.c_str());
  client.enable_server_certificate_verification(true);
  client.set_connection_timeout(options_.connect_timeout);
  client.set_read_timeout(options_.answer_timeout);
  client.set_write_timeout(options_.answer_timeout);
  client.set_follow_location(false);

  Body body(clock_, options_.body_bytes_max, options_.answer_timeout);
  httplib::Request out;
  out.method = request.method;
  out.path = request.path;
  out.body = request.body;
  if (!request.body.empty()) out.set_header("Content-Type", request.content_type);
  out.set_header("Accept", "application/json");
  out.set_header("Authorization", "Bearer " + token);
  out.set_header("User-Agent", options_.user_agent);
  out.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
    return body.take(data, size);
  };
  const httplib::Result answer = client.send(out);
  if (!answer) {
    const Failure failure = failure_of(answer.error());
    std::string cause = answer.error() == httplib::Error::SSLServerVerification
                            ? verify_text(client.get_openssl_verify_result())
                            : httplib::to_string(answer.error());
    if (!body.complaint().empty()) cause = body.complaint();
    return std::unexpected(error_of(
        request, failure,
        "the API server at " + account_.host + ":" + std::to_string(account_.port) +
            (failure == Failure::kTls ? " is not trusted: " : " does not answer: ") + cause));
  }
  if (answer->status / 100 == 2) return Answer{answer->status, std::move(body.text())};
  ApiError error = error_of(request, Failure::kStatus, {});
  error.http_status = answer->status;
  error.status = parse_status(body.text());
  if (const auto after = parse_retry_after(answer->get_header_value("Retry-After"))) {
    error.status.retry_after = after;
  }
  return std::unexpected(std::move(error));
}

milliseconds ApiClient::pause_left() const {
  const std::int64_t left_us = left_alone_until_us_ - clock_.steady_us();
  return milliseconds(std::max<std::int64_t>(0, (left_us + 999) / 1000));
}

// False: `stop` came first.
bool ApiClient::pause(milliseconds delay, const std::stop_token& stop) {
  if (stop.stop_requested()) return false;
  if (delay.count() == 0) return true;
  std::mutex mutex;
  std::condition_variable_any woken;
  std::unique_lock lock(mutex);
  woken.wait_for(lock, stop, delay, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace gantry::kube

// SPDX-License-Identifier: Apache-2.0
// Why a request to the Kubernetes API has no result. Plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace gantry::kube {

enum class Failure : std::uint8_t {
  kCredentials,  // no readable token or certificate of the service account; nothing was sent
  kTls,          // the API server is not the one the service account trusts
  kConnect,      // no connection; nothing was sent
  kAnswer,       // no complete answer: the request may have been carried out
  kStatus,       // an answer other than 2xx
  kMalformed,    // an answer that is not what the path returns
  kStopped,      // the caller gave up
};

std::string_view to_string(Failure failure);

// What a `Status` object of the API says; fields it lacks are empty.
struct Status {
  std::string reason{};   // e.g. NotFound, Forbidden, Conflict
  std::string message{};  // for people
  std::optional<std::chrono::seconds> retry_after{};
};

// Of the body of an answer. Tolerant: a body that is no Status gives an empty one, with the
// beginning of the text as its message.
Status parse_status(std::string_view body);

struct ApiError {
  Failure failure = Failure::kConnect;
  std::string method{};  // GET, PATCH
  std::string path{};
  int http_status = 0;  // kStatus only
  Status status{};      // kStatus: what the server says; otherwise `message` is the cause

  bool is_status(int code) const { return failure == Failure::kStatus && http_status == code; }
  // The object is not the one that the request meant: another version or another uid.
  bool is_conflict() const { return is_status(409) || is_status(422); }

  // "GET /api/v1/…: 403 Forbidden: pods "a" is forbidden: …"
  std::string describe() const;
};

template <class T>
using ApiResult = std::expected<T, ApiError>;

}  // namespace gantry::kube

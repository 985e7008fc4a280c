// SPDX-License-Identifier: Apache-2.0
// Checks every typed body goes through.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace gantry::protocol {

// The body writes exactly `json`, and `json` reads back as the body.
template <class T>
void expect_json(const T& body, std::string_view json) {
  EXPECT_EQ(body.to_json(), json);
  const Result<T> back = T::from_json(json);
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_EQ(*back, body);
}

template <class T>
T parse(std::string_view json) {
  Result<T> body = T::from_json(json);
  EXPECT_TRUE(body.has_value()) << body.error().message;
  return body ? std::move(*body) : T{};
}

template <class T>
std::string parse_error(std::string_view json) {
  const Result<T> body = T::from_json(json);
  return body ? "" : body.error().message;
}

// No cut of a valid body may decode, crash or read past its end.
template <class T>
void expect_every_cut_fails(const std::string& json) {
  for (std::size_t size = 0; size < json.size(); ++size) {
    EXPECT_FALSE(T::from_json(json.substr(0, size)).has_value()) << size;
  }
}

}  // namespace gantry::protocol

// SPDX-License-Identifier: Apache-2.0
// Finds the handler of a method and path. Filled before the server starts, then only read, so the
// HTTP threads need no lock. Private to libs/http.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "http/http_server.h"

namespace gantry::http {

class Router {
 public:
  void add(std::string_view method, std::string_view pattern, Handler handler);

  struct Match {
    const Handler* handler = nullptr;  // nullptr: none
    std::map<std::string, std::string> params;
  };
  Match find(std::string_view method, std::string_view path) const;

  // Methods that have a handler for `path`, e.g. "GET, POST"; empty: there is nothing at `path`.
  std::string allowed(std::string_view path) const;

 private:
  // In the order of preference when several routes match.
  enum class PartKind { kLiteral, kNamed, kRest };
  struct Part {
    PartKind kind;
    std::string text;  // literal text or name
  };
  struct Route {
    std::string method;
    std::vector<Part> parts;
    Handler handler;
  };

  static std::vector<Part> parse(std::string_view pattern);
  static bool matches(const std::vector<Part>& parts, std::string_view path,
                      std::map<std::string, std::string>* params);
  static bool preferred(const std::vector<Part>& a, const std::vector<Part>& b);

  std::vector<Route> routes_;
};

}  // namespace gantry::http

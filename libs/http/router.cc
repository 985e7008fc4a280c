// SPDX-License-Identifier: Apache-2.0
#include "http/router.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace gantry::http {
namespace {

constexpr std::string_view kRestMark = "...";

// Takes the part before the next '/' off `path`.
std::string_view take_part(std::string_view& path) {
  const std::size_t end = std::min(path.find('/'), path.size());
  const std::string_view part = path.substr(0, end);
  path.remove_prefix(std::min(end + 1, path.size()));
  return part;
}

// Without the leading '/'; "/a" and "/a/" are the same place.
std::string_view normal(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  if (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

}  // namespace

std::vector<Router::Part> Router::parse(std::string_view pattern) {
  std::vector<Part> parts;
  for (std::string_view rest = normal(pattern); !rest.empty();) {
    std::string_view text = take_part(rest);
    if (!text.starts_with('{') || !text.ends_with('}')) {
      parts.push_back({PartKind::kLiteral, std::string(text)});
      continue;
    }
    text = text.substr(1, text.size() - 2);
    const bool takes_rest = text.ends_with(kRestMark);
    if (takes_rest) text.remove_suffix(kRestMark.size());
    parts.push_back({takes_rest ? PartKind::kRest : PartKind::kNamed, std::string(text)});
  }
  return parts;
}

bool Router::matches(const std::vector<Part>& parts, std::string_view path,
                     std::map<std::string, std::string>* params) {
  std::string_view rest = normal(path);
  for (const Part& part : parts) {
    if (rest.empty()) return false;
    const std::string_view text =
        part.kind == PartKind::kRest ? std::exchange(rest, {}) : take_part(rest);
    if (part.kind == PartKind::kLiteral) {
      if (text != part.text) return false;
      continue;
    }
    if (text.empty()) return false;
    if (params != nullptr) params->emplace(part.text, text);
  }
  return rest.empty();
}

bool Router::preferred(const std::vector<Part>& a, const std::vector<Part>& b) {
  return std::ranges::lexicographical_compare(a, b, {}, &Part::kind, &Part::kind);
}

void Router::add(std::string_view method, std::string_view pattern, Handler handler) {
  Route route{std::string(method), parse(pattern), std::move(handler)};
  const auto at = std::ranges::find_if(
      routes_, [&](const Route& other) { return preferred(route.parts, other.parts); });
  routes_.insert(at, std::move(route));
}

Router::Match Router::find(std::string_view method, std::string_view path) const {
  if (method == "HEAD") method = "GET";
  for (const Route& route : routes_) {
    if (route.method != method) continue;
    Match match;
    if (!matches(route.parts, path, &match.params)) continue;
    match.handler = &route.handler;
    return match;
  }
  return {};
}

std::string Router::allowed(std::string_view path) const {
  std::vector<std::string_view> methods;
  for (const Route& route : routes_) {
    if (matches(route.parts, path, nullptr)) methods.push_back(route.method);
  }
  std::ranges::sort(methods);
  const auto [first, last] = std::ranges::unique(methods);
  methods.erase(first, last);
  std::string text;
  for (const std::string_view method : methods) {
    if (!text.empty()) text += ", ";
    text += method;
  }
  return text;
}

}  // namespace gantry::http

// SPDX-License-Identifier: Apache-2.0
#include "http/health.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

namespace gantry::http {
namespace {

constexpr std::string_view kPlainText = "text/plain; charset=utf-8";

std::string_view name_of(Probe probe) {
  switch (probe) {
    case Probe::kLive:
      return "livez";
    case Probe::kReady:
      return "readyz";
    case Probe::kStartup:
      return "startupz";
  }
  return "";
}

Response plain(bool healthy, std::string body) {
  return {.status = healthy ? 200 : 503,
          .content_type = std::string(kPlainText),
          .body = std::move(body)};
}

std::set<std::string> excluded(const Request& request) {
  std::set<std::string> names;
  const auto [first, last] = request.query.equal_range("exclude");
  for (auto at = first; at != last; ++at) {
    if (!at->second.empty()) names.insert(at->second);
  }
  return names;
}

bool wants_json(const Request& request) {
  const auto format = request.query.find("format");
  return format != request.query.end() && format->second == "json";
}

struct Outcome {
  std::string name;
  bool excluded = false;
  CheckResult failure;
};

std::string line_of(const Outcome& outcome) {
  if (outcome.excluded) return "[+]" + outcome.name + " excluded: ok\n";
  if (!outcome.failure) return "[+]" + outcome.name + " ok\n";
  return "[-]" + outcome.name + " failed: " + outcome.failure->text + "\n";
}

Response as_json(bool healthy, const std::vector<Outcome>& outcomes) {
  using Json = nlohmann::json;
  Json checks = Json::array();
  for (const Outcome& outcome : outcomes) {
    Json check{{"name", outcome.name}, {"healthy", !outcome.failure}};
    if (outcome.excluded) check["excluded"] = true;
    if (outcome.failure) check["message"] = outcome.failure->text;
    if (outcome.failure && !outcome.failure->reason.empty()) {
      check["reason"] = outcome.failure->reason;
    }
    checks.push_back(std::move(check));
  }
  const Json body{{"healthy", healthy}, {"checks", std::move(checks)}};
  // Texts may come from other servers, with any bytes.
  return {.status = healthy ? 200 : 503,
          .body = body.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"};
}

}  // namespace

void HealthChecks::add(Probe probe, std::string name, Check check) {
  const std::lock_guard lock(mutex_);
  const auto same = std::ranges::find_if(
      checks_, [&](const Named& c) { return c.probe == probe && c.name == name; });
  if (same != checks_.end()) {
    same->check = std::move(check);
  } else {
    checks_.push_back({probe, std::move(name), std::move(check)});
  }
}

std::vector<HealthChecks::Named> HealthChecks::checks_of(Probe probe) const {
  const std::lock_guard lock(mutex_);
  std::vector<Named> found;
  std::ranges::copy_if(checks_, std::back_inserter(found),
                       [&](const Named& check) { return check.probe == probe; });
  return found;
}

Response HealthChecks::probe(Probe probe, const Request& request) const {
  std::set<std::string> excludes = excluded(request);
  bool all_healthy = true;
  std::vector<Outcome> outcomes;
  for (const Named& named : checks_of(probe)) {
    const bool left_out = excludes.erase(named.name) > 0;
    outcomes.push_back({named.name, left_out, left_out ? std::nullopt : named.check()});
    if (outcomes.back().failure) all_healthy = false;
  }
  if (wants_json(request)) return as_json(all_healthy, outcomes);
  std::string text;
  for (const Outcome& outcome : outcomes) text += line_of(outcome);
  if (!excludes.empty()) {
    text += "warn: some health checks cannot be excluded: no matches for";
    for (const std::string& name : excludes) text += " \"" + name + "\"";
    text += '\n';
  }
  if (all_healthy && !request.has_query("verbose")) return plain(true, "ok");
  text += std::string(name_of(probe)) + (all_healthy ? " check passed\n" : " check failed\n");
  return plain(all_healthy, std::move(text));
}

Response HealthChecks::one(Probe probe, std::string_view name) const {
  for (const Named& named : checks_of(probe)) {
    if (named.name != name) continue;
    const CheckResult failure = named.check();
    return plain(!failure, failure ? failure->text + "\n" : "ok");
  }
  Response missing = plain(false, "no such check\n");
  missing.status = 404;
  return missing;
}

bool HealthChecks::healthy(Probe probe) const {
  return std::ranges::none_of(checks_of(probe),
                              [](const Named& named) { return named.check().has_value(); });
}

void HealthChecks::mount(HttpServer& server) const {
  const auto add = [&](const std::string& path, Probe kind) {
    server.get(path, [this, kind](const Request& request) { return probe(kind, request); });
    server.get(path + "/{check}", [this, kind](const Request& request) {
      return one(kind, request.params.at("check"));
    });
  };
  add("/livez", Probe::kLive);
  add("/healthz", Probe::kLive);
  add("/readyz", Probe::kReady);
  add("/startupz", Probe::kStartup);
}

}  // namespace gantry::http

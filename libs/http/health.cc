// SPDX-License-Identifier: Apache-2.0
#include "http/health.h"

#include <algorithm>
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
  std::string text;
  for (const Named& named : checks_of(probe)) {
    if (excludes.erase(named.name) > 0) {
      text += "[+]" + named.name + " excluded: ok\n";
      continue;
    }
    const CheckResult reason = named.check();
    if (reason) all_healthy = false;
    text +=
        reason ? "[-]" + named.name + " failed: " + *reason + "\n" : "[+]" + named.name + " ok\n";
  }
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
    const CheckResult reason = named.check();
    return plain(!reason, reason ? *reason + "\n" : "ok");
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

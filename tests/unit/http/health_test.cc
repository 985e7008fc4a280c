// SPDX-License-Identifier: Apache-2.0
#include "http/health.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace gantry::http {
namespace {

CheckResult healthy() { return std::nullopt; }
CheckResult no_quorum() { return NotReady{.text = "no quorum", .reason = reason::kNoLeader}; }

Request with_query(std::multimap<std::string, std::string> query) {
  return {.query = std::move(query)};
}

TEST(Health, without_checks_a_probe_is_healthy) {
  const HealthChecks checks;
  const Response response = checks.probe(Probe::kReady, {});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "ok");
  EXPECT_EQ(response.content_type, "text/plain; charset=utf-8");
  EXPECT_TRUE(checks.healthy(Probe::kReady));
}

TEST(Health, verbose_lists_the_checks_in_order) {
  HealthChecks checks;
  checks.add(Probe::kReady, "log", healthy);
  checks.add(Probe::kReady, "leader", healthy);
  checks.add(Probe::kLive, "loops", no_quorum);
  const Response response = checks.probe(Probe::kReady, with_query({{"verbose", ""}}));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "[+]log ok\n[+]leader ok\nreadyz check passed\n");
}

TEST(Health, a_failed_check_is_shown_even_without_verbose) {
  HealthChecks checks;
  checks.add(Probe::kReady, "log", healthy);
  checks.add(Probe::kReady, "leader", no_quorum);
  const Response response = checks.probe(Probe::kReady, {});
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.body, "[+]log ok\n[-]leader failed: no quorum\nreadyz check failed\n");
  EXPECT_FALSE(checks.healthy(Probe::kReady));
  EXPECT_TRUE(checks.healthy(Probe::kLive));
}

TEST(Health, exclude_leaves_checks_out_and_names_unknown_ones) {
  HealthChecks checks;
  bool asked = false;
  checks.add(Probe::kLive, "log", healthy);
  checks.add(Probe::kLive, "leader", [&asked]() -> CheckResult {
    asked = true;
    return no_quorum();
  });
  const Response response = checks.probe(
      Probe::kLive, with_query({{"verbose", ""}, {"exclude", "leader"}, {"exclude", "x"}}));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body,
            "[+]log ok\n[+]leader excluded: ok\n"
            "warn: some health checks cannot be excluded: no matches for \"x\"\n"
            "livez check passed\n");
  EXPECT_FALSE(asked);
}

TEST(Health, json_has_a_reason_for_programs) {
  HealthChecks checks;
  checks.add(Probe::kReady, "log", healthy);
  checks.add(Probe::kReady, "leader", no_quorum);
  checks.add(Probe::kReady, "foreign",
             [] { return CheckResult(NotReady{.text = "it says \"\xff\""}); });
  checks.add(Probe::kReady, "other", no_quorum);
  const Response response =
      checks.probe(Probe::kReady, with_query({{"format", "json"}, {"exclude", "other"}}));
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(nlohmann::json::parse(response.body), nlohmann::json::parse(R"({"healthy": false,
      "checks": [{"name": "log", "healthy": true},
                 {"name": "leader", "healthy": false, "reason": "NoLeader", "message": "no quorum"},
                 {"name": "foreign", "healthy": false, "message": "it says \"\ufffd\""},
                 {"name": "other", "healthy": true, "excluded": true}]})"));
  const Response good = checks.probe(Probe::kLive, with_query({{"format", "json"}}));
  EXPECT_EQ(good.status, 200);
  EXPECT_EQ(good.body, "{\"checks\":[],\"healthy\":true}\n");
}

TEST(Health, single_checks) {
  HealthChecks checks;
  checks.add(Probe::kStartup, "recovery", no_quorum);
  checks.add(Probe::kStartup, "listeners", healthy);
  EXPECT_EQ(checks.one(Probe::kStartup, "listeners").status, 200);
  EXPECT_EQ(checks.one(Probe::kStartup, "listeners").body, "ok");
  EXPECT_EQ(checks.one(Probe::kStartup, "recovery").status, 503);
  EXPECT_EQ(checks.one(Probe::kStartup, "recovery").body, "no quorum\n");
  EXPECT_EQ(checks.one(Probe::kStartup, "other").status, 404);
  EXPECT_EQ(checks.one(Probe::kLive, "listeners").status, 404);
}

TEST(Health, a_check_may_be_replaced) {
  HealthChecks checks;
  checks.add(Probe::kReady, "leader", no_quorum);
  checks.add(Probe::kReady, "leader", healthy);
  EXPECT_EQ(checks.probe(Probe::kReady, with_query({{"verbose", ""}})).body,
            "[+]leader ok\nreadyz check passed\n");
}

}  // namespace
}  // namespace gantry::http

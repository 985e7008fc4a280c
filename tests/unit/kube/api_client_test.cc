// SPDX-License-Identifier: Apache-2.0
// The client against a TLS server in this process.
#include "kube/api_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <nlohmann/json.hpp>

#include "kube/pods.h"
#include "tests/support/fake_kube_api.h"

namespace gantry::kube {
namespace {

using namespace std::chrono_literals;
using test::FakeApi;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kPod =
    R"({"kind":"Pod","metadata":{"name":"b-0","uid":"u1","labels":{"a":"1"}}})";
constexpr const char* kPath = "/api/v1/namespaces/shop/pods/b-0";

std::string status_body(int code, const std::string& reason, const std::string& message) {
  return nlohmann::json{
      {"kind", "Status"}, {"reason", reason}, {"message", message}, {"code", code}}
      .dump();
}

ApiClientOptions quick() {
  return {.answer_timeout = 5000ms,
          .retry = {.attempts_max = 3, .first_delay = 1ms, .delay_max = 2ms}};
}

class ApiClientTest : public ::testing::Test {
 protected:
  ApiClient client(ApiClientOptions options = quick()) {
    ApiClient made(api.account(), std::move(options));
    made.observe([this](const Attempt& a) {
      attempts.push_back(std::string(a.method) + " " + std::string(a.code));
    });
    return made;
  }

  FakeApi api;
  std::vector<std::string> attempts;
};

TEST_F(ApiClientTest, GetsAPodWithItsToken) {
  api.answer(200, kPod);
  ApiClient made = client();
  const auto pod = Pods(made, "shop").get("b-0");
  ASSERT_TRUE(pod) << pod.error().describe();
  EXPECT_EQ(pod->uid, "u1");
  ASSERT_EQ(api.requests().size(), 1U);
  const auto request = api.requests()[0];
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.path, kPath);
  EXPECT_EQ(request.get_header_value("Authorization"), "Bearer first-token");
  EXPECT_EQ(request.get_header_value("User-Agent"), "gantry");
  EXPECT_THAT(attempts, ElementsAre("GET 200"));
}

TEST_F(ApiClientTest, ChangesLabelsByMergePatch) {
  api.answer(200, kPod);
  ApiClient made = client();
  const auto pod = Pods(made, "shop").change_labels("b-0", "u1", {{"x", "true"}});
  ASSERT_TRUE(pod) << pod.error().describe();
  ASSERT_EQ(api.requests().size(), 1U);
  const auto request = api.requests()[0];
  EXPECT_EQ(request.method, "PATCH");
  EXPECT_EQ(request.get_header_value("Content-Type"), "application/merge-patch+json");
  EXPECT_EQ(request.body, label_patch("u1", {{"x", "true"}}));
}

TEST_F(ApiClientTest, ARefusedTokenIsReadAgainAtOnce) {
  api.answer([this](const httplib::Request& request, httplib::Response& response) {
    const bool good = request.get_header_value("Authorization") == "Bearer second-token";
    response.status = good ? 200 : 401;
    response.set_content(good ? kPod : status_body(401, "Unauthorized", "Unauthorized"),
                         "application/json");
    // The kubelet puts the next one there while the first is refused.
    api.directory().write("token", "second-token");
  });
  ApiClient made = client({.retry = {.first_delay = 1h, .delay_max = 1h}});
  const auto pod = Pods(made, "shop").get("b-0");
  ASSERT_TRUE(pod) << pod.error().describe();
  EXPECT_THAT(attempts, ElementsAre("GET 401", "GET 200"));
  ASSERT_TRUE(Pods(made, "shop").get("b-0"));
  EXPECT_EQ(attempts.size(), 3U) << "the new token is kept";
}

TEST_F(ApiClientTest, ATokenThatIsRefusedTwiceIsAnError) {
  api.answer(401, status_body(401, "Unauthorized", "who are you"));
  ApiClient made = client();
  const auto answer = made.call({.path = kPath});
  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.error().is_status(401));
  EXPECT_EQ(attempts.size(), 2U);
}

TEST_F(ApiClientTest, WithoutATokenNothingIsSent) {
  std::filesystem::remove(api.directory().path() + "/token");
  ApiClient made = client();
  const auto answer = made.call({.path = kPath});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().failure, Failure::kCredentials);
  EXPECT_THAT(answer.error().describe(), HasSubstr("/token"));
  EXPECT_TRUE(api.requests().empty());
  EXPECT_THAT(attempts, ElementsAre("GET credentials"));
}

TEST_F(ApiClientTest, FinalAnswersAreTakenAtTheirWord) {
  for (const auto& [code, reason] : {std::pair{403, "Forbidden"}, std::pair{404, "NotFound"},
                                     std::pair{409, "Conflict"}, std::pair{422, "Invalid"}}) {
    attempts.clear();
    api.answer(code, status_body(code, reason, "pods \"b-0\" …"));
    ApiClient made = client();
    const auto answer = made.call({.path = kPath});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().describe(), "GET " + std::string(kPath) + ": " + std::to_string(code) +
                                             " " + reason + ": pods \"b-0\" …");
    EXPECT_EQ(attempts.size(), 1U) << code;
  }
}

TEST_F(ApiClientTest, FailuresOfTheServerAreTriedAgain) {
  api.answer([count = std::make_shared<std::atomic<int>>(0)](const httplib::Request&,
                                                             httplib::Response& response) {
    const int number = ++*count;
    response.status = number == 1 ? 500 : number == 2 ? 429 : 200;
    response.set_content(kPod, "application/json");
  });
  ApiClient made = client();
  EXPECT_TRUE(made.call({.path = kPath}));
  EXPECT_THAT(attempts, ElementsAre("GET 500", "GET 429", "GET 200"));
}

TEST_F(ApiClientTest, AttemptsAreBounded) {
  api.answer(503, "no");
  ApiClient made = client();
  const auto answer = made.call({.path = kPath});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().describe(), "GET " + std::string(kPath) + ": 503: no");
  EXPECT_EQ(attempts.size(), 3U);
}

TEST_F(ApiClientTest, AServerThatAsksForAPauseGetsIt) {
  api.answer([](const httplib::Request&, httplib::Response& response) {
    response.status = 429;
    response.set_header("Retry-After", "3600");
  });
  ApiClient made = client();
  std::stop_source source;
  made.observe([&](const Attempt&) { source.request_stop(); });
  // Two requests, one attempt: the second is not even sent.
  EXPECT_FALSE(made.call({.path = kPath}, source.get_token()));
  std::stop_source again;
  auto second =
      std::async(std::launch::async, [&] { return made.call({.path = kPath}, again.get_token()); });
  EXPECT_EQ(second.wait_for(50ms), std::future_status::timeout);
  again.request_stop();
  const auto answer = second.get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().failure, Failure::kStopped);
  EXPECT_EQ(api.requests().size(), 1U);
}

TEST_F(ApiClientTest, ASlowServerIsNotWaitedFor) {
  std::promise<void> over;
  api.answer([done = over.get_future().share()](const httplib::Request&, httplib::Response&) {
    done.wait();
  });
  ApiClient made = client({.answer_timeout = 50ms, .retry = {.attempts_max = 1}});
  const auto answer = made.call({.path = kPath});
  over.set_value();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().failure, Failure::kAnswer);
  EXPECT_THAT(attempts, ElementsAre("GET answer"));
}

// Each part arrives within the timeout of a read, the whole never does.
TEST_F(ApiClientTest, AnAnswerThatTricklesIsNotWaitedFor) {
  api.answer([](const httplib::Request&, httplib::Response& response) {
    response.set_chunked_content_provider(
        "application/json",
        [](std::size_t, httplib::DataSink& sink) { return sink.write(" ", 1); });
  });
  ApiClient made = client({.answer_timeout = 100ms, .retry = {.attempts_max = 1}});
  const auto answer = made.call({.path = kPath});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().failure, Failure::kAnswer);
  EXPECT_THAT(answer.error().describe(), HasSubstr("takes too long"));
}

TEST_F(ApiClientTest, AnAnswerWithoutEndIsRefused) {
  api.answer(200, std::string(10'000, ' '));
  ApiClient made = client({.body_bytes_max = 9'999, .retry = {.attempts_max = 1}});
  const auto answer = made.call({.path = kPath});
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().describe(), HasSubstr("too large"));
}

TEST_F(ApiClientTest, HalfAnAnswerIsNone) {
  api.answer([](const httplib::Request&, httplib::Response& response) {
    response.set_content_provider(1000, "application/json",
                                  [](std::size_t offset, std::size_t, httplib::DataSink& sink) {
                                    return offset == 0 && sink.write(kPod, 40);
                                  });
  });
  ApiClient made = client();
  const auto answer = made.call({.path = kPath});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().failure, Failure::kAnswer);
  EXPECT_EQ(attempts.size(), 3U);
}

TEST_F(ApiClientTest, AnAnswerThatIsNoPodIsAnError) {
  api.answer(200, "<html>");
  ApiClient made = client();
  const auto pod = Pods(made, "shop").get("b-0");
  ASSERT_FALSE(pod);
  EXPECT_EQ(pod.error().failure, Failure::kMalformed);
  EXPECT_THAT(pod.error().describe(), HasSubstr(std::string("GET ") + kPath));
}

TEST_F(ApiClientTest, AServerOfAnotherAuthorityIsNotTrusted) {
  api.trust(test::make_identity(nullptr, "somebody else"));
  api.answer(200, kPod);
  ApiClient made = client();
  auto answer = made.call({.path = kPath});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().failure, Failure::kTls);
  EXPECT_THAT(answer.error().describe(), HasSubstr("is not trusted: "));
  EXPECT_TRUE(api.requests().empty()) << "no token goes to a stranger";
  EXPECT_EQ(attempts.size(), 1U);
  // The authority is read again: its rotation needs no restart.
  api.trust(api.authority());
  answer = made.call({.path = kPath});
  EXPECT_TRUE(answer) << answer.error().describe();
}

TEST(ApiClientHost, ACertificateForAnotherHostIsNotTrusted) {
  FakeApi api("IP:127.0.0.9");
  api.answer(200, kPod);
  ApiClient made(api.account(), quick());
  const auto answer = made.call({.path = kPath});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().failure, Failure::kTls);
  EXPECT_THAT(answer.error().describe(), HasSubstr("another host"));
  EXPECT_TRUE(api.requests().empty());
}

TEST_F(ApiClientTest, NobodyAnswers) {
  api.stop();
  ApiClient made = client();
  const auto answer = made.call({.path = kPath});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().failure, Failure::kConnect);
  EXPECT_THAT(answer.error().describe(), HasSubstr("127.0.0.1:"));
  EXPECT_THAT(attempts, ElementsAre("GET connect", "GET connect", "GET connect"));
}

TEST_F(ApiClientTest, PausesEndWhenTheCallerGivesUp) {
  api.answer(500, "no");
  ApiClient made = client({.retry = {.attempts_max = 5, .first_delay = 1h, .delay_max = 1h}});
  std::stop_source source;
  made.observe([&](const Attempt&) { source.request_stop(); });
  const auto answer = made.call({.path = kPath}, source.get_token());
  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.error().is_status(500)) << "the reason, not that it was stopped";
}

TEST_F(ApiClientTest, WhatMayHaveHappenedIsNotPostedTwice) {
  api.answer(500, "no");
  ApiClient made = client();
  EXPECT_FALSE(made.call(
      {.method = "POST", .path = kPath, .body = "{}", .content_type = "application/json"}));
  EXPECT_THAT(attempts, ElementsAre("POST 500"));
}

}  // namespace
}  // namespace gantry::kube

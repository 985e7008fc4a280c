// SPDX-License-Identifier: Apache-2.0
// What every command has in common: exit codes, help, the cluster that is not there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/failure.h"
#include "cli/run.h"
#include "tests/unit/cli/fake_cluster.h"

namespace gantry::test {
namespace {

using cli::ExitCode;
using nlohmann::json;
using protocol::RequestCode;
using testing::HasSubstr;

using Words = std::vector<std::string>;

const std::vector<Words> kCommands = {
    {"up"},
    {"topic", "create"},
    {"topic", "list"},
    {"topic", "describe"},
    {"topic", "delete"},
    {"group", "list"},
    {"group", "describe"},
    {"group", "lag"},
    {"group", "reset-offset"},
    {"message", "get"},
    {"message", "query"},
    {"produce"},
    {"consume"},
    {"bench", "produce"},
    {"bench", "consume"},
    {"bench", "e2e"},
    {"cluster"},
    {"cluster", "recover"},
    {"log", "verify"},
    {"log", "dump"},
    {"completion"},
};

TEST(Usage, EveryCommandHasHelpWithExamples) {
  for (Words words : kCommands) {
    std::string example = "gantry";
    for (const std::string& word : words) example += ' ' + word;
    words.push_back("--help");
    const Ran ran = run_gantry(words);
    EXPECT_EQ(ran.code, 0) << example;
    EXPECT_THAT(ran.out, HasSubstr("Examples:")) << example;
    EXPECT_THAT(ran.out, HasSubstr(example));
  }
}

TEST(Usage, TheToolsHelpNamesTheExitCodes) {
  const Ran ran = run_gantry({"--help"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, HasSubstr("Exit codes"));
}

TEST(Usage, WrongCommandLinesAreCodeTwo) {
  for (const Words& words : std::vector<Words>{{},
                                               {"nonsense"},
                                               {"topic"},
                                               {"topic", "create"},
                                               {"topic", "create", "x", "--nonsense"},
                                               {"topic", "create", "x", "--queues", "many"},
                                               {"topic", "create", "x", "--queues", "0"},
                                               {"completion", "tcsh"},
                                               {"--timeout", "0", "cluster"},
                                               {"--namesrv", "nonsense", "cluster"}}) {
    const Ran ran = run_gantry(words);
    EXPECT_EQ(ran.code, 2) << testing::PrintToString(words);
    EXPECT_FALSE(ran.err.empty());
  }
}

TEST(Usage, NobodyThereIsCodeFour) {
  const std::string address = dead_address();
  for (const Words& words : std::vector<Words>{{"cluster"},
                                               {"topic", "list"},
                                               {"topic", "create", "x"},
                                               {"group", "lag", "g"},
                                               {"produce", "x", "body"},
                                               {"consume", "x"},
                                               {"bench", "produce"}}) {
    Words all = {"--namesrv", address};
    all.insert(all.end(), words.begin(), words.end());
    const Ran ran = run_gantry(all);
    EXPECT_EQ(ran.code, 4) << testing::PrintToString(words) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(address));
    EXPECT_THAT(ran.err, HasSubstr("--namesrv"));
  }
}

TEST(Usage, TheNameServerComesFromTheEnvironment) {
  const FakeCluster cluster;
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  cli::Environment environment{.in = in, .out = out, .err = err};
  environment.variable = [&](const char* name) -> std::optional<std::string> {
    return std::string_view(name) == "NAMESRV_ADDR" ? std::optional(cluster.namesrv())
                                                    : std::nullopt;
  };
  EXPECT_EQ(cli::run({"cluster"}, environment), 0) << err.str();
  EXPECT_EQ(cli::run({"-n", dead_address(), "cluster"}, environment), 4);
}

TEST(Usage, OutputThatCannotBeWrittenIsAFailure) {
  const FakeCluster cluster;
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  out.setstate(std::ios::badbit);
  cli::Environment environment{.in = in, .out = out, .err = err};
  EXPECT_EQ(cli::run({"-n", cluster.namesrv(), "cluster"}, environment), 1);
}

TEST(ExitCodes, FollowTheKindOfError) {
  EXPECT_EQ(cli::exit_code_of(ErrorCode::kNotFound), ExitCode::kNotFound);
  EXPECT_EQ(cli::exit_code_of(ErrorCode::kUnavailable), ExitCode::kUnreachable);
  EXPECT_EQ(cli::exit_code_of(ErrorCode::kTimeout), ExitCode::kUnreachable);
  EXPECT_EQ(cli::exit_code_of(ErrorCode::kCorrupt), ExitCode::kFailed);
  EXPECT_EQ(cli::exit_code_of(ErrorCode::kInvalidArgument), ExitCode::kFailed);
}

TEST(Cluster, ShowsRolesVersionsAndLoad) {
  FakeCluster cluster;
  Ran ran = run_gantry(cluster, {"cluster"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("master"));
  EXPECT_THAT(ran.out, HasSubstr("V5_3_3"));
  EXPECT_THAT(ran.out, HasSubstr("12.5"));
  EXPECT_THAT(ran.out, HasSubstr("25 %"));
  ran = run_gantry(cluster, {"cluster", "--json"});
  const json broker = json::parse(ran.out)["brokers"][0];
  EXPECT_EQ(broker["inTps"], 12.5);
  EXPECT_EQ(broker["inToday"], 1000);
  EXPECT_EQ(broker["role"], "master");
}

TEST(Cluster, ABrokerThatDoesNotAnswerIsShownAndCodeFour) {
  FakeCluster cluster;
  cluster.server().on(RequestCode::kGetBrokerRuntimeInfo,
                      [](const protocol::Command&) { return std::nullopt; });
  const Ran ran = run_gantry(cluster, {"--timeout", "50", "cluster"});
  EXPECT_EQ(ran.code, 4);
  EXPECT_THAT(ran.out, HasSubstr("no answer"));
}

TEST(Completion, KnowsAllCommandsAndOptions) {
  for (const auto* shell : {"bash", "zsh", "fish"}) {
    const Ran ran = run_gantry({"completion", shell});
    EXPECT_EQ(ran.code, 0);
    for (const auto* word : {"reset-offset", "namesrv", "warmup", "verify", "'topic create'"}) {
      EXPECT_THAT(ran.out, HasSubstr(word)) << shell;
    }
  }
}

}  // namespace
}  // namespace gantry::test

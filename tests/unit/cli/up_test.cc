// SPDX-License-Identifier: Apache-2.0
// `gantry up` with everything a first user does, in one process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "cli/run.h"
#include "tests/unit/cli/fake_cluster.h"

namespace gantry::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

// Tells when the first whole line has been written.
class LineBuffer final : public std::stringbuf {
 public:
  std::future<std::string> first_line() { return line_.get_future(); }

 protected:
  int sync() override {
    const std::string text = str();
    if (!told_ && text.find('\n') != std::string::npos) {
      told_ = true;
      line_.set_value(text.substr(0, text.find('\n')));
    }
    return 0;
  }

 private:
  std::promise<std::string> line_;
  bool told_ = false;
};

class UpTest : public testing::Test {
 protected:
  UpTest() : data_(fs::path(testing::TempDir()) / "cli_up") { fs::remove_all(data_); }
  ~UpTest() override { fs::remove_all(data_); }
  const fs::path data_;
};

TEST_F(UpTest, TheFirstFiveMinutes) {
  LineBuffer buffer;
  std::istringstream in;
  std::ostream out(&buffer);
  std::ostringstream err;
  std::stop_source stop;
  cli::Environment environment{.in = in, .out = out, .err = err, .stop = stop.get_token()};
  auto first_line = buffer.first_line();
  int code = -1;
  std::thread up([&] {
    code = cli::run({"up", "--data", data_.string(), "--namesrv-port", "0", "--broker-port", "0",
                     "--http-port", "0", "--set", "mappedFileSizeCommitLog=4194304", "--json"},
                    environment);
  });
  if (first_line.wait_for(std::chrono::seconds(60)) == std::future_status::ready) {
    const json where = json::parse(first_line.get());
    const std::string namesrv = where["namesrv"];
    const auto gantry = [&](std::vector<std::string> arguments) {
      arguments.insert(arguments.begin(), {"--namesrv", namesrv});
      return run_gantry(arguments);
    };
    EXPECT_EQ(gantry({"topic", "create", "demo"}).code, 0);
    EXPECT_EQ(gantry({"produce", "demo", "hello", "--key", "k"}).code, 0);
    EXPECT_EQ(gantry({"consume", "demo", "--body", "--group", "readers"}).out, "hello\n");
    EXPECT_THAT(gantry({"cluster"}).out, HasSubstr(where["broker"].get<std::string>()));
    EXPECT_EQ(gantry({"message", "query", "-t", "demo", "-k", "k"}).code, 0);
    const Ran lag = gantry({"group", "lag", "readers", "--json"});
    EXPECT_EQ(lag.code, 0) << lag.err;
    const Ran in_use = run_gantry({"log", "verify", (data_ / "broker").string()});
    EXPECT_EQ(in_use.code, 1);
    EXPECT_THAT(in_use.err, HasSubstr("--live"));
  } else {
    ADD_FAILURE() << "not up after a minute";
  }
  stop.request_stop();
  up.join();
  EXPECT_EQ(code, 0) << err.str();
  const Ran verified = run_gantry({"log", "verify", (data_ / "broker").string()});
  EXPECT_EQ(verified.code, 0) << verified.err;
}

TEST_F(UpTest, SaysWhatIsWrong) {
  ScriptedServer other;
  Ran ran = run_gantry({"up", "--data", data_.string(), "--namesrv-port",
                        std::to_string(other.port()), "--broker-port", "0", "--http-port", "0"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("--namesrv-port"));
  ran = run_gantry({"up", "--data", data_.string(), "--namesrv-port", "0", "--broker-port", "0",
                    "--http-port", "0", "--set", "flushDiskType=SOMETIMES"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("flushDiskType"));
  EXPECT_EQ(run_gantry({"up"}).code, 2);
  EXPECT_EQ(run_gantry({"up", "--data", "/proc/nowhere"}).code, 1);
}

}  // namespace
}  // namespace gantry::test

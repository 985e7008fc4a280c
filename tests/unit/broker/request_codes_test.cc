// SPDX-License-Identifier: Apache-2.0
// Keeps docs/protocol/request-codes.md equal to the program: every code of the protocol's table has
// its row, and a row says "supported" or "partly" exactly for what a running broker or the
// NameServer dispatches.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/app.h"
#include "config/broker_config.h"
#include "namesrv/handlers/handlers.h"
#include "protocol/codes.h"

namespace gantry {
namespace {

using protocol::HandlerSide;
using protocol::to_int;

constexpr std::string_view kBegin =
    "<!-- request codes: kept equal to the program by a unit test -->";
constexpr std::string_view kEnd = "<!-- end of request codes -->";

struct Row {
  std::string name;
  std::string process;
  std::string status;
  std::string note;
};

std::string_view process_name(HandlerSide side) {
  switch (side) {
    case HandlerSide::kNameServer:
      return "NameServer";
    case HandlerSide::kBroker:
      return "broker";
    case HandlerSide::kClient:
      return "client";
    case HandlerSide::kController:
      return "controller";
    case HandlerSide::kBrokerAndClient:
      return "broker and client";
  }
  return "";
}

std::string trimmed(std::string_view text) {
  const std::size_t from = text.find_first_not_of(' ');
  if (from == std::string_view::npos) return {};
  return std::string(text.substr(from, text.find_last_not_of(' ') - from + 1));
}

std::vector<std::string> cells_of(std::string_view line) {
  std::vector<std::string> cells;
  if (!line.starts_with('|')) return cells;
  line.remove_prefix(1);
  for (std::size_t bar = line.find('|'); bar != std::string_view::npos; bar = line.find('|')) {
    cells.push_back(trimmed(line.substr(0, bar)));
    line.remove_prefix(bar + 1);
  }
  return cells;
}

// The page's table by code. Lines that are not rows of it fail the test.
std::map<std::int32_t, Row> read_page() {
  std::map<std::int32_t, Row> rows;
  std::ifstream file(GANTRY_REQUEST_CODES_PAGE);
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  const std::size_t begin = page.find(kBegin);
  const std::size_t end = page.find(kEnd);
  if (begin == std::string::npos || end == std::string::npos || end < begin) {
    ADD_FAILURE() << "the marks of the table are missing in " << GANTRY_REQUEST_CODES_PAGE;
    return rows;
  }
  const std::size_t first = begin + kBegin.size() + 1;
  std::string_view table = std::string_view(page).substr(first, end - first);
  for (int number = 0; !table.empty(); ++number) {
    const std::string_view line = table.substr(0, table.find('\n'));
    table.remove_prefix(std::min(table.size(), line.size() + 1));
    if (number < 2) continue;  // head of the table
    const auto cells = cells_of(line);
    std::int32_t code = -1;
    if (cells.size() == 5) {
      std::from_chars(cells[0].data(), cells[0].data() + cells[0].size(), code);
    }
    if (code < 0) {
      ADD_FAILURE() << "not a row of the table: " << line;
      continue;
    }
    EXPECT_TRUE(rows.emplace(code, Row{cells[1], cells[2], cells[3], cells[4]}).second)
        << "two rows of code " << code;
  }
  return rows;
}

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "gantry-codes-XXXXXX").string();
    if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// What a broker dispatches once it runs.
std::set<std::int32_t> broker_codes() {
  const TemporaryDirectory directory;
  if (directory.path().empty()) {
    ADD_FAILURE() << "no temporary directory";
    return {};
  }
  config::Inputs inputs;
  inputs.overrides = {"brokerName=t",
                      "brokerIP1=127.0.0.1",
                      "bindAddress=127.0.0.1",
                      "listenPort=0",
                      "httpAddress=127.0.0.1",
                      "httpPort=0",
                      "namesrvAddr=",
                      "storePathRootDir=" + directory.path(),
                      "mappedFileSizeCommitLog=1048576"};
  auto loaded = config::load_broker_config(inputs);
  if (!loaded) {
    ADD_FAILURE() << loaded.error().message;
    return {};
  }
  broker::BrokerApp app(std::move(loaded->config));
  if (const auto started = app.start(); !started) {
    ADD_FAILURE() << started.error().message;
    return {};
  }
  const auto codes = app.request_codes();
  app.stop();
  return {codes.begin(), codes.end()};
}

std::set<std::int32_t> namesrv_codes() {
  std::set<std::int32_t> codes;
  for (const auto& entry : namesrv::all_handlers()) codes.insert(to_int(entry.code));
  return codes;
}

// What RocketMQ's clients, brokers and mqadmin send to a NameServer.
TEST(RequestCodes, the_namesrv_handles_every_code_of_rocketmqs) {
  const std::set<std::int32_t> expected{100, 101, 102, 103, 104, 105, 106, 205, 206, 216, 217, 219,
                                        224, 304, 311, 312, 313, 318, 319, 322, 327, 901, 904};
  EXPECT_EQ(namesrv_codes(), expected);
}

// Of mqadmin: updateTopic, topicList, topicRoute, topicStatus, updateSubGroup, consumerProgress,
// consumerConnection, clusterList, brokerStatus, queryMsgByKey, queryMsgById, resetOffsetByTime,
// deleteTopic, getBrokerConfig, updateBrokerConfig.
TEST(RequestCodes, the_broker_handles_what_everyday_commands_of_mqadmin_send) {
  const auto broker = broker_codes();
  for (const std::int32_t code : {12,  17,  25,  26,  28,  33,  200, 201, 202, 203, 207,
                                  208, 215, 222, 300, 303, 307, 309, 317, 351, 352}) {
    EXPECT_TRUE(broker.contains(code)) << code;
  }
}

TEST(RequestCodesPage, has_one_row_for_each_code_of_the_protocol) {
  auto rows = read_page();
  for (const auto& info : protocol::kRequestCodes) {
    const auto row = rows.find(to_int(info.code));
    if (row == rows.end()) {
      ADD_FAILURE() << "no row of " << to_int(info.code) << " " << info.name;
      continue;
    }
    EXPECT_EQ(row->second.name, info.name);
    EXPECT_EQ(row->second.process, process_name(info.side)) << info.name;
    rows.erase(row);
  }
  for (const auto& [code, row] : rows)
    ADD_FAILURE() << code << " " << row.name << " is no request code";
}

TEST(RequestCodesPage, says_what_is_dispatched) {
  const auto rows = read_page();
  const auto broker = broker_codes();
  const auto namesrv = namesrv_codes();
  ASSERT_FALSE(broker.empty());
  ASSERT_FALSE(namesrv.empty());
  for (const std::int32_t code : broker) EXPECT_TRUE(rows.contains(code)) << code;
  for (const std::int32_t code : namesrv) EXPECT_TRUE(rows.contains(code)) << code;
  for (const auto& [code, row] : rows) {
    const bool handled =
        row.process == "NameServer" ? namesrv.contains(code) : broker.contains(code);
    if (handled) {
      EXPECT_TRUE(row.status == "supported" || row.status == "partly")
          << code << " " << row.name << " is dispatched, the page says: " << row.status;
    } else {
      EXPECT_TRUE(row.status == "not" || row.status == "sent")
          << code << " " << row.name << " is not dispatched, the page says: " << row.status;
    }
    if (row.status != "supported") {
      EXPECT_FALSE(row.note.empty()) << code << " " << row.name << ": the page does not say why";
    }
  }
}

}  // namespace
}  // namespace gantry

// SPDX-License-Identifier: Apache-2.0
#include "protocol/codes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>

namespace gantry::protocol {
namespace {

std::ptrdiff_t count(HandlerSide side, CodePriority priority) {
  return std::ranges::count_if(kRequestCodes, [&](const RequestCodeInfo& row) {
    return row.side == side && row.priority == priority;
  });
}

// The totals that the wire reference states for its table.
TEST(Codes, TotalsOfTheReferenceTable) {
  EXPECT_EQ(kRequestCodes.size(), 140U);
  EXPECT_EQ(count(HandlerSide::kBroker, CodePriority::kP0), 20);
  EXPECT_EQ(count(HandlerSide::kBroker, CodePriority::kP1), 52);
  EXPECT_EQ(count(HandlerSide::kBroker, CodePriority::kP2), 27);
  EXPECT_EQ(count(HandlerSide::kClient, CodePriority::kP0), 3);
  EXPECT_EQ(count(HandlerSide::kClient, CodePriority::kP1), 2);
  EXPECT_EQ(count(HandlerSide::kNameServer, CodePriority::kP0), 2);
  EXPECT_EQ(count(HandlerSide::kNameServer, CodePriority::kP1), 15);
  EXPECT_EQ(count(HandlerSide::kNameServer, CodePriority::kP2), 6);
  EXPECT_EQ(count(HandlerSide::kBrokerAndClient, CodePriority::kP1), 2);
  EXPECT_EQ(count(HandlerSide::kController, CodePriority::kP2), 11);
}

TEST(Codes, NamesAreUniqueAndFound) {
  std::set<std::string_view> names;
  for (const RequestCodeInfo& row : kRequestCodes) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(request_code_name(to_int(row.code)), row.name);
    EXPECT_EQ(find_request_code(to_int(row.code)), &row);
  }
  for (const ResponseCodeInfo& row : kResponseCodes) {
    EXPECT_EQ(response_code_name(to_int(row.code)), row.name);
  }
}

TEST(Codes, WellKnownValues) {
  EXPECT_EQ(to_int(RequestCode::kSendMessageV2), 310);
  EXPECT_EQ(to_int(RequestCode::kGetRouteInfoByTopic), 105);
  EXPECT_EQ(to_int(RequestCode::kPopMessage), 200050);
  EXPECT_EQ(to_int(ResponseCode::kTopicNotExist), 17);
  EXPECT_EQ(to_int(ResponseCode::kControllerBrokerLiveInfoNotExists), 2016);
  EXPECT_EQ(request_code_name(310), "SEND_MESSAGE_V2");
  EXPECT_EQ(find_request_code(9999), nullptr);
  EXPECT_EQ(find_request_code(13), nullptr);
  EXPECT_EQ(request_code_name(-1), "UNKNOWN");
  EXPECT_EQ(response_code_name(214), "UNKNOWN");
}

}  // namespace
}  // namespace gantry::protocol

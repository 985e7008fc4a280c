// SPDX-License-Identifier: Apache-2.0
// What a person may call a member of a broker set.
#include <gtest/gtest.h>

#include "cli/broker_set.h"

namespace gantry::cli {
namespace {

SetMember member(std::string uuid, int number, std::string address) {
  SetMember made;
  made.uuid = std::move(uuid);
  made.number = number;
  made.address = std::move(address);
  return made;
}

SetView three() {
  SetView set;
  set.broker_name = "broker-a";
  set.members = {member("1f00aa3312916edec2d752c36fe94e8f", 1, "broker-0:10912"),
                 member("99b8122c833d3816cb181a3f59ed0d7a", 2, "broker-1:10912"),
                 member("99b8122c0000000000000000000000ff", 3, "broker-2:10912")};
  return set;
}

TEST(MemberName, IsANumberAnAddressOrAUuid) {
  EXPECT_EQ(find_member(three(), "2")->uuid, "99b8122c833d3816cb181a3f59ed0d7a");
  EXPECT_EQ(find_member(three(), "broker-0:10912")->number, 1);
  EXPECT_EQ(find_member(three(), "99b8122c0000000000000000000000ff")->number, 3);
}

TEST(MemberName, MayBeTheBeginningOfOneUuid) {
  EXPECT_EQ(find_member(three(), "1f00aa33")->number, 1);
  EXPECT_EQ(find_member(three(), "99b8122c8")->number, 2);
  EXPECT_NE(find_member(three(), "99b8122c").error().message.find("2 members of broker-a"),
            std::string::npos);
}

// `remove 9` has once removed the member whose uuid began with a 9.
TEST(MemberName, IsNotAShortBeginningWhichCouldBeAMistypedNumber) {
  for (const auto* text : {"9", "1f", "1f00aa3", ""}) {
    const auto found = find_member(three(), text);
    ASSERT_FALSE(found) << text;
    EXPECT_NE(found.error().message.find("no member of broker-a is called"), std::string::npos);
  }
}

}  // namespace
}  // namespace gantry::cli

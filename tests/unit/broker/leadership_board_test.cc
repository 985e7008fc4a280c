// SPDX-License-Identifier: Apache-2.0
#include "broker/http/leadership_board.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>

namespace gantry::broker {
namespace {

using namespace std::chrono_literals;

const Leadership kFirst{.leading = false, .term = 3, .leader = "a"};
const Leadership kSecond{.leading = true, .term = 4, .leader = "b"};

TEST(LeadershipBoard, every_difference_is_another_state) {
  EXPECT_EQ(kFirst.state(), Leadership(kFirst).state());
  Leadership other = kFirst;
  other.leading = true;
  EXPECT_NE(other.state(), kFirst.state());
  other = kFirst;
  other.term = 4;
  EXPECT_NE(other.state(), kFirst.state());
  other = kFirst;
  other.leader.clear();
  EXPECT_NE(other.state(), kFirst.state());
}

TEST(LeadershipBoard, who_knows_an_older_state_does_not_wait) {
  LeadershipBoard board(1);
  board.publish(kSecond);
  EXPECT_EQ(board.wait(kFirst.state(), 1h), kSecond);
  EXPECT_EQ(board.wait("", 1h), kSecond);
}

TEST(LeadershipBoard, a_change_wakes_who_waits) {
  LeadershipBoard board(1);
  board.publish(kFirst);
  auto waiting = std::async(std::launch::async, [&] { return board.wait(kFirst.state(), 1h); });
  board.publish(kFirst);  // not a change
  board.publish(kSecond);
  EXPECT_EQ(waiting.get(), kSecond);
}

TEST(LeadershipBoard, the_wait_ends_with_its_time) {
  LeadershipBoard board(1);
  board.publish(kFirst);
  EXPECT_EQ(board.wait(kFirst.state(), 1ms), kFirst);
}

TEST(LeadershipBoard, only_so_many_wait) {
  LeadershipBoard board(0);
  board.publish(kFirst);
  EXPECT_EQ(board.wait(kFirst.state(), 1h), kFirst);
}

TEST(LeadershipBoard, nobody_waits_for_what_is_closed) {
  LeadershipBoard board(2);
  board.publish(kFirst);
  auto waiting = std::async(std::launch::async, [&] { return board.wait(kFirst.state(), 1h); });
  board.close();
  EXPECT_EQ(waiting.get(), kFirst);
  EXPECT_EQ(board.wait(kFirst.state(), 1h), kFirst);
}

}  // namespace
}  // namespace gantry::broker

// SPDX-License-Identifier: Apache-2.0
#include "peer/formation.h"

#include <gtest/gtest.h>

#include <optional>

namespace gantry::peer {
namespace {

const raft::MemberId kOne(32, '1');
const raft::MemberId kTwo(32, '2');
const raft::MemberId kThree(32, '3');
const raft::MemberId kOther(32, 'f');

Peer peer(const raft::MemberId& uuid, const std::string& address) {
  Peer result;
  result.hello.member_uuid = uuid;
  result.hello.address = address;
  result.dialled = address;
  return result;
}

Peer formed_peer(const raft::MemberId& uuid, const std::string& address,
                 const raft::Membership& membership) {
  Peer result = peer(uuid, address);
  result.hello.formed = true;
  result.hello.membership = membership;
  return result;
}

raft::Membership group(std::initializer_list<std::pair<raft::MemberId, std::string>> members) {
  raft::Membership result;
  for (const auto& [id, address] : members) {
    result.put({id, address, result.free_number(), true});
  }
  return result;
}

// Member one of a, b and c.
class FormationTest : public ::testing::Test {
 protected:
  void update(std::vector<Peer> peers) { formation.update(peers, own, problems); }

  const raft::Membership whole = group({{kOne, "a:1"}, {kTwo, "b:1"}, {kThree, "c:1"}});
  std::set<std::string> own{"a:1"};
  std::map<std::string, std::string> problems;
  int calls = 0;
  raft::Membership formed;
  Formation formation{{"a:1", "b:1", "c:1"}, kOne, [this](const raft::Membership& membership) {
                        ++calls;
                        formed = membership;
                      }};
};

TEST_F(FormationTest, FormsOnceWhenAllHaveAnswered) {
  update({});
  EXPECT_EQ(formation.waiting_for(), "waiting for b:1, c:1");
  update({peer(kThree, "c:1")});
  EXPECT_EQ(formation.waiting_for(), "waiting for b:1");
  EXPECT_EQ(calls, 0);
  update({peer(kThree, "c:1"), peer(kTwo, "b:1")});
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(formed == whole) << formed.encode();
  EXPECT_TRUE(formation.done());
  EXPECT_EQ(formation.waiting_for(), "");
  update({peer(kThree, "c:1"), peer(kTwo, "b:1")});
  EXPECT_EQ(calls, 1);
}

TEST_F(FormationTest, AStoreThatIsNotEmptyIsNoPartOfANewGroup) {
  Peer two = peer(kTwo, "b:1");
  two.hello.log_end = 4096;
  update({two, peer(kThree, "c:1")});
  EXPECT_EQ(calls, 0);
  EXPECT_NE(formation.waiting_for().find("the store at b:1 is not empty"), std::string::npos)
      << formation.waiting_for();
}

TEST_F(FormationTest, AnAnswerThatIsGoneDoesNotCount) {
  update({peer(kTwo, "b:1")});
  update({peer(kThree, "c:1")});
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(formation.waiting_for(), "waiting for b:1");
}

TEST_F(FormationTest, APeerThatDialledIsKnownByItsAddress) {
  Peer two = peer(kTwo, "b:1");
  two.dialled.clear();
  update({two, peer(kThree, "c:1")});
  EXPECT_TRUE(formed == whole);
}

TEST_F(FormationTest, WhoAnswersWhenDialledCountsMoreThanWhatAPeerSays) {
  Peer liar = peer(kOther, "b:1");
  liar.dialled.clear();
  Peer two = peer(kTwo, "other-name:1");
  two.dialled = "b:1";
  update({liar, two, peer(kThree, "c:1")});
  EXPECT_TRUE(formed == whole);
}

TEST_F(FormationTest, FormsWithThoseThatFormedTheSameGroup) {
  update({formed_peer(kTwo, "b:1", whole), peer(kThree, "c:1")});
  EXPECT_TRUE(formed == whole);
}

TEST_F(FormationTest, AWipedMemberIsToldToJoin) {
  const auto before = group({{kOther, "a:1"}, {kTwo, "b:1"}, {kThree, "c:1"}});
  update({formed_peer(kTwo, "b:1", before)});
  EXPECT_EQ(formation.waiting_for(),
            "b:1 belongs to a group without this member: join it with a change of its membership "
            "that adds member " +
                kOne);
  update({formed_peer(kTwo, "b:1", before), formed_peer(kThree, "c:1", before)});
  EXPECT_EQ(calls, 0);
}

TEST_F(FormationTest, AMemberDoesNotFormAroundAWipedOne) {
  // Two formed with a third that has been wiped since: its new uuid is not in their group.
  update({formed_peer(kTwo, "b:1", whole), peer(kOther, "c:1")});
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(formation.waiting_for(),
            "b:1 belongs to a group of other members or addresses than raftInitialMembers");
}

TEST_F(FormationTest, AnotherOrderOfTheListIsNamed) {
  update({formed_peer(kTwo, "b:1", group({{kTwo, "b:1"}, {kOne, "a:1"}, {kThree, "c:1"}})),
          peer(kThree, "c:1")});
  EXPECT_EQ(calls, 0);
  EXPECT_NE(formation.waiting_for().find("in another order"), std::string::npos);
}

TEST_F(FormationTest, TheSameMemberUnderTwoAddressesIsNamed) {
  update({peer(kTwo, "b:1"), peer(kTwo, "c:1")});
  EXPECT_EQ(formation.waiting_for(), "raftInitialMembers: b:1 and c:1 are the same member");
  own.insert("b:1");
  update({peer(kThree, "c:1")});
  EXPECT_EQ(formation.waiting_for(), "raftInitialMembers: a:1 and b:1 are the same member");
  EXPECT_EQ(calls, 0);
}

TEST_F(FormationTest, AListWithoutThisMemberIsNamed) {
  own = {"elsewhere:1"};
  update({peer(kOther, "a:1"), peer(kTwo, "b:1"), peer(kThree, "c:1")});
  EXPECT_EQ(formation.waiting_for(), "raftInitialMembers: none of a:1, b:1, c:1 is this member");
  EXPECT_EQ(calls, 0);
}

TEST_F(FormationTest, WhyAnAddressIsNoPeerIsSaid) {
  problems["b:1"] = "refused by the peer: another cluster";
  update({});
  EXPECT_EQ(formation.waiting_for(), "waiting for b:1 (refused by the peer: another cluster), c:1");
}

TEST(FormationAlone, AListOfOneFormsAtOnce) {
  std::optional<raft::Membership> formed;
  Formation formation({"a:1"}, kOne, [&](const raft::Membership& m) { formed = m; });
  formation.update({}, {"a:1"}, {});
  ASSERT_TRUE(formed.has_value());
  EXPECT_TRUE(*formed == group({{kOne, "a:1"}}));
}

TEST(FormationList, IsChecked) {
  const auto reason = [](const std::vector<std::string>& list) {
    const auto result = check_initial_members(list);
    return result.has_value() ? "fits" : result.error().message;
  };
  EXPECT_EQ(reason({"a:1"}), "fits");
  EXPECT_EQ(reason({"a:1", "b:1", "[::1]:5"}), "fits");
  EXPECT_EQ(reason({}), "raftInitialMembers: no address");
  EXPECT_NE(reason({"a:1", "b:1"}).find("2 addresses"), std::string::npos);
  EXPECT_NE(reason({"a:1", "b:1", "a:1"}).find("a:1 stands there twice"), std::string::npos);
  EXPECT_NE(reason({"a"}).find("has no port"), std::string::npos);
  EXPECT_NE(reason({"a b:1"}).find("holds a space"), std::string::npos);
}

}  // namespace
}  // namespace gantry::peer

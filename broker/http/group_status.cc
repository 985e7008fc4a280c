// SPDX-License-Identifier: Apache-2.0
#include "broker/http/group_status.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "broker/group/no_leader.h"

namespace gantry::broker {
namespace {

using Json = nlohmann::json;

constexpr int kJsonIndent = 1;

const char* to_string(raft::Progress::State state) {
  switch (state) {
    case raft::Progress::State::kProbe:
      return "probe";
    case raft::Progress::State::kReplicate:
      return "replicate";
    case raft::Progress::State::kSnapshot:
      return "snapshot";
  }
  return "?";
}

// What the leader knows of another member.
Json progress_json(const raft::Core& core, const raft::Progress& progress) {
  return {{"state", to_string(progress.state())},
          {"matched", progress.matched().v},
          {"written", progress.written().v},
          {"durable", progress.durable().v},
          {"lagBytes", core.end() - progress.written()},
          {"recovering", progress.recovering},
          {"answers", core.answers(progress)}};
}

Json member_json(const BrokerContext& context, const GroupPeers& peers,
                 const raft::Member& member) {
  const raft::Core& core = context.storage.replica().core();
  Json json = {{"uuid", member.id},
               {"number", member.number},
               {"voter", member.voter},
               {"address", member.address},
               {"leader", member.id == core.leader()},
               {"self", member.id == core.self()}};
  const auto hello = peers.hello_of(member.id);
  json["connected"] = hello.has_value();
  if (hello) {
    json["clientAddress"] = hello->client_address;
    json["httpAddress"] = hello->http_address;
    json["featureLevel"] = hello->feature_level;
    json["clockAheadMs"] = peers.clock_ahead_ms(member.id);
  }
  if (const auto progress = core.progress().find(member.id);
      core.leading() && progress != core.progress().end()) {
    json["progress"] = progress_json(core, progress->second);
    if (const auto snapshot = context.storage.replica().snapshot_progress(member.id)) {
      json["progress"]["snapshotBytes"] = snapshot->bytes;
      json["progress"]["snapshotReceived"] = snapshot->received;
    }
  }
  return json;
}

}  // namespace

std::optional<NotReady> group_obstacle(const BrokerContext& context, const GroupPeers& peers,
                                       const Maintenance& maintenance) {
  const replog::Replica& replica = context.storage.replica();
  if (maintenance.on()) {
    return NotReady{.text = "this member is in maintenance", .reason = reason::kInMaintenance};
  }
  if (!replica.formed()) {
    const std::string waiting = peers.waiting_for();
    return NotReady{
        .text = waiting.empty() ? "this member has not joined its broker set yet" : waiting,
        .reason = reason::kBrokerSetNotFormed};
  }
  const raft::Core& core = replica.core();
  if (replica.leading()) return {};
  if (core.given_up()) {
    return NotReady{.text =
                        "this member was given up when its broker set was recovered: stop it, "
                        "empty its store and join it again",
                    .reason = reason::kGivenUp};
  }
  if (core.leader().empty()) {
    return NotReady{.text = why_no_leader(core, peers), .reason = reason::kNoLeader};
  }
  if (core.recovering()) {
    return NotReady{.text = "this member catches up with its broker set",
                    .reason = reason::kCatchingUp};
  }
  return {};
}

std::string members_json(const BrokerContext& context, const GroupPeers& peers) {
  const raft::Core& core = context.storage.replica().core();
  Json json = {{"cluster", context.config.broker_cluster_name},
               {"brokerName", context.config.broker_name},
               {"self", core.self()},
               {"leader", core.leader()},
               {"term", core.term().v},
               {"members", Json::array()},
               {"candidates", Json::array()}};
  for (const raft::Member& member : core.membership().members) {
    json["members"].push_back(member_json(context, peers, member));
  }
  for (const peer::Hello& hello : peers.strangers()) {
    json["candidates"].push_back(
        {{"uuid", hello.member_uuid}, {"address", hello.address}, {"formed", hello.formed}});
  }
  return json.dump(kJsonIndent);
}

std::string raft_json(const BrokerContext& context, const GroupPeers& peers) {
  const raft::Core& core = context.storage.replica().core();
  const replog::Log& log = context.storage.log();
  const peer::TransportStats transport = peers.stats();
  Json json = {{"self", core.self()},
               {"role", raft::to_string(core.role())},
               {"term", core.term().v},
               {"votedFor", core.hard_state().voted_for},
               {"leader", core.leader()},
               {"accepting", context.storage.accepting()},
               {"recovering", core.recovering()},
               {"recoveries", Json::array()},
               {"givenUp", core.given_up()},
               {"lastTerm", core.log_end().last_term.v},
               {"passive", core.passive()},
               {"transferTarget", core.transfer_target()},
               {"begin", log.begin().v},
               {"end", log.end().v},
               {"written", log.written().v},
               {"durable", log.durable().v},
               {"committed", core.committed().v},
               {"applied", context.storage.state().applied().v},
               {"featureLevel", context.storage.state().feature_level()},
               {"leaderEnd", core.leader_end().v},
               {"epochs", Json::array()},
               {"progress", Json::object()}};
  json["transport"] = {{"connectedPeers", transport.connected_peers},
                       {"bytesIn", transport.bytes_in},
                       {"bytesOut", transport.bytes_out},
                       {"droppedMessages", transport.dropped_messages},
                       {"reconnects", transport.reconnects},
                       {"refused", transport.refused},
                       {"protocolErrors", transport.protocol_errors}};
  for (const raft::Recovery& recovery : core.membership().recoveries) {
    json["recoveries"].push_back(recovery.id);
  }
  for (const raft::Epoch& epoch : core.epochs().all()) {
    json["epochs"].push_back(
        {{"term", epoch.term.v}, {"start", epoch.start.v}, {"apache", epoch.apache}});
  }
  if (core.leading()) {
    for (const auto& [id, progress] : core.progress()) {
      json["progress"][id] = progress_json(core, progress);
    }
  }
  return json.dump(kJsonIndent);
}

std::string maintenance_json(const BrokerContext& context, const Maintenance& maintenance) {
  return Json{{"draining", maintenance.on()},
              {"finished", maintenance.finished()},
              {"leading", context.storage.leading()},
              {"refusesMessages", context.refuses_messages},
              {"obstacle", maintenance.obstacle()}}
      .dump(kJsonIndent);
}

std::string pre_restart_json(const BrokerContext& context) {
  const raft::Core& core = context.storage.replica().core();
  const raft::Membership& group = core.membership();
  Json risks = Json::array();
  if (!group.is_voter(core.self())) {
    // A learner is not counted: nobody misses it.
  } else if (group.voter_count() == 1) {
    risks.push_back("unavailable");
  } else if (core.leading()) {
    const auto answering = std::ranges::count_if(group.members, [&](const raft::Member& member) {
      const auto progress = core.progress().find(member.id);
      return member.voter && progress != core.progress().end() && !progress->second.recovering &&
             core.answers(progress->second);
    });
    if (static_cast<std::size_t>(answering) < group.quorum()) risks.push_back("unavailable");
  } else if (core.leader().empty()) {
    risks.push_back("unavailable");  // nobody knows who is missing already
  }
  return Json{{"safe", risks.empty()}, {"risks", risks}}.dump(kJsonIndent);
}

std::string post_restart_json(const BrokerContext& context, const GroupPeers& peers,
                              const Maintenance& maintenance) {
  const raft::Core& core = context.storage.replica().core();
  const std::int64_t behind = core.leader_end() - core.committed();
  const std::optional<NotReady> obstacle = group_obstacle(context, peers, maintenance);
  const std::int64_t all = core.leader_end() - context.storage.log().begin();
  const double share =
      all <= 0 ? 1.0 : 1.0 - static_cast<double>(behind) / static_cast<double>(all);
  return Json{{"caughtUp", !obstacle && share > 0.999},
              {"percent", 100 * share},
              {"behindBytes", behind},
              {"obstacle", obstacle ? obstacle->text : std::string()}}
      .dump(kJsonIndent);
}

}  // namespace gantry::broker

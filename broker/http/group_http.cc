// SPDX-License-Identifier: Apache-2.0
#include "broker/http/group_http.h"

#include <algorithm>
#include <future>
#include <nlohmann/json.hpp>
#include <utility>

#include "broker/http/group_status.h"

namespace gantry::broker {
namespace {

using Json = nlohmann::json;
using std::chrono::milliseconds;

constexpr milliseconds kShardTimeout{5000};
constexpr milliseconds kCommitTimeout{10000};
constexpr milliseconds kTransferTimeout{5000};

http::Response error(int status, std::string_view message) {
  return {status, "application/json", Json{{"error", message}}.dump(), {}};
}

http::Response not_serving() { return error(503, "the broker is not serving"); }

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return 400;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kConflict:
      return 409;
    default:
      return 503;
  }
}

std::string query_value(const http::Request& request, const std::string& name) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? std::string() : found->second;
}

// The path with its query, for a redirection.
std::string target_of(const http::Request& request) {
  std::string target = request.path;
  char separator = '?';
  for (const auto& [name, value] : request.query) {
    target += std::exchange(separator, '&') + name + "=" + value;
  }
  return target;
}

// 307 to the leader, if there is one that this member is connected with.
http::Response to_leader(const std::string& leader, const http::Request& request) {
  if (leader.empty()) return error(503, "the broker set has no leader at the moment");
  http::Response response = error(307, "the leader of the broker set is at " + leader);
  response.location = "http://" + leader + target_of(request);
  return response;
}

struct JoinBody {
  std::string uuid, address;
};

Result<JoinBody> parse_join(const std::string& body) {
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object()) {
    return make_error(ErrorCode::kInvalidArgument,
                      "body: expected a JSON object such as {\"address\": \"host:10912\"}");
  }
  JoinBody join;
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string()) {
      return make_error(ErrorCode::kInvalidArgument, "body: '" + key + "' is not a string");
    }
    if (key == "uuid") {
      join.uuid = value;
    } else if (key == "address") {
      join.address = value;
    } else {
      return make_error(ErrorCode::kInvalidArgument,
                        "body: '" + key + "' is not known; expected uuid and address");
    }
  }
  return join;
}

Result<GroupMembers::Recovery> parse_recovery(const std::string& body) {
  const auto bad = [](std::string why) {
    return make_error(ErrorCode::kInvalidArgument, "body: " + std::move(why));
  };
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object()) return bad("expected a JSON object");
  GroupMembers::Recovery recovery;
  bool accepted = false;
  for (const auto& [key, value] : json.items()) {
    if (key == "acceptLoss") {
      accepted = value.is_boolean() && value.get<bool>();
      continue;
    }
    if (key != "survivors" && key != "givenUp") {
      return bad("'" + key + "' is not known; expected acceptLoss, survivors and givenUp");
    }
    const auto is_text = [](const Json& entry) { return entry.is_string(); };
    if (!value.is_array() || !std::ranges::all_of(value, is_text)) {
      return bad("'" + key + "' is not a list of uuids");
    }
    (key == "survivors" ? recovery.survivors : recovery.given_up) =
        value.get<std::vector<std::string>>();
  }
  if (!accepted) return bad("acceptLoss has to be true: what others held is lost");
  return recovery;
}

}  // namespace

GroupHttp::GroupHttp(runtime::Shard& shard, http::HttpServer& server) : shard_(shard) {
  mount_members(server);
  mount_raft(server);
  mount_maintenance(server);
}

void GroupHttp::mount_members(http::HttpServer& server) {
  server.get("/v1/members", [this](const http::Request&) {
    return ask([](GroupSources& s) { return members_json(s.context, s.peers); });
  });
  server.put("/v1/members", [this](const http::Request& request) {
    const auto join = parse_join(request.body);
    if (!join) return error(400, join.error().message);
    return change(request, [join = *join](GroupMembers& members, GroupMembers::Done done) {
      members.join(join.uuid, join.address, std::move(done));
    });
  });
  server.post("/v1/members/{uuid}/promote", [this](const http::Request& request) {
    return change(request, [uuid = request.params.at("uuid")](GroupMembers& members,
                                                              GroupMembers::Done done) {
      members.promote(uuid, std::move(done));
    });
  });
  server.del("/v1/members/{uuid}", [this](const http::Request& request) {
    return change(request, [uuid = request.params.at("uuid")](GroupMembers& members,
                                                              GroupMembers::Done done) {
      members.remove(uuid, std::move(done));
    });
  });
}

void GroupHttp::mount_raft(http::HttpServer& server) {
  server.get("/v1/raft", [this](const http::Request&) {
    return ask([](GroupSources& s) { return raft_json(s.context, s.peers); });
  });
  server.post("/v1/raft/transfer",
              [this](const http::Request& request) { return transfer(request); });
  server.post("/v1/raft/recover",
              [this](const http::Request& request) { return recover(request); });
  server.get("/v1/probes/pre_restart", [this](const http::Request&) {
    return ask([](GroupSources& s) { return pre_restart_json(s.context); });
  });
  server.get("/v1/probes/post_restart", [this](const http::Request&) {
    return ask(
        [](GroupSources& s) { return post_restart_json(s.context, s.peers, s.maintenance); });
  });
}

void GroupHttp::mount_maintenance(http::HttpServer& server) {
  const auto state = [](GroupSources& s) { return maintenance_json(s.context, s.maintenance); };
  server.get("/v1/maintenance", [this, state](const http::Request&) { return ask(state); });
  const auto begin = [this, state](const http::Request&) {
    return ask([state](GroupSources& s) {
      s.maintenance.begin();
      return state(s);
    });
  };
  server.put("/v1/maintenance", begin);
  server.post("/v1/maintenance", begin);
  server.del("/v1/maintenance", [this, state](const http::Request&) {
    return ask([state](GroupSources& s) {
      s.maintenance.end();
      return state(s);
    });
  });
}

http::Response GroupHttp::ask(std::function<std::string(GroupSources&)> question) {
  auto body = std::make_shared<std::optional<std::string>>();
  const bool ran = shard_.call(
      [this, body, question = std::move(question)] {
        if (sources_) *body = question(*sources_);
      },
      kShardTimeout);
  if (!ran || !*body) return not_serving();
  return {200, "application/json", std::move(**body), {}};
}

http::Response GroupHttp::change(const http::Request& request, Change change) {
  struct Outcome {
    std::promise<Result<void>> result;
    std::string leader;  // not empty, or `redirect`: not decided here
    bool serving = false, redirect = false;
  };
  auto outcome = std::make_shared<Outcome>();
  auto result = outcome->result.get_future();
  const bool ran = shard_.call(
      [this, outcome, change = std::move(change)] {
        outcome->serving = sources_.has_value();
        if (!outcome->serving) return;
        outcome->redirect = !sources_->context.storage.leading();
        outcome->leader = sources_->peers.leader_http_address();
        if (outcome->redirect) return;
        change(sources_->members,
               [outcome](Result<void> done) { outcome->result.set_value(std::move(done)); });
      },
      kShardTimeout);
  if (!ran || !outcome->serving) return not_serving();
  if (outcome->redirect) return to_leader(outcome->leader, request);
  if (result.wait_for(kCommitTimeout) != std::future_status::ready) {
    return error(504, "the change is not committed yet; ask again, it is made only once");
  }
  if (const Result<void> done = result.get(); !done) {
    return error(status_of(done.error().code), done.error().message);
  }
  return ask([](GroupSources& s) { return members_json(s.context, s.peers); });
}

http::Response GroupHttp::transfer(const http::Request& request) {
  struct Outcome {
    std::promise<Result<raft::MemberId>> leader;
    std::string leader_http;
    bool serving = false, leading = false;
  };
  auto outcome = std::make_shared<Outcome>();
  auto leader = outcome->leader.get_future();
  const std::string target = query_value(request, "target");
  const bool ran = shard_.call(
      [this, outcome, target] {
        outcome->serving = sources_.has_value();
        if (!outcome->serving) return;
        outcome->leading = sources_->context.storage.leading();
        outcome->leader_http = sources_->peers.leader_http_address();
        if (!outcome->leading) return;
        sources_->members.hand_over(target, [outcome](Result<raft::MemberId> next) {
          outcome->leader.set_value(std::move(next));
        });
      },
      kShardTimeout);
  if (!ran || !outcome->serving) return not_serving();
  if (!outcome->leading) return to_leader(outcome->leader_http, request);
  if (leader.wait_for(kTransferTimeout) != std::future_status::ready) return not_serving();
  const Result<raft::MemberId> next = leader.get();
  if (!next) return error(status_of(next.error().code), next.error().message);
  if (!target.empty() && *next != target) {
    return error(503, "the target did not take over in time, member " + *next + " leads");
  }
  return {200, "application/json", Json{{"leader", *next}}.dump(), {}};
}

http::Response GroupHttp::recover(const http::Request& request) {
  const auto recovery = parse_recovery(request.body);
  if (!recovery) return error(400, recovery.error().message);
  auto outcome = std::make_shared<std::optional<Result<void>>>();
  const bool ran = shard_.call(
      [this, outcome, recovery = *recovery] {
        if (sources_) *outcome = sources_->members.recover(recovery);
      },
      kShardTimeout);
  if (!ran || !*outcome) return not_serving();
  const Result<void>& done = **outcome;
  if (!done) return error(status_of(done.error().code), done.error().message);
  return ask([](GroupSources& s) { return raft_json(s.context, s.peers); });
}

}  // namespace gantry::broker

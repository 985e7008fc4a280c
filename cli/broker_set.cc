// SPDX-License-Identifier: Apache-2.0
#include "cli/broker_set.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/wait.h"
#include "http/http_client.h"

namespace gantry::cli {
namespace {

using Json = nlohmann::json;

constexpr std::chrono::milliseconds kAskAgain{100};

std::string error_of(const http::Response& response) {
  const Json json = Json::parse(response.body, nullptr, false);
  if (json.is_object() && json.contains("error") && json["error"].is_string()) {
    return json["error"];
  }
  return fmt::format("HTTP status {}", response.status);
}

SetMember parse_member(const Json& json) {
  SetMember member;
  member.uuid = json.at("uuid");
  member.number = json.at("number");
  member.voter = json.at("voter");
  member.leader = json.at("leader");
  member.connected = json.at("connected");
  member.address = json.at("address");
  member.http_address = json.value("httpAddress", "");
  if (const auto progress = json.find("progress"); progress != json.end()) {
    member.lag_bytes = progress->at("lagBytes");
    member.state = progress->at("state");
    member.answers = progress->at("answers");
  } else {
    member.answers = member.connected;
  }
  return member;
}

Result<SetView> parse_view(const std::string& text) {
  try {
    const Json json = Json::parse(text);
    SetView view;
    view.broker_name = json.at("brokerName");
    view.leader = json.at("leader");
    view.term = json.at("term");
    for (const Json& member : json.at("members")) view.members.push_back(parse_member(member));
    for (const Json& candidate : json.at("candidates")) {
      view.candidates.push_back({candidate.at("uuid"), candidate.at("address")});
    }
    return view;
  } catch (const Json::exception& error) {
    return make_error(ErrorCode::kCorrupt,
                      fmt::format("the answer to /v1/members is not understood: {}", error.what()));
  }
}

}  // namespace

std::expected<BrokerSet, Failure> BrokerSet::find(Context& context, const std::string& name) {
  const auto found = look_up(context, name, 1);
  if (!found) return std::unexpected(found.error());
  return at(context, found->front());
}

std::expected<std::vector<std::string>, Failure> BrokerSet::http_addresses(
    Context& context, const std::string& name) {
  return look_up(context, name, SIZE_MAX);
}

std::expected<std::vector<std::string>, Failure> BrokerSet::look_up(Context& context,
                                                                    const std::string& name,
                                                                    std::size_t count) {
  const auto nodes = context.brokers();
  if (!nodes) return std::unexpected(nodes.error());
  std::set<std::string> names;
  for (const BrokerNode& node : *nodes) names.insert(node.name);
  if (name.empty() && names.size() > 1) {
    return fail(ExitCode::kUsage,
                fmt::format("there are several broker sets: {}", fmt::join(names, ", ")),
                "Name one with --broker NAME.");
  }
  std::optional<Error> last;
  std::vector<std::string> found;
  for (const BrokerNode& node : *nodes) {
    if (!name.empty() && node.name != name) continue;
    const auto info = context.broker(node.address).runtime_info();
    if (!info) {
      last = info.error();
      continue;
    }
    const auto http = info->find("gantryHttpAddress");
    if (http == info->end()) {
      return fail(ExitCode::kFailed,
                  fmt::format("broker {} at {} is not Gantry: it names no HTTP address", node.name,
                              node.address));
    }
    found.push_back(http->second);
    if (found.size() == count) return found;
  }
  if (!found.empty()) return found;
  if (last) return fail(*last);
  return fail(ExitCode::kNotFound,
              name.empty() ? std::string("no broker is registered")
                           : fmt::format("no broker set {} is registered", name),
              "See what there is with: gantry cluster");
}

Result<std::string> BrokerSet::ask_member(const std::string& http_address,
                                          const std::string& path) const {
  const auto answer =
      http::send({.method = "GET",
                  .host_port = http_address,
                  .path = path,
                  .timeout = std::chrono::milliseconds(context_->options.timeout_ms)});
  if (!answer) return std::unexpected(answer.error());
  if (answer->status != 200) return make_error(ErrorCode::kUnavailable, error_of(*answer));
  return answer->body;
}

Result<SetView> BrokerSet::view_of_one() const {
  const auto text = ask_member(http_address_, "/v1/members");
  if (!text) return std::unexpected(text.error());
  return parse_view(*text);
}

std::expected<SetView, Failure> BrokerSet::view() const {
  auto view = view_of_one();
  if (!view) return fail(view.error());
  for (const SetMember& member : view->members) {
    if (!member.leader || member.http_address == http_address_ || !member.connected) continue;
    const auto text = ask_member(member.http_address, "/v1/members");
    if (!text) break;
    if (auto of_leader = parse_view(*text)) return std::move(*of_leader);
  }
  return std::move(*view);
}

std::expected<std::string, Failure> BrokerSet::ask(const std::string& method,
                                                   const std::string& path,
                                                   const std::string& body) const {
  const auto timeout = std::chrono::milliseconds(context_->options.timeout_ms);
  Result<http::Response> answer = make_error(ErrorCode::kUnavailable, "stopped");
  wait_until(context_->env.stop, timeout, kAskAgain, [&] {
    answer = http::send({.method = method,
                         .host_port = http_address_,
                         .path = path,
                         .body = body,
                         .timeout = timeout});
    return answer && answer->status != 503 && answer->status != 504;
  });
  if (!answer) return fail(answer.error());
  if (answer->status == 200) return answer->body;
  return fail(answer->status == 404 ? ExitCode::kNotFound : ExitCode::kFailed, error_of(*answer));
}

namespace {
// A mistyped number must not name a member whose uuid happens to begin with it.
constexpr std::size_t kUuidBeginning = 8;
}  // namespace

std::expected<SetMember, Failure> find_member(const SetView& set, const std::string& text) {
  std::vector<SetMember> found;
  for (const SetMember& member : set.members) {
    if (member.address == text || std::to_string(member.number) == text || member.uuid == text) {
      return member;
    }
    if (text.size() >= kUuidBeginning && member.uuid.starts_with(text)) found.push_back(member);
  }
  if (found.size() == 1) return found.front();
  return fail(ExitCode::kNotFound,
              found.empty() ? fmt::format("no member of {} is called {}", set.broker_name, text)
                            : fmt::format("{} members of {} begin with {}", found.size(),
                                          set.broker_name, text),
              "See them with: gantry cluster members");
}

}  // namespace gantry::cli

// SPDX-License-Identifier: Apache-2.0
#include "broker/group/leader_gate.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace gantry::broker {
namespace {

using protocol::RequestCode;
using protocol::ResponseCode;

constexpr std::int64_t kForwardForUs = 60'000'000;
constexpr std::chrono::milliseconds kForwardTimeout{3000};
constexpr std::size_t kInFlightMax = 4096;

constexpr auto kLeaderCodes = std::to_array<RequestCode>({
    RequestCode::kSendMessage,
    RequestCode::kSendMessageV2,
    RequestCode::kSendBatchMessage,
    RequestCode::kConsumerSendMsgBack,
    RequestCode::kEndTransaction,
    RequestCode::kUpdateConsumerOffset,
    RequestCode::kLockBatchMq,
    RequestCode::kUnlockBatchMq,
    RequestCode::kUpdateAndCreateTopic,
    RequestCode::kUpdateAndCreateTopicList,
    RequestCode::kDeleteTopicInBroker,
    RequestCode::kUpdateAndCreateSubscriptionGroup,
    RequestCode::kUpdateAndCreateSubscriptionGroupList,
    RequestCode::kDeleteSubscriptionGroup,
    RequestCode::kInvokeBrokerToResetOffset,
    RequestCode::kCloneGroupOffset,
    RequestCode::kUpdateAndGetGroupForbidden,
    RequestCode::kCleanUnusedTopic,
    RequestCode::kDeleteExpiredCommitLog,
});

}  // namespace

bool needs_leader(std::int32_t code) {
  return std::ranges::find(kLeaderCodes, static_cast<RequestCode>(code)) != kLeaderCodes.end();
}

LeaderGate::LeaderGate(BrokerContext& context, std::function<std::string()> leader_address)
    : context_(context),
      leader_address_(std::move(leader_address)),
      client_(context.shard, nullptr) {}

LeaderGate::~LeaderGate() { *alive_ = false; }

void LeaderGate::on_leader_changed() {
  forward_until_us_ = context_.clock.steady_us() + kForwardForUs;
}

bool LeaderGate::admit(net::Connection& connection, const protocol::CommandView& request) {
  if (context_.storage.leading() || !needs_leader(request.code)) return true;
  const std::string address = leader_address_();
  const bool forwarded_once = request.ext.find(kForwardedBornHost).has_value();
  if (!address.empty() && !forwarded_once && in_flight_ < kInFlightMax &&
      context_.clock.steady_us() < forward_until_us_) {
    forward(address, connection, request);
  } else {
    refuse(connection, request, address);
  }
  return false;
}

void LeaderGate::forward(const std::string& address, net::Connection& connection,
                         const protocol::CommandView& request) {
  ++stats_.forwarded;
  protocol::Command copy = protocol::to_command(request);
  copy.with(std::string(kForwardedBornHost), connection.peer().text());
  if (request.is_oneway()) return client_.send_oneway(address, std::move(copy));
  ++in_flight_;
  client_.call(
      address, std::move(copy), kForwardTimeout,
      [this, alive = alive_, responder = Responder(context_.connections, connection, request),
       address](Result<protocol::Command> reply) {
        if (!*alive) return;
        --in_flight_;
        if (reply) return responder.send(std::move(*reply));
        responder.send(ResponseCode::kServiceNotAvailable,
                       fmt::format("service not available now: the master {} of broker {} "
                                   "does not answer: {}",
                                   address, context_.config.broker_name, reply.error().message));
      });
}

void LeaderGate::refuse(net::Connection& connection, const protocol::CommandView& request,
                        const std::string& leader) {
  ++stats_.refused;
  respond(connection, request, ResponseCode::kServiceNotAvailable,
          leader.empty() ? fmt::format("service not available now: broker {} has no master at the "
                                       "moment",
                                       context_.config.broker_name)
                         : fmt::format("service not available now: the master of broker {} is {}",
                                       context_.config.broker_name, leader));
}

}  // namespace gantry::broker

// SPDX-License-Identifier: Apache-2.0
#include "broker/group/leader_gate.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace gantry::broker {
namespace {

using protocol::RequestCode;
using protocol::ResponseCode;

constexpr std::int64_t kForwardForUs = 60'000'000;
constexpr std::chrono::milliseconds kForwardTimeout{3000};
constexpr std::int64_t kForwardHopsMax = 3;
constexpr std::size_t kInFlightMax = 4096;
constexpr std::size_t kLengthBytes = 4;  // before a frame
constexpr std::size_t kWaitingMax = 4096;
constexpr std::size_t kWaitingBytesMax = 64U << 20;
constexpr std::int64_t kWaitMaxUs = 2'500'000;
constexpr std::chrono::milliseconds kSweepPeriod{100};

constexpr auto kLeaderCodes = std::to_array<RequestCode>({
    RequestCode::kSendMessage,
    RequestCode::kSendMessageV2,
    RequestCode::kSendBatchMessage,
    RequestCode::kConsumerSendMsgBack,
    RequestCode::kEndTransaction,
    RequestCode::kUpdateConsumerOffset,
    RequestCode::kQueryConsumerOffset,
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

std::int64_t hops_of(const protocol::Command& request) {
  const auto text = request.find(kForwardHops);
  std::int64_t hops = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), hops);
  return hops;
}

// A copy that names the client, whoever passed the request on.
protocol::Command with_born_host(const protocol::CommandView& request,
                                 const net::Connection& connection) {
  protocol::Command copy = protocol::to_command(request);
  if (!copy.find(kForwardedBornHost)) {
    copy.with(std::string(kForwardedBornHost), connection.peer().text());
  }
  return copy;
}

}  // namespace

bool needs_leader(std::int32_t code) {
  return std::ranges::find(kLeaderCodes, static_cast<RequestCode>(code)) != kLeaderCodes.end();
}

// Forwarded for as long as a leader is known, and answered here, as far as this member knows, when
// none is. A follower may know an older offset, or none where there is one: a consumer would begin
// at the end of its queue then.
bool only_asks(std::int32_t code) {
  return code == static_cast<std::int32_t>(RequestCode::kQueryConsumerOffset);
}

LeaderGate::LeaderGate(BrokerContext& context, std::function<std::string()> leader_address,
                       std::function<void(net::Connection&, const protocol::CommandView&)> serve)
    : context_(context),
      leader_address_(std::move(leader_address)),
      serve_(std::move(serve)),
      client_(context.shard, nullptr) {}

LeaderGate::~LeaderGate() { *alive_ = false; }

void LeaderGate::on_group_changed() {
  const raft::MemberId& leader = context_.storage.replica().core().leader();
  if (context_.storage.leading()) passed_on_.clear();
  if (!leader.empty() && leader != leader_) {
    leader_ = leader;
    forward_until_us_ = context_.clock.steady_us() + kForwardForUs;
  }
  if (!leader.empty()) {
    leader_is_gone_ = false;
  } else if (!leader_.empty() && !std::exchange(leader_is_gone_, true)) {
    leader_gone_us_ = context_.clock.steady_us();
  }
  if (waiting_.empty()) return;
  // Not from inside the replica, which is telling of the change right now.
  context_.shard.post([this, alive = alive_] {
    if (*alive) settle_waiting();
  });
}

bool LeaderGate::admit(net::Connection& connection, const protocol::CommandView& request) {
  if (!waiting_.empty()) settle_waiting();  // what came first goes first
  if (context_.storage.accepting() || !needs_leader(request.code)) return true;
  const std::string leader = leader_address_();
  const bool asks = only_asks(request.code);
  if (may_wait()) {
    wait(connection, request);
  } else if (may_forward(leader, request.ext.get_int64(kForwardHops).value_or(0)) &&
             (asks || leader_has_address() || context_.clock.steady_us() < forward_until_us_)) {
    forward(leader, with_born_host(request, connection),
            Responder(context_.connections, connection, request));
  } else if (asks) {
    return true;
  } else {
    ++stats_.refused;
    respond(connection, request, ResponseCode::kServiceNotAvailable, refusal(leader));
  }
  return false;
}

// A leader that may decide in a moment or hands over, or a member whose leader has gone just now.
bool LeaderGate::may_wait() const {
  if (waiting_.size() >= kWaitingMax || waiting_bytes_ >= kWaitingBytesMax) return false;
  const raft::Core& core = context_.storage.replica().core();
  if (core.leading()) return !context_.storage.leading() || !core.transfer_target().empty();
  return core.leader().empty() && core.membership().voter_count() > 1 &&
         context_.clock.steady_us() < leader_gone_us_ + kWaitMaxUs;
}

bool LeaderGate::may_forward(const std::string& leader, std::int64_t hops) const {
  return !leader.empty() && hops < kForwardHopsMax && in_flight_ < kInFlightMax;
}

void LeaderGate::wait(net::Connection& connection, const protocol::CommandView& request) {
  protocol::Command copy = with_born_host(request, connection);
  waiting_bytes_ += copy.body.size();
  waiting_.push_back({std::move(copy), Responder(context_.connections, connection, request),
                      context_.clock.steady_us() + kWaitMaxUs});
  if (!sweep_timer_) sweep_timer_ = context_.shard.every(kSweepPeriod, [this] { sweep(); });
}

// This member may decide (again), or it is known who does.
void LeaderGate::settle_waiting() {
  const std::string leader = leader_address_();
  if (!context_.storage.accepting() &&
      (leader.empty() || context_.storage.replica().core().leading())) {
    return;
  }
  std::vector<Waiting> waiting = std::exchange(waiting_, {});
  waiting_bytes_ = 0;
  sweep_timer_.reset();
  for (Waiting& entry : waiting) settle(std::move(entry), leader);
}

void LeaderGate::settle(Waiting entry, const std::string& leader) {
  if (context_.storage.accepting()) return serve(entry);
  if (may_forward(leader, hops_of(entry.request))) {
    return forward(leader, std::move(entry.request), entry.responder);
  }
  ++stats_.refused;
  entry.responder.send(ResponseCode::kServiceNotAvailable, refusal(leader));
}

void LeaderGate::serve(const Waiting& entry) {
  net::Connection* connection = entry.responder.connection();
  if (connection == nullptr) return;  // gone meanwhile
  std::string bytes;
  protocol::encode(entry.request, bytes);
  protocol::CommandView view;
  const std::span<char> frame = std::span(bytes).subspan(kLengthBytes);
  if (const auto decoded = protocol::decode(frame, view); !decoded) {
    return entry.responder.send(ResponseCode::kSystemError, decoded.error().message);
  }
  serve_(*connection, view);
}

void LeaderGate::sweep() {
  settle_waiting();
  const std::int64_t now_us = context_.clock.steady_us();
  std::erase_if(waiting_, [&](const Waiting& entry) {
    if (entry.until_us > now_us) return false;
    waiting_bytes_ -= entry.request.body.size();
    if (only_asks(entry.request.code)) {
      serve(entry);
    } else {
      ++stats_.refused;
      entry.responder.send(ResponseCode::kServiceNotAvailable, refusal({}));
    }
    return true;
  });
  if (waiting_.empty()) sweep_timer_.reset();
}

void LeaderGate::forward(const std::string& address, protocol::Command request,
                         const Responder& responder) {
  ++stats_.forwarded;
  request.with(std::string(kForwardHops), hops_of(request) + 1);
  if (leader_has_address()) {
    passed_on_.passed(responder.connection_id(), responder.oneway(), context_.clock.steady_us());
  }
  if (responder.oneway()) {
    client_.send_oneway(address, std::move(request));
    return close_if_passed_on(responder);
  }
  ++in_flight_;
  client_.call(address, std::move(request), kForwardTimeout,
               [this, alive = alive_, responder, address](Result<protocol::Command> reply) {
                 if (!*alive) return;
                 --in_flight_;
                 passed_on_.answered(responder.connection_id());
                 if (reply) {
                   responder.send(std::move(*reply));
                 } else {
                   responder.send(
                       ResponseCode::kServiceNotAvailable,
                       fmt::format("service not available now: the master {} of broker {} "
                                   "does not answer: {}",
                                   address, context_.config.broker_name, reply.error().message));
                 }
                 close_if_passed_on(responder);
               });
}

void LeaderGate::close_if_passed_on(const Responder& responder) {
  if (!passed_on_.may_close(responder.connection_id(), context_.clock.steady_us())) return;
  passed_on_.forget(responder.connection_id());
  net::Connection* connection = responder.connection();
  if (connection != nullptr) connection->close("another member leads, at the leader's address");
}

std::string LeaderGate::refusal(const std::string& leader) const {
  const std::string& name = context_.config.broker_name;
  return leader.empty()
             ? fmt::format("service not available now: broker {} has no master at the moment", name)
             : fmt::format("service not available now: the master of broker {} is {}", name,
                           leader);
}

}  // namespace gantry::broker

// SPDX-License-Identifier: Apache-2.0
#include "broker/pull/pull_service.h"

#include <fmt/core.h>

#include "broker/client/client_manager.h"
#include "broker/core/groups.h"
#include "broker/core/stats.h"
#include "log/log.h"

namespace gantry::broker {
namespace {

using protocol::RequestCode;
using protocol::ResponseCode;
log::Logger logger("pull");
constexpr std::chrono::milliseconds kTimeoutSweepPeriod{100};
constexpr std::chrono::milliseconds kAdvancedSweepPeriod{5000};

constexpr const char* kNoSql = "The broker does not support consumer to filter message by SQL92";

enum ForbiddenType : std::int32_t {
  kBroker = 1,
  kGroup = 2,
  kTopic = 3,
  kBroadcasting = 4,
  kSubscription = 5
};

ResponseCode response_code(PullStatus status, QueueOffset requested) {
  switch (status) {
    case PullStatus::kFound:
      return ResponseCode::kSuccess;
    case PullStatus::kNoMatchedMessage:
    case PullStatus::kMessageWasRemoving:
      return ResponseCode::kPullRetryImmediately;
    case PullStatus::kNoMatchedLogicQueue:
    case PullStatus::kNoMessageInQueue:
      return requested.v != 0 ? ResponseCode::kPullOffsetMoved : ResponseCode::kPullNotFound;
    case PullStatus::kOffsetTooSmall:
    case PullStatus::kOffsetOverflowBadly:
    case PullStatus::kOffsetReset:
      return ResponseCode::kPullOffsetMoved;
    case PullStatus::kOffsetOverflowOne:
    case PullStatus::kOffsetFoundNull:
      return ResponseCode::kPullNotFound;
  }
  return ResponseCode::kSystemError;
}

}  // namespace

PullService::PullService(BrokerContext& context)
    : TurnHook(Phase::kCommit), context_(context), reader_(context) {
  context_.storage.add_observer(*this);
  timeout_timer_ = context_.shard.every(kTimeoutSweepPeriod, [this] { sweep_timeouts(); });
  advanced_timer_ = context_.shard.every(kAdvancedSweepPeriod, [this] { sweep_advanced(); });
}

PullService::~PullService() {
  context_.shard.unschedule(*this);
  context_.storage.remove_observer(*this);
}

void PullService::register_handlers(Dispatcher& dispatcher) {
  const auto pull = [this](net::Connection& c, const protocol::CommandView& r) { on_pull(c, r); };
  dispatcher.add(RequestCode::kPullMessage, pull);
  dispatcher.add(RequestCode::kLitePullMessage, pull);
}

std::optional<PullService::Refusal> PullService::check(const PullRequest& pull, bool lite) const {
  const config::BrokerConfig& c = context_.config;
  if ((c.broker_permission & protocol::kPermRead) == 0) {
    return Refusal{ResponseCode::kNoPermission,
                   fmt::format("the broker[{}] pulling message is forbidden", c.broker_ip1),
                   kBroker};
  }
  if (lite && !c.lite_pull_message_enable) {
    return Refusal{ResponseCode::kNoPermission,
                   fmt::format("the broker[{}] for lite pull consumer is forbidden", c.broker_ip1)};
  }
  const auto* group = find_or_create_group(context_, pull.group);
  if (group == nullptr) {
    return Refusal{ResponseCode::kSubscriptionGroupNotExist,
                   fmt::format("subscription group [{}] does not exist", pull.group)};
  }
  if (!group->consume_enable) {
    return Refusal{ResponseCode::kNoPermission, "subscription group no permission, " + pull.group,
                   kGroup};
  }
  const auto* topic = context_.storage.proposals().find_topic(pull.topic);
  if (topic == nullptr) {
    return Refusal{ResponseCode::kTopicNotExist,
                   fmt::format("topic[{}] not exist, apply first please!", pull.topic)};
  }
  if ((topic->perm & protocol::kPermRead) == 0) {
    return Refusal{ResponseCode::kNoPermission,
                   fmt::format("the topic[{}] pulling message is forbidden", pull.topic), kTopic};
  }
  if (pull.queue_id < 0 || pull.queue_id >= topic->read_queue_nums) {
    return Refusal{ResponseCode::kInvalidParameter,
                   fmt::format("queueId[{}] is illegal, topic:[{}] topicConfig.readQueueNums:[{}] "
                               "consumer:[{}]",
                               pull.queue_id, pull.topic, topic->read_queue_nums, pull.group)};
  }
  return std::nullopt;
}

std::expected<MessageFilter, PullService::Refusal> PullService::filter_for(
    const PullRequest& pull) const {
  if (pull.has(PullRequest::kFlagSubscription)) {
    if (pull.subscription == protocol::kSubscribeAll &&
        (pull.expression_type.empty() || pull.expression_type == protocol::kExpressionTypeTag)) {
      return MessageFilter();
    }
    const auto data =
        protocol::build_subscription(pull.topic, pull.subscription, pull.expression_type);
    if (!data) {
      return std::unexpected(Refusal{ResponseCode::kSubscriptionParseFailed,
                                     "parse the consumer's subscription failed"});
    }
    if (!data->is_tag_type()) return std::unexpected(Refusal{ResponseCode::kSystemError, kNoSql});
    return MessageFilter(*data);
  }
  return group_filter_for(pull);
}

// By the subscriptions of the group's clients that are online here; where these do not reach, by
// the replicated ones, as the clients may be about to come back. What is replicated may be older
// than what the client subscribes to now, and a filter that is too old would make it miss messages:
// it serves a pull whose version it reaches. One without a version (Go) gets everything of the
// topic, of which the client picks what it wants, as it always does.
std::expected<MessageFilter, PullService::Refusal> PullService::group_filter_for(
    const PullRequest& pull) const {
  const ConsumerGroup* group = context_.clients->consumers(pull.group);
  const state::GroupSubscriptions* known =
      context_.storage.state().subscriptions().find(pull.group);
  if (group == nullptr && known == nullptr) {
    return std::unexpected(
        Refusal{ResponseCode::kSubscriptionNotExist, "the consumer's group info not exist"});
  }
  const protocol::MessageModel model =
      group != nullptr ? group->message_model : known->message_model;
  const auto* config = context_.storage.proposals().find_group(pull.group);
  if (config != nullptr && !config->consume_broadcast_enable &&
      model == protocol::MessageModel::kBroadcasting) {
    return std::unexpected(
        Refusal{ResponseCode::kNoPermission,
                fmt::format("the consumer group[{}] can not consume by broadcast way", pull.group),
                kBroadcasting});
  }
  if ((context_.storage.state().groups().forbidden(pull.group, pull.topic) & protocol::kPermRead) !=
      0) {
    return std::unexpected(Refusal{
        ResponseCode::kNoPermission,
        fmt::format("the consumer group[{}] is forbidden for topic[{}]", pull.group, pull.topic),
        kSubscription});
  }
  const auto* online = group == nullptr ? nullptr : group->subscription(pull.topic);
  const auto* replicated = known == nullptr ? nullptr : known->find(pull.topic);
  if (online == nullptr && replicated == nullptr) {
    return std::unexpected(
        Refusal{ResponseCode::kSubscriptionNotExist, "the consumer's subscription not exist"});
  }
  const bool by_online = online != nullptr && online->sub_version >= pull.sub_version;
  if (!by_online &&
      (replicated == nullptr || !at_least_as_new(replicated->sub_version, pull.sub_version))) {
    return std::unexpected(
        Refusal{ResponseCode::kSubscriptionNotLatest, "the consumer's subscription not latest"});
  }
  const protocol::SubscriptionData& data = by_online ? *online : *replicated;
  if (!data.is_tag_type()) return std::unexpected(Refusal{ResponseCode::kSystemError, kNoSql});
  const bool unproven = !by_online && pull.sub_version <= 0;
  return unproven ? MessageFilter() : MessageFilter(data);
}

void PullService::on_pull(net::Connection& connection, const protocol::CommandView& request) {
  auto pull = PullRequest::parse(request);
  if (!pull) return respond(connection, request, ResponseCode::kSystemError, pull.error().message);
  const auto refuse = [&](const Refusal& refusal) {
    protocol::Command response =
        protocol::Command::response(static_cast<std::int32_t>(refusal.code), refusal.remark);
    if (refusal.forbidden_type != 0) response.with("forbiddenType", refusal.forbidden_type);
    respond(connection, request, std::move(response));
  };
  const bool lite = request.code == static_cast<std::int32_t>(RequestCode::kLitePullMessage);
  if (const auto refusal = check(*pull, lite)) return refuse(*refusal);
  auto filter = filter_for(*pull);
  if (!filter) return refuse(filter.error());
  HeldPull held{std::move(*pull),
                std::move(*filter),
                Responder(context_.connections, connection, request),
                0,
                context_.clock.steady_us(),
                request.code};
  execute(std::move(held), Pass::kFirst);
}

void PullService::execute(HeldPull pull, Pass pass) {
  const PullRequest& request = pull.request;
  state::OffsetManager& offsets = context_.storage.offsets();
  PullResult result;
  if (const auto reset =
          offsets.take_pending_reset(request.group, request.topic, request.queue_id)) {
    result.status = PullStatus::kOffsetReset;
    result.next_begin = *reset;
    if (const auto* queue = context_.storage.queues().find(request.topic, request.queue_id)) {
      result.min = queue->min();
      result.max = queue->max();
    }
  } else {
    result = reader_.read(request.topic, request.queue_id, request.offset, request.max_messages,
                          request.max_bytes, pull.filter);
  }
  if (result.missing) {
    const auto [position, size] = *result.missing;
    context_.storage.log().fetch(position, size, [this, pull = std::move(pull), pass]() mutable {
      execute(std::move(pull), pass);
    });
    return;
  }
  // As a RocketMQ slave does, a follower leaves it: the client commits at the master as well.
  if (pass == Pass::kFirst && request.has(PullRequest::kFlagCommitOffset) &&
      request.commit_offset.v >= 0 && context_.storage.leading()) {
    offsets.commit(request.group, request.topic, request.queue_id, request.commit_offset);
  }
  const ResponseCode code = response_code(result.status, request.offset);
  if (code == ResponseCode::kPullNotFound && pass == Pass::kFirst &&
      request.has(PullRequest::kFlagSuspend)) {
    const std::int64_t hold_ms = context_.config.long_polling_enable
                                     ? request.suspend_timeout_ms
                                     : context_.config.short_polling_time_mills;
    pull.deadline_ms = context_.clock.steady_us() / 1000 + hold_ms;
    pull.was_held = true;
    held_.hold(std::move(pull));
    return;
  }
  offsets.commit_pull_offset(request.group, request.topic, request.queue_id, result.next_begin);
  count_answer(pull, result);
  context_.stats.rpc.record(
      {pull.code, static_cast<std::int32_t>(code), pull.was_held, RpcLatency::Result::kSuccess},
      context_.clock.steady_us() - pull.arrived_us);
  answer(pull, result, code);
}

// The brokerId of the follower to which consumers are sent that read what has left the memory: the
// live one that is furthest; the leader's 0 when there is none. A follower keeps them.
// whichBrokerWhenConsumeSlowly names a number that nobody may have here.
std::int64_t PullService::reader_of_old_messages(const replog::Replica& replica) {
  const raft::Core& core = replica.core();
  const auto number_of = [&](const raft::MemberId& id) -> std::int64_t {
    const raft::Member* member = core.membership().find(id);
    return member == nullptr ? 0 : member->number;
  };
  if (!core.leading()) return number_of(core.self());
  std::int64_t best = 0;
  LogPosition reached(-1);
  for (const auto& [id, progress] : core.progress()) {
    const bool live = progress.state() == raft::Progress::State::kReplicate &&
                      !progress.recovering && core.answers(progress);
    if (!live || progress.written() <= reached) continue;
    reached = progress.written();
    best = number_of(id);
  }
  return best;
}

std::int64_t PullService::suggested_broker(const HeldPull& pull, const PullResult& result) const {
  if (!context_.config.slave_read_enable) return 0;
  const auto* group = context_.storage.proposals().find_group(pull.request.group);
  if (group == nullptr) return 0;
  return result.lagging ? reader_of_old_messages(context_.storage.replica()) : group->broker_id;
}

void PullService::count_answer(const HeldPull& pull, const PullResult& result) {
  BrokerStats& stats = context_.stats;
  const std::int64_t spent_ms = (context_.clock.steady_us() - pull.arrived_us) / 1000;
  if (result.messages == 0) {
    ++stats.get_miss;
    return;
  }
  ++stats.get_found;
  stats.get_messages += result.messages;
  stats.get_bytes += result.records.size();
  stats.get_entire_time_max_ms = std::max(stats.get_entire_time_max_ms, spent_ms);
  GroupTopicStats& entry = stats.group_topic(pull.request.topic, pull.request.group);
  ++entry.get_rpcs;
  entry.get_messages += result.messages;
  entry.get_bytes += result.records.size();
  entry.get_latency_ms_sum += static_cast<std::uint64_t>(spent_ms);
}

void PullService::answer(const HeldPull& pull, const PullResult& result, ResponseCode code) {
  if (pull.responder.oneway()) return;
  net::Connection* connection = pull.responder.connection();
  if (connection == nullptr) return;
  const auto* topic = context_.storage.proposals().find_topic(pull.request.topic);
  const auto* group = context_.storage.proposals().find_group(pull.request.group);
  std::string& out = connection->output();
  protocol::ResponseWriter writer(out, static_cast<std::int32_t>(code), pull.responder.opaque());
  writer.ext("groupSysFlag",
             static_cast<std::int64_t>(group != nullptr ? group->group_sys_flag : 0));
  writer.ext("maxOffset", result.max.v);
  writer.ext("minOffset", result.min.v);
  writer.ext("nextBeginOffset", result.next_begin.v);
  writer.ext("suggestWhichBrokerId", suggested_broker(pull, result));
  writer.ext("topicSysFlag",
             static_cast<std::int64_t>(topic != nullptr ? topic->topic_sys_flag : 0));
  writer.remark(pull_status_name(result.status));
  writer.finish(result.records.size());
  out.append(result.records);
  connection->touch();
}

void PullService::on_message(const protocol::RecordView& record, std::int64_t tags_code) {
  if (held_.size() == 0) return;
  const std::size_t before = woken_.size();
  held_.take_matching(record.topic, record.queue_id, record.queue_offset, tags_code, woken_);
  if (woken_.size() != before) context_.shard.schedule(*this);
}

// After the whole batch is applied, so that one answer carries all of it.
void PullService::on_turn_end() { run_woken(); }

void PullService::run_woken() {
  std::vector<HeldPull> pulls;
  pulls.swap(woken_);
  for (HeldPull& pull : pulls) execute(std::move(pull), Pass::kWoken);
}

void PullService::sweep_timeouts() {
  if (held_.size() == 0) return;
  held_.take_expired(context_.clock.steady_us() / 1000, woken_);
  run_woken();
}

void PullService::sweep_advanced() {
  if (held_.size() == 0) return;
  held_.take_advanced(
      [this](std::string_view topic, std::int32_t queue_id, QueueOffset offset) {
        const store::ConsumeQueue* queue = context_.storage.queues().find(topic, queue_id);
        return queue != nullptr && queue->max() > offset;
      },
      woken_);
  run_woken();
}

void PullService::stop() {
  held_.take_all(woken_);
  run_woken();
}

}  // namespace gantry::broker

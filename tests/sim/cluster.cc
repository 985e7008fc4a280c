// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/cluster.h"

#include <fmt/core.h>

#include <algorithm>

namespace gantry::simtest {
namespace {

constexpr std::string_view kTopic = "T";
constexpr std::int32_t kQueues = 4;

protocol::TopicConfig topic_config(std::string name, int queues) {
  protocol::TopicConfig config;
  config.topic_name = std::move(name);
  config.read_queue_nums = config.write_queue_nums = queues;
  config.perm = 6;
  return config;
}

}  // namespace

Cluster::Cluster(std::uint64_t seed_value, ClusterOptions cluster_options)
    : world(seed_value), network(world), options(cluster_options), seed(seed_value) {
  for (int i = 0; i < options.nodes; ++i) add_node();
}

Cluster::~Cluster() {
  for (auto& node : nodes_) node->kill();
}

Node& Cluster::add_node() {
  nodes_.push_back(std::make_unique<Node>(*this, static_cast<int>(nodes_.size())));
  return *nodes_.back();
}

void Cluster::form() {
  raft::Membership membership;
  for (auto& node : nodes_) {
    node->start();
    membership.put({node->uuid(), node->address(), node->number() + 1, true});
  }
  for (auto& node : nodes_) {
    if (!node->up()) continue;
    node->loop().post([&n = *node, membership] {
      if (const auto formed = n.storage().replica().form(membership); !formed) {
        throw Violation{formed.error().message};
      }
    });
  }
}

Node* Cluster::leader() {
  Node* best = nullptr;
  for (auto& node : nodes_) {
    if (!node->leading()) continue;
    if (best == nullptr || node->storage().log().term() > best->storage().log().term()) {
      best = node.get();
    }
  }
  return best;
}

Node* Cluster::by_uuid(const std::string& uuid) {
  for (auto& node : nodes_) {
    if (node->uuid() == uuid) return node.get();
  }
  return nullptr;
}

std::vector<raft::Membership> Cluster::memberships() {
  raft::MembershipLog::Entry newest;
  for (auto& node : nodes_) {
    if (!node->up()) continue;
    const raft::Core& core = node->storage().replica().core();
    for (const auto& entry : core.membership_log().all()) {
      if (entry.end > core.committed() || entry.membership.members.empty()) continue;
      if (newest.membership.members.empty() || entry.end > newest.end) newest = entry;
    }
  }
  if (newest.membership.members.empty()) return {};
  std::vector<raft::Membership> result{newest.membership};
  for (const raft::Member& member : newest.membership.members) {
    Node* node = by_uuid(member.id);
    if (!member.voter || node == nullptr || !node->up()) continue;
    for (const auto& entry : node->storage().replica().core().membership_log().all()) {
      if (entry.end > newest.end) result.push_back(entry.membership);
    }
  }
  return result;
}

bool Cluster::voters_whole(const Node* except) {
  const std::vector<raft::Membership> all = memberships();
  for (const raft::Membership& membership : all) {
    for (const raft::Member& member : membership.members) {
      if (!member.voter) continue;
      const Node* node = by_uuid(member.id);
      if (node != nullptr && node == except) continue;
      if (node == nullptr || !node->up() || node->recovering()) return false;
    }
  }
  return !all.empty();
}

bool Cluster::voter_lost() {
  for (const raft::Membership& membership : memberships()) {
    for (const raft::Member& member : membership.members) {
      if (member.voter && by_uuid(member.id) == nullptr) return true;
    }
  }
  return false;
}

void Cluster::produce() {
  // Now and then through somebody who believes to lead.
  Node* target = leader();
  if (world.one_in(5)) {
    Node& any = node(static_cast<int>(world.random(static_cast<std::int64_t>(nodes_.size()))));
    if (any.leading()) target = &any;
  }
  if (target == nullptr) return;
  target->loop().post([this, target] {
    if (!target->leading()) return;
    if (options.known_topic && target->storage().state().topics().find(kTopic) == nullptr) {
      return target->storage().proposals().put_topics({topic_config(std::string(kTopic), kQueues)},
                                                      [](const Result<void>&) {});
    }
    replog::Log& log = target->storage().log();
    const std::size_t size =
        static_cast<std::size_t>(world.one_in(20) ? world.random(20000) : world.random(600));
    const std::string body = std::to_string(next_message_++) + ":" + std::string(size, 'x');
    protocol::RecordFields f;
    f.topic = kTopic;
    f.queue_id = static_cast<std::int32_t>(world.random(kQueues));
    f.body = body;
    f.store_host = f.born_host = log.store_host();
    const auto place = log.reserve(protocol::encoded_size(f));
    if (!place) return;
    store::ConsumeQueue& queue = target->storage().queues().get(kTopic, f.queue_id);
    f.position = place->position;
    f.queue_offset = queue.next();
    f.store_timestamp_ms = log.store_time_ms();
    protocol::encode_record(f, place->data);
    Pending pending{place->position, place->position + static_cast<std::int64_t>(place->size),
                    std::string(place->data, place->size)};
    log.publish(*place);
    queue.take_next();
    pending_[target->number()].push_back(std::move(pending));
  });
}

void Cluster::change_state() {
  Node* target = leader();
  if (target == nullptr) return;
  target->loop().post([this, target] {
    if (!target->leading()) return;
    const auto ignore = [](const Result<void>&) {};
    switch (world.random(options.subscriptions ? 5 : 3)) {
      case 0:
        target->storage().proposals().put_topics(
            {topic_config(fmt::format("topic{}", world.random(20)),
                          1 + static_cast<int>(world.random(8)))},
            ignore);
        break;
      case 1:
        target->storage().proposals().delete_topics({fmt::format("topic{}", world.random(20))},
                                                    ignore);
        break;
      case 2:
        target->storage().offsets().commit(fmt::format("group{}", world.random(5)), kTopic,
                                           static_cast<std::int32_t>(world.random(4)),
                                           QueueOffset(world.random(1000)));
        break;
      default:
        change_groups(target->storage());
    }
  });
}

// Consumer groups come and go, and subscribe to topics that may exist. The level is what brokers
// raise when they know each other, see broker/group/feature_level.
void Cluster::change_groups(broker::Storage& storage) {
  const auto ignore = [](const Result<void>&) {};
  state::Proposals& proposals = storage.proposals();
  if (storage.state().feature_level() < state::kSubscriptionsLevel) {
    return proposals.set_feature_level(state::kSubscriptionsLevel, ignore);
  }
  protocol::SubscriptionGroupConfig config;
  config.group_name = fmt::format("group{}", world.random(5));
  if (proposals.find_group(config.group_name) == nullptr) {
    return proposals.put_groups({config}, ignore);
  }
  if (world.one_in(5)) {
    return proposals.delete_group(config.group_name, state::CleanOffsets::kNo, ignore);
  }
  state::GroupSubscriptions subscriptions;
  for (std::int64_t left = world.random(4); left > 0; --left) {
    auto data = protocol::build_subscription(fmt::format("topic{}", world.random(20)),
                                             world.one_in(2) ? "*" : "A || B", "TAG");
    data->sub_version = world.random(1000);
    std::string topic = data->topic;
    subscriptions.topics.insert_or_assign(std::move(topic), *std::move(data));
  }
  proposals.put_subscriptions(config.group_name, std::move(subscriptions), ignore);
}

// What is committed is known before anything can follow from it: a trim that takes it away, or the
// end of the only member that knew. A message is acknowledged when its own leader has committed it.
void Cluster::committed_at(Node& node, LogPosition position) {
  compare_committed(node);
  std::deque<Pending>& waiting = pending_[node.number()];
  while (!waiting.empty() && waiting.front().end <= position) {
    ++acknowledged_;
    acknowledged_messages_.push_back({waiting.front().position, std::move(waiting.front().bytes)});
    waiting.pop_front();
  }
}

void Cluster::leads(Node& node, Term term) {
  pending_[node.number()].clear();
  const auto [it, first] = leader_of_term_.emplace(term.v, node.uuid());
  if (!first && it->second != node.uuid()) {
    throw Violation{
        fmt::format("term {} has two leaders: members {} and {}", term.v, it->second, node.uuid())};
  }
  note(static_cast<std::uint64_t>(term.v * 100 + node.number()));
  if (on_leader) on_leader(node);
  // One that slept may begin to lead a term that is over, and commits nothing any more.
  if (term.v < leader_of_term_.rbegin()->first) return;
  // Leader completeness: it has every byte that was committed.
  const replog::Log& log = node.storage().log();
  if (log.end().v < static_cast<std::int64_t>(canonical_.size())) {
    throw Violation{fmt::format("node {} leads term {} with a log that ends at {}, {} is committed",
                                node.number(), term.v, log.end().v, canonical_.size())};
  }
  compare(node, log.begin(), LogPosition(static_cast<std::int64_t>(canonical_.size())));
}

// [from, to) of the node's files against what was committed anywhere; what is new becomes known.
void Cluster::compare(Node& node, LogPosition from, LogPosition to) {
  replog::Log& log = node.storage().log();
  std::string bytes;
  while (from < to) {
    bytes.resize(static_cast<std::size_t>(std::min<std::int64_t>(to - from, 1 << 20)));
    const auto n = log.peek(from, bytes);
    if (!n || *n == 0) {
      throw Violation{fmt::format("node {} cannot read its log at {}", node.number(), from.v)};
    }
    const std::string_view piece(bytes.data(), *n);
    const auto at = static_cast<std::size_t>(from.v);
    if (at > canonical_.size()) {
      throw Violation{
          fmt::format("node {} has a log from {} on, but nobody has committed more than {}",
                      node.number(), at, canonical_.size())};
    }
    const std::size_t known =
        at < canonical_.size() ? std::min(piece.size(), canonical_.size() - at) : 0;
    if (piece.substr(0, known) != std::string_view(canonical_).substr(at, known)) {
      std::size_t i = 0;
      while (piece[i] == canonical_[at + i]) ++i;
      throw Violation{fmt::format("node {} differs at {} from what was committed there",
                                  node.number(), at + i)};
    }
    if (at + known == canonical_.size()) canonical_.append(piece.substr(known));
    from += static_cast<std::int64_t>(piece.size());
  }
}

// What consumers see: equal offsets lead to equal records.
void Cluster::compare_queues(Node& one, Node& other) {
  const LogPosition begin = std::max(one.storage().log().begin(), other.storage().log().begin());
  for (std::int32_t id = 0; id < kQueues; ++id) {
    store::ConsumeQueue& a = one.storage().queues().get(kTopic, id);
    store::ConsumeQueue& b = other.storage().queues().get(kTopic, id);
    if (a.max() != b.max()) {
      throw Violation{fmt::format("queue {} ends at {} on node {} and at {} on node {}", id,
                                  a.max().v, one.number(), b.max().v, other.number())};
    }
    for (QueueOffset at = std::max(a.min(), b.min()); at < a.max(); ++at) {
      const auto x = a.at(at);
      const auto y = b.at(at);
      if (!x || !y) throw Violation{fmt::format("queue {} cannot be read at {}", id, at.v)};
      if (x->position < begin || y->position < begin) continue;
      if (x->position != y->position || x->size != y->size || x->tags_code != y->tags_code) {
        throw Violation{fmt::format("queue {} leads from {} to {} on node {} and to {} on node {}",
                                    id, at.v, x->position.v, one.number(), y->position.v,
                                    other.number())};
      }
    }
  }
}

void Cluster::compare_committed(Node& node) {
  const replog::Log& log = node.storage().log();
  const LogPosition committed = log.committed();
  const LogPosition from = std::max(node.checked, log.begin());
  if (from < committed) compare(node, from, committed);
  node.checked = std::max(node.checked, committed);
}

void Cluster::check() {
  for (auto& node : nodes_) {
    if (!node->up()) continue;
    compare_committed(*node);
    const replog::Log& log = node->storage().log();
    const LogPosition committed = log.committed();
    if (committed > log.written()) {
      throw Violation{fmt::format("node {} has applied {} but written only {}", node->number(),
                                  committed.v, log.written().v)};
    }
    node->storage().state().advance(committed);
    if (node->storage().state().applied() != committed) continue;  // beyond its own log: installing
    const std::uint64_t digest = node->storage().state().digest();
    const auto [it, first] = digests_.emplace(committed.v, digest);
    if (!first && it->second != digest) {
      throw Violation{fmt::format("the state of node {} at {} differs from that of another node",
                                  node->number(), committed.v)};
    }
  }
  note(canonical_.size());
}

void Cluster::check_converged() {
  check();
  Node* leader_node = leader();
  if (leader_node == nullptr) throw Violation{"no leader although everything is healed"};
  const LogPosition end = leader_node->storage().log().committed();
  const raft::Membership& membership = leader_node->storage().replica().core().membership();
  for (const raft::Member& member : membership.members) {
    Node* node = by_uuid(member.id);
    if (node == nullptr) throw Violation{"the store of member " + member.id + " does not exist"};
    if (!node->up()) throw Violation{fmt::format("node {} is down", node->number())};
    if (node->storage().log().committed() != end) {
      throw Violation{fmt::format("node {} has committed {}, the leader {}", node->number(),
                                  node->storage().log().committed().v, end.v)};
    }
    compare(*node, node->storage().log().begin(), end);
    if (options.known_topic) compare_queues(*leader_node, *node);
    if (node->storage().replica().core().membership() != membership) {
      throw Violation{fmt::format("node {} counts other members than the leader, node {}",
                                  node->number(), leader_node->number())};
    }
  }
  for (const Acknowledged& message : acknowledged_messages_) {
    const auto at = static_cast<std::size_t>(message.position.v);
    if (canonical_.compare(at, message.bytes.size(), message.bytes) != 0) {
      throw Violation{
          fmt::format("the acknowledged message at {} is not in the log", message.position.v)};
    }
  }
}

}  // namespace gantry::simtest

// SPDX-License-Identifier: Apache-2.0
#include "state/proposals.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/string_hash.h"

namespace gantry::state {
namespace {

template <class Config>
struct Pending {
  std::uint64_t id = 0;
  std::optional<Config> config;  // nullopt: deleted
};

// Changes on their way, by name: oldest first, never an empty list.
template <class Config>
using Overlay = StringMap<std::vector<Pending<Config>>>;

Error not_leading() { return Error{ErrorCode::kUnavailable, "this member is not the leader"}; }

void finish(Proposals::Done& done, Result<void> result) {
  if (done) done(std::move(result));
}

// nullptr: nothing is on its way for `name`; else the newest change.
template <class Config>
const Pending<Config>* newest(const Overlay<Config>& overlay, std::string_view name) {
  const auto it = overlay.find(name);
  return it == overlay.end() ? nullptr : &it->second.back();
}

template <class Config>
void add(Overlay<Config>& overlay, const std::string& name, std::uint64_t id,
         std::optional<Config> config) {
  overlay[name].push_back(Pending<Config>{id, std::move(config)});
}

template <class Config>
void remove(Overlay<Config>& overlay, const std::vector<std::string>& names, std::uint64_t id) {
  for (const std::string& name : names) {
    const auto it = overlay.find(name);
    if (it == overlay.end()) continue;
    std::erase_if(it->second, [id](const Pending<Config>& pending) { return pending.id == id; });
    if (it->second.empty()) overlay.erase(it);
  }
}

template <class Table, class Config>
const Config* find(const Table& table, const Overlay<Config>& overlay, std::string_view name) {
  if (!overlay.empty()) {
    if (const Pending<Config>* pending = newest(overlay, name)) {
      return pending->config ? &*pending->config : nullptr;
    }
  }
  return table.find(name);
}

// Calls `done` when all of several appends have reported.
class Join {
 public:
  Join(std::size_t count, Proposals::Done done) : left_(count), done_(std::move(done)) {}
  void report(Result<void> result) {
    if (!result && !error_) error_ = std::move(result).error();
    if (--left_ != 0) return;
    finish(done_, error_ ? Result<void>(std::unexpected(*std::move(error_))) : Result<void>());
  }

 private:
  std::size_t left_;
  std::optional<Error> error_;
  Proposals::Done done_;
};

}  // namespace

struct Proposals::Overlays {
  Overlay<protocol::TopicConfig> topics;
  Overlay<protocol::SubscriptionGroupConfig> groups;
  Overlay<GroupSubscriptions> subscriptions;
  std::int32_t raising_to = 0;  // a feature level that is on its way; 0: none

  // What takes change `id` of `names` out of the view again, then calls `done`. Harmless once the
  // view belongs to an earlier term.
  template <class Config>
  static Done settle(const std::shared_ptr<Overlays>& view, Overlay<Config> Overlays::* part,
                     std::uint64_t id, std::vector<std::string> names, Done done) {
    return [weak = std::weak_ptr(view), part, id, names = std::move(names),
            done = std::move(done)](Result<void> result) mutable {
      if (const auto alive = weak.lock()) remove((*alive).*part, names, id);
      finish(done, std::move(result));
    };
  }
};

Proposals::Proposals(StateMachine& machine, replog::CommandLog& log, OffsetManager& offsets,
                     Clock& clock)
    : machine_(machine),
      log_(log),
      offsets_(offsets),
      clock_(clock),
      overlays_(std::make_shared<Overlays>()) {}

Proposals::~Proposals() = default;

void Proposals::begin_term(Term term) {
  overlays_ = std::make_shared<Overlays>();
  term_ = term;
  leading_ = true;
  offsets_.begin_term(term);
}

void Proposals::end_term() {
  leading_ = false;
  overlays_ = std::make_shared<Overlays>();
  offsets_.end_term();
}

const protocol::TopicConfig* Proposals::find_topic(std::string_view name) const {
  return find(machine_.topics(), overlays_->topics, name);
}

const protocol::SubscriptionGroupConfig* Proposals::find_group(std::string_view name) const {
  return find(machine_.groups(), overlays_->groups, name);
}

const GroupSubscriptions* Proposals::find_subscriptions(std::string_view group) const {
  return find(machine_.subscriptions(), overlays_->subscriptions, group);
}

CommandStamp Proposals::stamp() const { return CommandStamp{clock_.wall_ms(), term_}; }

std::optional<Error> Proposals::refusal(const EncodedCommand& command) const {
  if (!leading_) return not_leading();
  if (command.feature_level <= feature_level()) return std::nullopt;
  return Error{ErrorCode::kUnsupported,
               fmt::format("needs feature level {}, the broker set is at level {}",
                           command.feature_level, feature_level())};
}

std::int32_t Proposals::feature_level() const {
  return std::max(machine_.feature_level(), overlays_->raising_to);
}

void Proposals::append(EncodedCommand command, Done done) {
  if (auto refused = refusal(command)) return finish(done, std::unexpected(*std::move(refused)));
  log_.append_command(
      std::move(command.body),
      [done = std::move(done)](Result<void> result) mutable { finish(done, std::move(result)); });
}

void Proposals::put_topics(std::vector<protocol::TopicConfig> topics, Done done) {
  std::erase_if(topics, [this](const protocol::TopicConfig& config) {
    const protocol::TopicConfig* applied = machine_.topics().find(config.topic_name);
    return applied != nullptr && *applied == config &&
           newest(overlays_->topics, config.topic_name) == nullptr;
  });
  EncodedCommand command = put_topics_command(stamp(), topics);
  if (auto refused = refusal(command)) return finish(done, std::unexpected(*std::move(refused)));
  if (topics.empty()) return finish(done, {});
  const std::uint64_t id = next_id_++;
  std::vector<std::string> names;
  for (protocol::TopicConfig& config : topics) {
    names.push_back(config.topic_name);
    add<protocol::TopicConfig>(overlays_->topics, names.back(), id, std::move(config));
  }
  log_.append_command(std::move(command.body), Overlays::settle(overlays_, &Overlays::topics, id,
                                                                std::move(names), std::move(done)));
}

void Proposals::delete_topics(std::vector<std::string> names, Done done) {
  EncodedCommand command = delete_topics_command(stamp(), names);
  if (auto refused = refusal(command)) return finish(done, std::unexpected(*std::move(refused)));
  offsets_.flush({});  // offsets written after the delete would come back to life
  const std::uint64_t id = next_id_++;
  for (const std::string& name : names) {
    add<protocol::TopicConfig>(overlays_->topics, name, id, std::nullopt);
  }
  log_.append_command(std::move(command.body), Overlays::settle(overlays_, &Overlays::topics, id,
                                                                std::move(names), std::move(done)));
}

void Proposals::put_groups(std::vector<protocol::SubscriptionGroupConfig> groups, Done done) {
  std::erase_if(groups, [this](const protocol::SubscriptionGroupConfig& config) {
    const protocol::SubscriptionGroupConfig* applied = machine_.groups().find(config.group_name);
    return applied != nullptr && *applied == config &&
           newest(overlays_->groups, config.group_name) == nullptr;
  });
  EncodedCommand command = put_groups_command(stamp(), groups);
  if (auto refused = refusal(command)) return finish(done, std::unexpected(*std::move(refused)));
  if (groups.empty()) return finish(done, {});
  const std::uint64_t id = next_id_++;
  std::vector<std::string> names;
  for (protocol::SubscriptionGroupConfig& config : groups) {
    names.push_back(config.group_name);
    add<protocol::SubscriptionGroupConfig>(overlays_->groups, names.back(), id, std::move(config));
  }
  log_.append_command(std::move(command.body), Overlays::settle(overlays_, &Overlays::groups, id,
                                                                std::move(names), std::move(done)));
}

void Proposals::delete_group(std::string_view name, CleanOffsets clean, Done done) {
  EncodedCommand command = delete_group_command(stamp(), name, clean);
  if (auto refused = refusal(command)) return finish(done, std::unexpected(*std::move(refused)));
  if (clean == CleanOffsets::kYes) offsets_.flush({});
  const std::uint64_t id = next_id_++;
  std::vector<std::string> names = {std::string(name)};
  add<protocol::SubscriptionGroupConfig>(overlays_->groups, names.front(), id, std::nullopt);
  add<GroupSubscriptions>(overlays_->subscriptions, names.front(), id, std::nullopt);
  Done of_group = Overlays::settle(overlays_, &Overlays::groups, id, names, std::move(done));
  log_.append_command(std::move(command.body),
                      Overlays::settle(overlays_, &Overlays::subscriptions, id, std::move(names),
                                       std::move(of_group)));
}

void Proposals::set_forbidden(std::vector<ForbiddenEntry> entries, Done done) {
  append(set_forbidden_command(stamp(), entries), std::move(done));
}

void Proposals::set_feature_level(std::int32_t level, Done done) {
  if (level > machine_.supported_level()) {
    return finish(done, make_error(ErrorCode::kUnsupported,
                                   fmt::format("feature level {} is not supported by the leader, "
                                               "which is at {}",
                                               level, machine_.supported_level())));
  }
  const std::int32_t before = std::exchange(overlays_->raising_to, level);
  append(set_feature_level_command(stamp(), level),
         [before, view = std::weak_ptr(overlays_),
          done = std::move(done)](Result<void> result) mutable {
           // What was not written does not come before what follows.
           const auto alive = view.lock();
           if (!result && alive) alive->raising_to = before;
           finish(done, std::move(result));
         });
}

void Proposals::count_checks(std::span<const LogPosition> positions, Done done) {
  append(count_checks_command(stamp(), positions), std::move(done));
}

void Proposals::trim_log(LogPosition position, Done done) {
  append(trim_log_command(stamp(), position), std::move(done));
}

void Proposals::compare_state(Done done) {
  append(compare_state_command(stamp(), machine_.last_digest()), std::move(done));
}

void Proposals::lock_queues(std::string_view group, std::string_view client,
                            std::span<const LockedQueue> queues, std::int64_t now_ms,
                            std::int64_t expired_before_ms, Done done) {
  append(lock_queues_command({now_ms, term_}, group, client, queues, expired_before_ms),
         std::move(done));
}

void Proposals::unlock_queues(std::string_view group, std::string_view client,
                              std::span<const LockedQueue> queues, Done done) {
  append(unlock_queues_command(stamp(), group, client, queues), std::move(done));
}

void Proposals::put_subscriptions(std::string_view group, GroupSubscriptions subscriptions,
                                  Done done) {
  EncodedCommand command = put_subscriptions_command(stamp(), group, subscriptions);
  if (auto refused = refusal(command)) return finish(done, std::unexpected(*std::move(refused)));
  if (command.body.size() > kCommandBytesMax) {
    return finish(done, make_error(ErrorCode::kInvalidArgument,
                                   fmt::format("the subscriptions of {} take {} bytes, at most {} "
                                               "are kept",
                                               group, command.body.size(), kCommandBytesMax)));
  }
  const std::uint64_t id = next_id_++;
  std::vector<std::string> names = {std::string(group)};
  std::optional<GroupSubscriptions> kept;
  if (!subscriptions.topics.empty()) kept = std::move(subscriptions);
  add<GroupSubscriptions>(overlays_->subscriptions, names.front(), id, std::move(kept));
  log_.append_command(
      std::move(command.body),
      Overlays::settle(overlays_, &Overlays::subscriptions, id, std::move(names), std::move(done)));
}

void Proposals::import(const ImportedState& imported, Done done) {
  std::vector<EncodedCommand> commands = import_state_commands(stamp(), imported);
  auto join = std::make_shared<Join>(commands.size(), std::move(done));
  for (EncodedCommand& command : commands) {
    append(std::move(command), [join](Result<void> result) { join->report(std::move(result)); });
  }
}

}  // namespace gantry::state

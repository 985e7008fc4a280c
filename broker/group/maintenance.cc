// SPDX-License-Identifier: Apache-2.0
#include "broker/group/maintenance.h"

#include <chrono>
#include <utility>

#include "broker/route/namesrv_registrar.h"
#include "log/log.h"

namespace gantry::broker {
namespace {

log::Logger logger("group");

constexpr std::chrono::seconds kDrivePeriod{1};

}  // namespace

Maintenance::Maintenance(BrokerContext& context, GroupMembers& members)
    : context_(context), members_(members) {
  context_.storage.add_role_observer(*this);
}

Maintenance::~Maintenance() { context_.storage.remove_role_observer(*this); }

void Maintenance::begin() {
  if (std::exchange(on_, true)) return;
  logger.info("maintenance: this member hands over what it leads");
  context_.storage.replica().set_passive(true);
  drive_timer_ = context_.shard.every(kDrivePeriod, [this] { drive(); });
  drive();
}

void Maintenance::end() {
  if (!std::exchange(on_, false)) return;
  logger.info("maintenance is over");
  drive_timer_.reset();
  obstacle_.clear();
  context_.storage.replica().set_passive(false);
  refuse_messages(false);
}

bool Maintenance::finished() const {
  if (!on_) return false;
  if (!context_.storage.leading()) return true;
  const replog::Log& log = context_.storage.log();
  return context_.refuses_messages && log.committed() == log.end();
}

void Maintenance::drive() {
  if (!on_ || !context_.storage.leading()) return;
  const auto begun = members_.transfer({});
  if (begun) return;
  if (obstacle_ != begun.error().message) {
    obstacle_ = begun.error().message;
    logger.warn("maintenance: nobody takes over, messages are refused: {}", obstacle_);
  }
  refuse_messages(true);
}

void Maintenance::refuse_messages(bool refuse) {
  if (std::exchange(context_.refuses_messages, refuse) != refuse) {
    context_.registrar->register_all();
  }
}

void Maintenance::on_following() {
  if (!on_) return;
  obstacle_.clear();
  refuse_messages(false);
}

}  // namespace gantry::broker

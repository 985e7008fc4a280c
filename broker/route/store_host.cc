// SPDX-License-Identifier: Apache-2.0
#include "broker/route/store_host.h"

#include <chrono>
#include <utility>

#include "log/log.h"
#include "net/connection.h"

namespace gantry::broker {
namespace {

log::Logger logger("store-host");
constexpr std::chrono::seconds kRetryAfter{2};

// What the leader registers. Both forms were checked when the configuration was read.
net::HostPort registered(const config::BrokerConfig& config, std::uint16_t port) {
  const auto leader = net::parse_host_port(config.leader_advertised_address);
  return leader ? *leader : net::HostPort{config.broker_ip1, port};
}

}  // namespace

StoreHost::StoreHost(runtime::Shard& shard, const config::BrokerConfig& config, std::uint16_t port,
                     const std::string& own_ip, Changed changed)
    : shard_(shard), changed_(std::move(changed)), port_(port), lookup_(shard) {
  const net::HostPort address = registered(config, port);
  if (const auto numeric = protocol::RecordHost::parse(address.host, address.port)) {
    value_ = *numeric;
    return;
  }
  name_ = address.host;
  port_ = address.port;
  if (const auto own = protocol::RecordHost::parse(own_ip, port)) value_ = *own;
}

void StoreHost::look_up() {
  if (name_.empty()) return;
  retry_timer_.reset();
  lookup_.find(name_, [this](const Result<std::string>& ip) { on_found(ip); });
}

void StoreHost::on_found(const Result<std::string>& ip) {
  auto host = ip ? protocol::RecordHost::parse(*ip, port_)
                 : Result<protocol::RecordHost>(std::unexpected(ip.error()));
  if (!host) {
    if (!warned_) {
      logger.warn("records name {} until the advertised name is known: {}", value_.text(),
                  host.error().message);
    }
    warned_ = true;
    retry_timer_ = shard_.after(kRetryAfter, [this] { look_up(); });
    return;
  }
  warned_ = false;
  if (*host == value_) return;
  value_ = *host;
  logger.info("records name {} for {}", value_.text(), name_);
  changed_(value_);
}

}  // namespace gantry::broker

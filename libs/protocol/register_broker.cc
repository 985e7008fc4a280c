// SPDX-License-Identifier: Apache-2.0
#include "protocol/register_broker.h"

#include "base/crc32.h"
#include "protocol/body_fields.h"
#include "protocol/codes.h"
#include "protocol/register_broker_packed.h"
#include "protocol/zlib_stream.h"

namespace gantry::protocol {
namespace {

constexpr std::string_view kBrokerName = "brokerName";
constexpr std::string_view kBrokerAddr = "brokerAddr";
constexpr std::string_view kClusterName = "clusterName";
constexpr std::string_view kHaServerAddr = "haServerAddr";
constexpr std::string_view kMasterAddr = "masterAddr";
constexpr std::string_view kBrokerId = "brokerId";
constexpr std::string_view kHeartbeatTimeout = "heartbeatTimeoutMillis";
constexpr std::string_view kEnableActingMaster = "enableActingMaster";
constexpr std::string_view kCompressed = "compressed";
constexpr std::string_view kBodyCrc32 = "bodyCrc32";
constexpr std::string_view kZoneName = "__ZONE_NAME";

std::unexpected<Error> wrong_field(std::string_view name) {
  return make_error(ErrorCode::kInvalidArgument,
                    "register broker: field " + std::string(name) + " is missing or wrong");
}

Result<void> read_required(const ExtFields& ext, RegisterBrokerHeader& out) {
  const auto take = [&ext](std::string_view name, std::string& text) {
    const auto found = ext.find(name);
    if (found) text = *found;
    return found.has_value();
  };
  if (!take(kBrokerName, out.broker_name)) return wrong_field(kBrokerName);
  if (!take(kBrokerAddr, out.broker_addr)) return wrong_field(kBrokerAddr);
  if (!take(kClusterName, out.cluster_name)) return wrong_field(kClusterName);
  if (!take(kHaServerAddr, out.ha_server_addr)) return wrong_field(kHaServerAddr);
  const auto broker_id = ext.get_int64(kBrokerId);
  if (!broker_id) return wrong_field(kBrokerId);
  out.broker_id = *broker_id;
  return {};
}

}  // namespace

template <class F, Is<RegisterBrokerBody> T>
void describe(F& f, T& t) {
  f("filterServerList", t.filter_server_list);
  f("topicConfigSerializeWrapper", t.topic_configs);
}

Result<RegisterBrokerHeader> RegisterBrokerHeader::from_ext(const ExtFields& ext) {
  RegisterBrokerHeader out;
  GANTRY_TRY(read_required(ext, out));
  if (ext.find(kHeartbeatTimeout)) {
    out.heartbeat_timeout_ms = ext.get_int64(kHeartbeatTimeout);
    if (!out.heartbeat_timeout_ms) return wrong_field(kHeartbeatTimeout);
  }
  if (ext.find(kEnableActingMaster)) {
    out.enable_acting_master = ext.get_bool(kEnableActingMaster, false);
  }
  out.compressed = ext.get_bool(kCompressed, false);
  if (ext.find(kBodyCrc32)) {
    const auto crc = ext.get_int32(kBodyCrc32);
    if (!crc || *crc < 0) return wrong_field(kBodyCrc32);
    out.body_crc32 = static_cast<std::uint32_t>(*crc);
  }
  if (const auto zone = ext.find(kZoneName)) out.zone_name = std::string(*zone);
  return out;
}

void RegisterBrokerHeader::add_to(Command& command) const {
  const auto put = [&command](std::string_view name, std::string value) {
    command.with(std::string(name), std::move(value));
  };
  put(kBodyCrc32, std::to_string(body_crc32));
  put(kBrokerAddr, broker_addr);
  put(kBrokerId, std::to_string(broker_id));
  put(kBrokerName, broker_name);
  put(kClusterName, cluster_name);
  put(kCompressed, compressed ? "true" : "false");
  if (enable_acting_master) put(kEnableActingMaster, *enable_acting_master ? "true" : "false");
  put(kHaServerAddr, ha_server_addr);
  if (heartbeat_timeout_ms) put(kHeartbeatTimeout, std::to_string(*heartbeat_timeout_ms));
  if (zone_name) put(kZoneName, *zone_name);
}

Result<std::string> RegisterBrokerBody::encode(bool compressed, std::int32_t version) const {
  if (!compressed) return encode_body(*this);
  const Result<std::string> packed = pack_register_broker(*this, version);
  if (!packed) return packed;
  return zlib_deflate(*packed);
}

Result<RegisterBrokerBody> RegisterBrokerBody::decode(std::string_view body, bool compressed,
                                                      std::int32_t version) {
  if (!compressed) return decode_body<RegisterBrokerBody>("RegisterBrokerBody", body);
  const Result<std::string> packed = zlib_inflate(body, kRegisterBodyBytesMax);
  if (!packed) return std::unexpected(packed.error());
  return unpack_register_broker(*packed, version);
}

Result<Command> make_register_broker_request(RegisterBrokerHeader header,
                                             const RegisterBrokerBody& body, bool compressed) {
  Command command = Command::request(to_int(RequestCode::kRegisterBroker));
  Result<std::string> bytes = body.encode(compressed, command.version);
  if (!bytes) return std::unexpected(std::move(bytes).error());
  header.compressed = compressed;
  header.body_crc32 = crc32_masked(*bytes);
  header.add_to(command);
  command.body = std::move(*bytes);
  return command;
}

Result<RegisterBrokerBody> decode_register_broker_body(const RegisterBrokerHeader& header,
                                                       std::int32_t version,
                                                       std::string_view body) {
  if (header.body_crc32 != 0 && crc32_masked(body) != header.body_crc32) {
    return make_error(ErrorCode::kCorrupt, "crc32 not match");
  }
  if (body.empty()) return RegisterBrokerBody{};
  return RegisterBrokerBody::decode(body, header.compressed, version);
}

void RegisterBrokerResponse::add_to(Command& response) const {
  if (ha_server_addr) response.with(std::string(kHaServerAddr), *ha_server_addr);
  if (master_addr) response.with(std::string(kMasterAddr), *master_addr);
  if (order_topic_conf && !order_topic_conf->table.empty()) {
    response.body = order_topic_conf->to_json();
  }
}

Result<RegisterBrokerResponse> RegisterBrokerResponse::from(const Command& response) {
  RegisterBrokerResponse out;
  if (const auto addr = response.find(kHaServerAddr)) out.ha_server_addr = std::string(*addr);
  if (const auto addr = response.find(kMasterAddr)) out.master_addr = std::string(*addr);
  if (response.body.empty()) return out;
  Result<KVTable> table = KVTable::from_json(response.body);
  if (!table) return std::unexpected(std::move(table).error());
  if (!table->table.empty()) out.order_topic_conf = std::move(*table);
  return out;
}

}  // namespace gantry::protocol

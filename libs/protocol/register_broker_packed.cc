// SPDX-License-Identifier: Apache-2.0
#include "protocol/register_broker_packed.h"

#include <charconv>

#include "base/bytes.h"
#include "protocol/body_fields.h"

namespace gantry::protocol {
namespace {

void put_int(std::string& out, std::size_t value) {
  char bytes[4];
  store_be(bytes, static_cast<std::uint32_t>(value));
  out.append(bytes, sizeof bytes);
}

void put_text(std::string& out, std::string_view text) {
  put_int(out, text.size());
  out += text;
}

// "name readQueueNums writeQueueNums perm topicFilterType attributes"; RocketMQ 4 has no
// attributes.
std::string topic_line(const std::string& name, const TopicConfig& config, bool attributes) {
  std::string line = name;
  for (const std::int32_t n : {config.read_queue_nums, config.write_queue_nums, config.perm}) {
    line.append(" ").append(std::to_string(n));
  }
  line.append(" ").append(topic_filter_type_name(config.topic_filter_type));
  if (attributes) line.append(" ").append(encode_body(config.attributes));
  return line;
}

class PackedReader {
 public:
  explicit PackedReader(std::string_view bytes) : bytes_(bytes) {}

  bool take_count(std::size_t& count) {
    if (bytes_.size() < 4) return false;
    const auto value = load_be<std::int32_t>(bytes_.data());
    bytes_.remove_prefix(4);
    count = static_cast<std::size_t>(value);
    return value >= 0;
  }
  bool take_text(std::string_view& text) {
    std::size_t size = 0;
    if (!take_count(size) || size > bytes_.size()) return false;
    text = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return true;
  }

 private:
  std::string_view bytes_;
};

std::unexpected<Error> broken(std::string_view what) {
  return make_error(ErrorCode::kCorrupt, "RegisterBrokerBody: " + std::string(what));
}

// The text up to the next space; moves `line` past it.
std::string_view take_word(std::string_view& line) {
  const std::size_t at = line.find(' ');
  const std::string_view word = line.substr(0, at);
  line.remove_prefix(at == std::string_view::npos ? line.size() : at + 1);
  return word;
}

bool take_number(std::string_view& line, std::int32_t& out) {
  const std::string_view word = take_word(line);
  const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), out);
  return error == std::errc() && stop == word.data() + word.size();
}

Result<TopicConfig> parse_topic_line(std::string_view line) {
  TopicConfig config;
  config.topic_name = take_word(line);
  if (config.topic_name.empty()) return broken("topic line without a name");
  if (!take_number(line, config.read_queue_nums) || !take_number(line, config.write_queue_nums) ||
      !take_number(line, config.perm)) {
    return broken("wrong number in the line of topic " + config.topic_name);
  }
  const Result<TopicFilterType> type = topic_filter_type_from_name(take_word(line));
  if (!type) return broken("topic " + config.topic_name + ": " + type.error().message);
  config.topic_filter_type = *type;
  if (!line.empty() && line != "null") {
    auto attributes = decode_body<decltype(config.attributes)>("attributes", line);
    if (!attributes)
      return broken("topic " + config.topic_name + ": " + attributes.error().message);
    config.attributes = std::move(*attributes);
  }
  return config;
}

Result<void> unpack_topics(PackedReader& in, TopicConfigTable& table) {
  std::size_t count = 0;
  if (!in.take_count(count)) return broken("topic count cut off");
  for (std::size_t i = 0; i < count; ++i) {
    std::string_view line;
    if (!in.take_text(line)) return broken("topic line cut off");
    Result<TopicConfig> config = parse_topic_line(line);
    if (!config) return std::unexpected(std::move(config).error());
    std::string name = config->topic_name;
    table.topics.insert_or_assign(std::move(name), std::move(*config));
  }
  return {};
}

Result<void> unpack_mappings(PackedReader& in, TopicConfigTable& table) {
  std::size_t count = 0;
  if (!in.take_count(count)) return broken("mapping count cut off");
  for (std::size_t i = 0; i < count; ++i) {
    std::string_view text;
    if (!in.take_text(text)) return broken("mapping cut off");
    Result<TopicQueueMappingInfo> info = TopicQueueMappingInfo::from_json(text);
    if (!info) return std::unexpected(std::move(info).error());
    std::string topic = info->topic;
    table.mapping_infos.insert_or_assign(std::move(topic), std::move(*info));
  }
  return {};
}

}  // namespace

Result<std::string> pack_register_broker(const RegisterBrokerBody& body, std::int32_t version) {
  const TopicConfigTable& table = body.topic_configs;
  const bool release5 = version >= kVersionWithQueueMapping;
  std::string out;
  put_text(out, table.data_version.to_json());
  put_int(out, table.topics.size());
  for (const auto& [name, config] : table.topics) {
    if (name.find(' ') != std::string::npos) {
      return make_error(ErrorCode::kInvalidArgument, "topic name with a space: " + name);
    }
    put_text(out, topic_line(name, config, release5));
  }
  put_text(out, encode_body(body.filter_server_list));
  if (release5) {
    put_int(out, table.mapping_infos.size());
    for (const auto& [topic, info] : table.mapping_infos) put_text(out, info.to_json());
  }
  return out;
}

Result<RegisterBrokerBody> unpack_register_broker(std::string_view packed, std::int32_t version) {
  RegisterBrokerBody body;
  PackedReader in(packed);
  std::string_view text;
  if (!in.take_text(text)) return broken("DataVersion cut off");
  Result<DataVersion> data_version = DataVersion::from_json(text);
  if (!data_version) return std::unexpected(std::move(data_version).error());
  body.topic_configs.data_version = *data_version;
  GANTRY_TRY(unpack_topics(in, body.topic_configs));
  if (!in.take_text(text)) return broken("filterServerList cut off");
  auto servers = decode_body<std::vector<std::string>>("filterServerList", text);
  if (!servers) return std::unexpected(std::move(servers).error());
  body.filter_server_list = std::move(*servers);
  if (version >= kVersionWithQueueMapping) GANTRY_TRY(unpack_mappings(in, body.topic_configs));
  return body;  // sections that later releases may append are none of ours
}

}  // namespace gantry::protocol

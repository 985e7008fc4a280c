// SPDX-License-Identifier: Apache-2.0
#include "namesrv/kvconfig/kv_config.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "io/file_system.h"
#include "log/log.h"

namespace gantry::namesrv {
namespace {

constexpr Logger kLog("kvconfig");

using Json = nlohmann::json;

Result<KvTable> decode_table(const std::string& name, const Json& json) {
  if (!json.is_object()) {
    return make_error(ErrorCode::kCorrupt, "configTable." + name + " is not an object");
  }
  KvTable table;
  for (const auto& [key, value] : json.items()) {
    if (value.is_null()) continue;  // Apache RocketMQ keeps null values
    if (!value.is_string()) {
      return make_error(ErrorCode::kCorrupt, "configTable." + name + "." + key + " is not a text");
    }
    table.emplace(key, value.get<std::string>());
  }
  return table;
}

Result<KvNamespaces> load_one(io::FileSystem& fs, const std::string& path) {
  auto bytes = io::read_file(fs, path);
  if (!bytes) return std::unexpected(std::move(bytes).error());
  auto decoded = decode_kv_namespaces(*bytes);
  if (!decoded) {
    return make_error(decoded.error().code, path + ": " + decoded.error().message);
  }
  return decoded;
}

}  // namespace

std::string encode_kv_namespaces(const KvNamespaces& namespaces) {
  Json table = Json::object();
  for (const auto& [name, values] : namespaces) table[name] = values;
  // Keys and values come from requests; a byte that is not UTF-8 must not lose the whole table.
  return Json{{"configTable", std::move(table)}}.dump(-1, ' ', false,
                                                      Json::error_handler_t::replace);
}

Result<KvNamespaces> decode_kv_namespaces(std::string_view json) {
  Json parsed;
  try {
    parsed = Json::parse(json);
  } catch (const Json::parse_error& e) {
    return make_error(ErrorCode::kCorrupt, "not JSON: " + std::string(e.what()));
  }
  if (!parsed.is_object()) return make_error(ErrorCode::kCorrupt, "not a JSON object");
  KvNamespaces out;
  const auto table = parsed.find("configTable");
  if (table == parsed.end() || table->is_null()) return out;
  if (!table->is_object()) return make_error(ErrorCode::kCorrupt, "configTable is not an object");
  for (const auto& [name, values] : table->items()) {
    auto decoded = decode_table(name, values);
    if (!decoded) return std::unexpected(std::move(decoded).error());
    out.emplace(name, *std::move(decoded));
  }
  return out;
}

Result<KvNamespaces> load_kv_namespaces(io::FileSystem& fs, const std::string& path) {
  auto main = load_one(fs, path);
  if (main) return main;
  const bool missing = main.error().code == ErrorCode::kNotFound;
  if (!missing && main.error().code != ErrorCode::kCorrupt) return main;
  auto backup = load_one(fs, path + ".bak");
  if (missing) {
    if (backup) {
      kLog.warn("the KV table is gone, its backup is used path={}", path);
      return backup;
    }
    if (backup.error().code == ErrorCode::kNotFound) return KvNamespaces{};
    return backup;
  }
  if (!backup) {
    return make_error(ErrorCode::kCorrupt,
                      main.error().message +
                          "; no usable backup beside it. Mend the file, or move "
                          "it away to start with an empty KV table");
  }
  GANTRY_TRY(fs.rename(path, path + ".damaged"));
  kLog.error(
      "the KV table is damaged; it was set aside as {}.damaged and the backup is used "
      "reason={}",
      path, main.error().message);
  return backup;
}

KvConfig::KvConfig(KvNamespaces initial, std::string path, FileWriter& writer)
    : namespaces_(std::move(initial), std::move(path), encode_kv_namespaces, writer) {}

const std::string* KvConfig::get(std::string_view name_space, std::string_view key) const {
  const auto* table = list(name_space);
  if (table == nullptr) return nullptr;
  const auto it = table->find(key);
  return it == table->end() ? nullptr : &it->second;
}

const KvTable* KvConfig::list(std::string_view name_space) const {
  const auto& all = namespaces_.get();
  const auto it = all.find(name_space);
  return it == all.end() ? nullptr : &it->second;
}

void KvConfig::put(std::string name_space, std::string key, std::string value, Done done) {
  namespaces_.change(
      [name_space = std::move(name_space), key = std::move(key),
       value = std::move(value)](KvNamespaces& all) -> Result<void> {
        all[name_space].insert_or_assign(key, value);
        return {};
      },
      std::move(done));
}

void KvConfig::erase(std::string name_space, std::string key, Done done) {
  namespaces_.change(
      [name_space = std::move(name_space),
       key = std::move(key)](KvNamespaces& all) -> Result<void> {
        // A namespace stays when its last key goes: RocketMQ then answers an empty table.
        const auto it = all.find(name_space);
        if (it != all.end()) it->second.erase(key);
        return {};
      },
      std::move(done));
}

}  // namespace gantry::namesrv

// SPDX-License-Identifier: Apache-2.0
// Message properties as text: name 0x01 value 0x02 name 0x01 value 0x02 … Parsed lazily, as views.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gantry::protocol {

namespace property {
inline constexpr std::string_view kKeys = "KEYS";
inline constexpr std::string_view kTags = "TAGS";
inline constexpr std::string_view kWait = "WAIT";
inline constexpr std::string_view kDelay = "DELAY";
inline constexpr std::string_view kUniqKey = "UNIQ_KEY";
inline constexpr std::string_view kRetryTopic = "RETRY_TOPIC";
inline constexpr std::string_view kRealTopic = "REAL_TOPIC";
inline constexpr std::string_view kRealQueueId = "REAL_QID";
inline constexpr std::string_view kOriginMessageId = "ORIGIN_MESSAGE_ID";
inline constexpr std::string_view kMsgRegion = "MSG_REGION";
inline constexpr std::string_view kTraceOn = "TRACE_ON";
inline constexpr std::string_view kCluster = "CLUSTER";
inline constexpr std::string_view kTranMsg = "TRAN_MSG";
inline constexpr std::string_view kProducerGroup = "PGROUP";
inline constexpr std::string_view kCheckImmunityTime = "CHECK_IMMUNITY_TIME_IN_SECONDS";
inline constexpr std::string_view kTransactionCheckTimes = "TRANSACTION_CHECK_TIMES";
inline constexpr std::string_view kPopCk = "POP_CK";
inline constexpr std::string_view kTimerDelaySec = "TIMER_DELAY_SEC";
inline constexpr std::string_view kTimerDelayMs = "TIMER_DELAY_MS";
inline constexpr std::string_view kTimerDeliverMs = "TIMER_DELIVER_MS";
}  // namespace property

struct Property {
  std::string_view name;
  std::string_view value;
};

// Calls fn(name, value) for each entry, in order; entries without 0x01 are skipped, a missing final
// 0x02 is accepted.
template <class Fn>
void for_each_property(std::string_view text, Fn&& fn) {
  while (!text.empty()) {
    const std::size_t end = text.find('\x02');
    const std::string_view entry = text.substr(0, end);
    const std::size_t sep = entry.find('\x01');
    if (sep != std::string_view::npos) fn(entry.substr(0, sep), entry.substr(sep + 1));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

// The value of the last entry with that name.
std::optional<std::string_view> find_property(std::string_view text, std::string_view name);

// A property list that is edited; writes the text form, final 0x02 included.
class Properties {
 public:
  Properties() = default;
  static Properties parse(std::string_view text);
  std::optional<std::string_view> find(std::string_view name) const;
  void set(std::string_view name, std::string_view value);
  void erase(std::string_view name);
  std::string text() const;

 private:
  std::vector<std::pair<std::string, std::string>> entries_;
};

// Appends one entry to `out`.
void append_property(std::string& out, std::string_view name, std::string_view value);

}  // namespace gantry::protocol

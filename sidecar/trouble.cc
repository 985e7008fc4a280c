// SPDX-License-Identifier: Apache-2.0
#include "sidecar/trouble.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/not_ready.h"

namespace gantry::sidecar {
namespace {

// What an Event's message may have, without the advice: that must never be cut off.
constexpr std::size_t kCauseMax = 700;

constexpr std::array kPassing{reason::kStarting, reason::kStopping, reason::kInMaintenance,
                              reason::kCatchingUp, reason::kRegistrationPending};

struct Advice {
  std::string_view reason;
  std::string_view text;
};

constexpr auto kAdvice = std::to_array<Advice>({
    {reason::kNameServerUnresolvable,
     "Correct namesrv.addresses in the values of the chart (key namesrvAddr of the broker), or "
     "make "
     "the name known to the DNS of the cluster. The broker tries again by itself."},
    {reason::kNameServerUnreachable,
     "See whether pods and Service of the NameServers are there, whether a NetworkPolicy is in the "
     "way, and whether namesrv.addresses in the values of the chart (key namesrvAddr of the "
     "broker) "
     "is right. The broker tries again by itself."},
    {reason::kNameServerRefused,
     "The log of the NameServer says why it refuses the broker; see whether namesrv.addresses in "
     "the values of the chart (key namesrvAddr of the broker) leads to a NameServer."},
    {reason::kBrokerSetNotFormed,
     "See why the members that are named do not answer (kubectl get pods, kubectl describe pod). "
     "A set forms when all of raftInitialMembers answer."},
    {reason::kNoLeader,
     "A leader needs a majority of the members: see whether the other pods of the set run and can "
     "be reached (kubectl get pods). If the volumes of those that are missing are gone for ever, "
     "gantry cluster recover shows what is left and how to go on."},
    {reason::kGivenUp,
     "The set was recovered without this member (gantry cluster recover): delete its volume, start "
     "it again and join it."},
    {reason::kEventLoopHangs,
     "See the log of the broker, and whether its disk answers and its CPU limit is high enough."},
});
constexpr std::string_view kSeeTheLog = "See the log of the broker (kubectl logs -c broker).";

// As a sentence, cut at a character's begin.
std::string sentence_of(std::string text) {
  if (text.size() > kCauseMax) {
    std::size_t end = kCauseMax;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    text = text.substr(0, end) + "…";
  }
  return text + (text.ends_with('.') ? " " : ". ");
}

}  // namespace

std::optional<Trouble> trouble_of(const ReadinessAnswer& answer) {
  const auto check = std::ranges::find_if(answer.failed, [](const FailedCheck& failed) {
    return std::ranges::find(kPassing, failed.reason) == kPassing.end();
  });
  if (check == answer.failed.end()) return std::nullopt;
  const auto* const advice = std::ranges::find(kAdvice, check->reason, &Advice::reason);
  const bool known = advice != kAdvice.end();
  return Trouble{.reason = known ? check->reason : kBrokerNotReady,
                 .message = "The broker is not ready: " + sentence_of(check->message) +
                            std::string(known ? advice->text : kSeeTheLog)};
}

}  // namespace gantry::sidecar

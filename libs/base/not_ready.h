// SPDX-License-Identifier: Apache-2.0
// Why a server is not ready: a text for people, and a reason that programs go by. The reasons are a
// part of what /readyz?format=json answers: the sidecar makes Kubernetes Events of them, and
// docs/operations/kubernetes.md lists them.
#pragma once

#include <string>
#include <string_view>

namespace gantry {

struct NotReady {
  std::string text{};
  std::string_view reason{};  // one of the constants below; empty: there is none
};

namespace reason {

// They pass, or are wanted.
inline constexpr std::string_view kStarting = "Starting";
inline constexpr std::string_view kStopping = "Stopping";
inline constexpr std::string_view kInMaintenance = "InMaintenance";
inline constexpr std::string_view kCatchingUp = "CatchingUp";
inline constexpr std::string_view kRegistrationPending = "RegistrationPending";
// Somebody has to look.
inline constexpr std::string_view kEventLoopHangs = "EventLoopHangs";
inline constexpr std::string_view kBrokerSetNotFormed = "BrokerSetNotFormed";
inline constexpr std::string_view kNoLeader = "NoLeader";
inline constexpr std::string_view kGivenUp = "GivenUp";
inline constexpr std::string_view kNameServerUnresolvable = "NameServerUnresolvable";
inline constexpr std::string_view kNameServerUnreachable = "NameServerUnreachable";
inline constexpr std::string_view kNameServerRefused = "NameServerRefused";

}  // namespace reason
}  // namespace gantry

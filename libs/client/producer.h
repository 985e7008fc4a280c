// SPDX-License-Identifier: Apache-2.0
// Sends messages one after the other and waits for each answer. Chooses queues in turn over all
// brokers; a send that fails is tried again elsewhere, with a fresh route. Owned by one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "client/send_request.h"
#include "client/topic_queues.h"
#include "protocol/message_id.h"

namespace gantry::client {

class Connections;
class NameServer;

class Producer {
 public:
  struct Options {
    std::string group;
    int attempts = 3;
    std::chrono::milliseconds send_timeout{3000};
    std::chrono::milliseconds route_lifetime{30000};
    std::uint32_t random = 0;  // makes this producer's message ids its own
    std::uint32_t pid = 0;
  };
  struct Sent {
    SendReceipt receipt;
    std::string message_id;
    int attempts = 1;
  };

  // Everything given must outlive the producer.
  Producer(Connections& connections, NameServer& name_server, Options options,
           const Clock& clock = system_clock());

  // kNotFound: there is no such topic. kUnavailable: no broker that serves it can be reached. A
  // message that was sent again after a silence may be stored twice, with one message id.
  Result<Sent> send(const OutgoingMessage& message);

 private:
  struct Route {
    RoundRobin queues;
    std::int64_t fetched_us = 0;
  };
  Result<Route*> route(const std::string& topic);

  Connections& connections_;
  NameServer& name_server_;
  const Options options_;
  const Clock& clock_;
  protocol::UniqueIdGenerator ids_;
  std::map<std::string, Route, std::less<>> routes_;
};

}  // namespace gantry::client

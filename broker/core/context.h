// SPDX-License-Identifier: Apache-2.0
// What request handlers work with. Owned by BrokerApp, which outlives them all; everything belongs
// to the log shard.
#pragma once

#include <string>

#include "base/clock.h"
#include "broker/core/dispatcher.h"
#include "broker/core/storage.h"
#include "config/broker_config.h"
#include "io/file_system.h"
#include "protocol/record.h"
#include "runtime/shard.h"

namespace gantry::broker {

class BrokerStats;
class ClientManager;
class ConfigFile;
class MessageAppender;
class NamesrvRegistrar;
class PullService;
class QueueLocks;
class Transactions;

struct BrokerContext {
  config::BrokerConfig& config;  // live: code 25 changes it
  ConfigFile& config_file;
  Clock& clock;
  io::FileSystem& files;
  runtime::Shard& shard;
  Storage& storage;
  ConnectionDirectory& connections;
  BrokerStats& stats;
  protocol::RecordHost store_host;  // goes into records and message ids: see StoreHost
  std::string address;              // brokerIP1:listenPort: what clients and tools know us by
  std::string http_address;         // brokerIP1:httpPort

  // Set by BrokerApp before any request comes.
  MessageAppender* appender = nullptr;
  PullService* pulls = nullptr;
  ClientManager* clients = nullptr;
  QueueLocks* locks = nullptr;
  Transactions* transactions = nullptr;
  NamesrvRegistrar* registrar = nullptr;
  bool refuses_messages = false;  // maintenance without a successor
};

}  // namespace gantry::broker

// SPDX-License-Identifier: Apache-2.0
#include "protocol/client_connection.h"

#include "protocol/body_fields.h"

namespace gantry::protocol {

template <class F, Is<ClientConnection> T>
void describe(F& f, T& t) {
  f("clientAddr", t.client_addr);
  f("clientId", t.client_id);
  f("language", t.language);
  f("version", t.version);
}

template <class F, Is<ConsumerConnection> T>
void describe(F& f, T& t) {
  f("connectionSet", t.connection_set);
  f("consumeFromWhere", t.consume_from_where);
  f("consumeType", t.consume_type);
  f("messageModel", t.message_model);
  f("subscriptionTable", t.subscription_table);
}

template <class F, Is<ProducerConnection> T>
void describe(F& f, T& t) {
  f("connectionSet", t.connection_set);
}

template <class F, Is<ProducerInfo> T>
void describe(F& f, T& t) {
  f("clientId", t.client_id);
  f("language", t.language);
  f("lastUpdateTimestamp", t.last_update_timestamp_ms);
  f("remoteIP", t.remote_ip);
  f("version", t.version);
}

template <class F, Is<ProducerTableInfo> T>
void describe(F& f, T& t) {
  f("data", t.data);
}

std::string ConsumerConnection::to_json() const { return encode_body(*this); }

Result<ConsumerConnection> ConsumerConnection::from_json(std::string_view body) {
  return decode_body<ConsumerConnection>("ConsumerConnection", body);
}

std::string ProducerConnection::to_json() const { return encode_body(*this); }

Result<ProducerConnection> ProducerConnection::from_json(std::string_view body) {
  return decode_body<ProducerConnection>("ProducerConnection", body);
}

std::string ProducerTableInfo::to_json() const { return encode_body(*this); }

Result<ProducerTableInfo> ProducerTableInfo::from_json(std::string_view body) {
  return decode_body<ProducerTableInfo>("ProducerTableInfo", body);
}

}  // namespace gantry::protocol

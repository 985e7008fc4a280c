// SPDX-License-Identifier: Apache-2.0
package gantry.interop;

import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.common.protocol.heartbeat.MessageModel;

/** What differs between the releases: 4.9. */
final class Compat {
    private Compat() {}

    static void broadcast(DefaultMQPushConsumer consumer) {
        consumer.setMessageModel(MessageModel.BROADCASTING);
    }

    static void register(Registry registry) {}
}

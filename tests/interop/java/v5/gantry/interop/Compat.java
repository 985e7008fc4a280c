// SPDX-License-Identifier: Apache-2.0
package gantry.interop;

import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.remoting.protocol.heartbeat.MessageModel;

/** What differs between the releases: 5.5. */
final class Compat {
    private Compat() {}

    static void broadcast(DefaultMQPushConsumer consumer) {
        consumer.setMessageModel(MessageModel.BROADCASTING);
    }

    static void register(Registry registry) {}
}

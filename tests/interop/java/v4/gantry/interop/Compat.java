// SPDX-License-Identifier: Apache-2.0
package gantry.interop;

import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.impl.factory.MQClientInstance;
import org.apache.rocketmq.common.protocol.header.QueryConsumerOffsetRequestHeader;
import org.apache.rocketmq.common.protocol.heartbeat.MessageModel;

/** What differs between the releases: 4.9. */
final class Compat {
    private Compat() {}

    static void broadcast(DefaultMQPushConsumer consumer) {
        consumer.setMessageModel(MessageModel.BROADCASTING);
    }

    static long queryOffset(DefaultMQPushConsumer consumer, String topic, int queueId)
        throws Exception {
        QueryConsumerOffsetRequestHeader header = new QueryConsumerOffsetRequestHeader();
        header.setConsumerGroup(consumer.getConsumerGroup());
        header.setTopic(topic);
        header.setQueueId(queueId);
        MQClientInstance client =
            consumer.getDefaultMQPushConsumerImpl().getmQClientFactory();
        try {
            return client.getMQClientAPIImpl().queryConsumerOffset(
                client.findBrokerAddressInPublish(Case.BROKER_NAME), header, 5_000);
        } catch (MQBrokerException e) {
            if (e.getResponseCode() == 22) {
                return -1;
            }
            throw e;
        }
    }

    static void register(Registry registry) {}
}

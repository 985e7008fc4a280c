// SPDX-License-Identifier: Apache-2.0
package gantry.interop;

import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.impl.factory.MQClientInstance;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.remoting.protocol.header.QueryConsumerOffsetRequestHeader;
import org.apache.rocketmq.remoting.protocol.heartbeat.MessageModel;

/** What differs between the releases: 5.5. */
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

    static void register(Registry registry) {
        registry.add("timer.delay-in-milliseconds", c -> timer(c, false));
        registry.add("timer.deliver-at-time", c -> timer(c, true));
    }

    /** Timer messages exist since 5.0. Their precision is a second. */
    private static void timer(Case c, boolean absolute) throws Exception {
        String topic = c.topic(1);
        Message message = Case.message(topic, "TagD", "timed");
        message.setKeys("key");
        long before = System.currentTimeMillis();
        if (absolute) {
            message.setDeliverTimeMs(before + 3_000);
        } else {
            message.setDelayTimeMs(3_000);
        }
        c.send(message, 0);
        MessageExt got = c.readQueue(topic, 0, 1).get(0);
        long took = got.getStoreTimestamp() - before;
        Check.that(took >= 1_000 && took < 10_000, "delivered after " + took + " ms");
        Check.equal(Inbox.text(got), "timed", "body");
        Check.equal(got.getTags(), "TagD", "tag");
        Check.equal(got.getKeys(), "key", "keys");
    }
}

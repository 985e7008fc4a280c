// SPDX-License-Identifier: Apache-2.0
package gantry.interop;

import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** Delay levels, end to end. */
final class DelayTests {
    private DelayTests() {}

    static void register(Registry registry) {
        registry.add("delay.level-1", c -> level(c, 1, 1_000));
        registry.add("delay.level-2", c -> level(c, 2, 5_000));
        registry.add("delay.level-3", c -> level(c, 3, 10_000)).slow();
        registry.add("delay.order-within-level", DelayTests::order);
    }

    private static void level(Case c, int level, long millis) throws Exception {
        String topic = c.topic(2);
        Inbox inbox = new Inbox();
        c.startPush(c.group(), topic, "TagD", inbox);
        Message message = Case.message(topic, "TagD", "later");
        message.setDelayTimeLevel(level);
        message.setKeys("key");
        message.putUserProperty("user", "kept");
        long before = System.currentTimeMillis();
        SendResult sent = c.send(message, 1);
        MessageExt got = inbox.await(1).get(0);
        long took = got.getStoreTimestamp() - before;
        Check.that(took >= millis - 50 && took < millis + 5_000, "delivered after " + took + " ms");
        Check.equal(Inbox.text(got), "later", "body");
        Check.equal(got.getMsgId(), sent.getMsgId(), "message id");
        Check.equal(got.getQueueId(), 1, "queue");
        Check.equal(got.getTags(), "TagD", "tag");
        Check.equal(got.getKeys(), "key", "keys");
        Check.equal(got.getUserProperty("user"), "kept", "user property");
        Check.equal(got.getDelayTimeLevel(), level, "delay level of the delivered message");
    }

    private static void order(Case c) throws Exception {
        String topic = c.topic(1);
        for (int i = 0; i < 10; i++) {
            Message message = Case.message(topic, "T", "d" + i);
            message.setDelayTimeLevel(1);
            c.send(message, 0);
        }
        int i = 0;
        for (MessageExt message : c.readQueue(topic, 0, 10)) {
            Check.equal(Inbox.text(message), "d" + i++, "order");
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package gantry.interop;

import java.util.ArrayList;
import java.util.List;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** Refused messages: retries with delay, then the dead letters. */
final class RetryTests {
    private RetryTests() {}

    static void register(Registry registry) {
        registry.add("retry.again-then-dead-letter", RetryTests::deadLetter);
        registry.add("retry.succeeds-at-second-attempt", RetryTests::secondAttempt);
        registry.add("retry.default-delay", RetryTests::defaultDelay).slow();
        registry.add("retry.reaches-other-consumer", RetryTests::otherConsumer);
    }

    private static DefaultMQPushConsumer refusing(Case c, String group, String topic, int level,
        List<MessageExt> attempts, int successAt) throws Exception {
        DefaultMQPushConsumer consumer = c.push(group);
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            context.setDelayLevelWhenNextConsume(level);
            synchronized (attempts) {
                attempts.addAll(messages);
                return attempts.size() >= successAt ? ConsumeConcurrentlyStatus.CONSUME_SUCCESS
                    : ConsumeConcurrentlyStatus.RECONSUME_LATER;
            }
        });
        return consumer;
    }

    private static int size(List<MessageExt> attempts) {
        synchronized (attempts) {
            return attempts.size();
        }
    }

    private static void deadLetter(Case c) throws Exception {
        String topic = c.topic(1);
        String group = c.group();
        List<MessageExt> attempts = new ArrayList<>();
        DefaultMQPushConsumer consumer = refusing(c, group, topic, 1, attempts, Integer.MAX_VALUE);
        consumer.setMaxReconsumeTimes(2);
        consumer.start();
        Message message = Case.message(topic, "TagR", "refused");
        message.setKeys("key");
        message.putUserProperty("user", "kept");
        SendResult sent = c.send(message, 0);
        c.awaitRetryQueue(consumer, group);
        Await.until("three attempts", () -> size(attempts) == 3);
        for (int i = 0; i < 3; i++) {
            MessageExt got = attempts.get(i);
            Check.equal(got.getReconsumeTimes(), i, "reconsume times");
            Check.equal(got.getTopic(), topic, "topic that the listener sees");
            Check.equal(got.getMsgId(), sent.getMsgId(), "message id");
            Check.equal(got.getUserProperty("user"), "kept", "user property");
            Check.equal(got.getTags(), "TagR", "tag");
        }
        long pause = attempts.get(1).getStoreTimestamp() - attempts.get(0).getStoreTimestamp();
        Check.that(pause >= 950 && pause < 10_000, "first pause " + pause + " ms");
        c.awaitRoute("%DLQ%" + group);
        MessageExt dead = c.readQueue("%DLQ%" + group, 0, 1).get(0);
        Check.equal(Inbox.text(dead), "refused", "dead letter");
        Check.equal(dead.getReconsumeTimes(), 3, "its reconsume times");
        Check.equal(dead.getProperty("RETRY_TOPIC"), topic, "its RETRY_TOPIC");
        Check.equal(dead.getProperty("ORIGIN_MESSAGE_ID"), sent.getOffsetMsgId(),
            "its ORIGIN_MESSAGE_ID");
        Check.equal(dead.getKeys(), "key", "its keys");
        Check.equal(size(attempts), 3, "attempts");
    }

    private static void secondAttempt(Case c) throws Exception {
        String topic = c.topic(1);
        String group = c.group();
        List<MessageExt> attempts = new ArrayList<>();
        DefaultMQPushConsumer consumer = refusing(c, group, topic, 1, attempts, 2);
        consumer.start();
        c.awaitRetryQueue(consumer, group);
        c.send(topic, 0, "T", "x");
        Await.until("two attempts", () -> size(attempts) == 2);
        Await.until("offset of the retry queue",
            () -> Case.stored(consumer, "%RETRY%" + group, 0) == 1);
        Await.until("offset of the topic", () -> Case.stored(consumer, topic, 0) == 1);
        Check.equal(size(attempts), 2, "attempts");
    }

    /** The first retry comes after ten seconds when the consumer does not ask otherwise. */
    private static void defaultDelay(Case c) throws Exception {
        String topic = c.topic(1);
        String group = c.group();
        List<MessageExt> attempts = new ArrayList<>();
        DefaultMQPushConsumer consumer = refusing(c, group, topic, 0, attempts, 2);
        consumer.start();
        c.awaitRetryQueue(consumer, group);
        c.send(topic, 0, "T", "x");
        Await.until("two attempts", () -> size(attempts) == 2);
        long pause = attempts.get(1).getStoreTimestamp() - attempts.get(0).getStoreTimestamp();
        Check.that(pause >= 9_950 && pause < 20_000, "pause " + pause + " ms");
        Check.equal(attempts.get(1).getProperty("DELAY"), "3", "level");
    }

    /** A retry belongs to the group, not to the consumer that refused. */
    private static void otherConsumer(Case c) throws Exception {
        String topic = c.topic(1);
        String group = c.group();
        List<MessageExt> attempts = new ArrayList<>();
        DefaultMQPushConsumer first =
            refusing(c, group, topic, 1, attempts, Integer.MAX_VALUE);
        first.start();
        c.send(topic, 0, "T", "x");
        Await.until("an attempt", () -> size(attempts) >= 1);
        c.awaitRoute("%RETRY%" + group);
        // The offset moves on once the message is sent back.
        Await.until("the refused message is sent back", () -> Case.stored(first, topic, 0) == 1);
        first.shutdown();
        Inbox inbox = new Inbox();
        c.startPush(group, topic, "*", inbox);
        MessageExt got = inbox.await(1).get(0);
        Check.equal(Inbox.text(got), "x", "body");
        Check.that(got.getReconsumeTimes() >= 1, "reconsume times " + got.getReconsumeTimes());
    }
}

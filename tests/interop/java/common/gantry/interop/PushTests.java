// SPDX-License-Identifier: Apache-2.0
package gantry.interop;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.common.UtilAll;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;

/** Concurrent push consumers: delivery, offsets, starting points. */
final class PushTests {
    private PushTests() {}

    static void register(Registry registry) {
        registry.add("push.concurrent", PushTests::concurrent);
        registry.add("push.backlog", PushTests::backlog);
        registry.add("push.batch-listener", PushTests::batchListener);
        registry.add("push.latency-of-long-poll", PushTests::latency);
        registry.add("push.restarted-consumer-continues", PushTests::restarted);
        registry.add("push.from-first-offset",
            c -> startsAt(c, ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET));
        registry.add("push.from-last-offset-of-young-topic",
            c -> startsAt(c, ConsumeFromWhere.CONSUME_FROM_LAST_OFFSET));
        registry.add("push.from-timestamp-of-young-topic",
            c -> startsAt(c, ConsumeFromWhere.CONSUME_FROM_TIMESTAMP));
        registry.add("push.two-topics", PushTests::twoTopics);
    }

    private static void concurrent(Case c) throws Exception {
        String topic = c.topic(4);
        Inbox inbox = new Inbox();
        DefaultMQPushConsumer consumer = c.startPush(c.group(), topic, "*", inbox);
        Set<String> sent = c.sendMany(topic, 4, "p", 100);
        inbox.awaitBodies(sent);
        Check.equal(inbox.size(), 100, "deliveries");
        for (int queue = 0; queue < 4; queue++) {
            int id = queue;
            Await.until("offset of queue " + id, () -> Case.stored(consumer, topic, id) == 25);
        }
    }

    /** Messages that were there before the consumer. */
    private static void backlog(Case c) throws Exception {
        String topic = c.topic(2);
        Set<String> sent = c.sendMany(topic, 2, "b", 200);
        Inbox inbox = new Inbox();
        c.startPush(c.group(), topic, "*", inbox);
        inbox.awaitBodies(sent);
        Check.equal(inbox.size(), 200, "deliveries");
    }

    private static void batchListener(Case c) throws Exception {
        String topic = c.topic(1);
        Set<String> sent = c.sendMany(topic, 1, "b", 40);
        Inbox inbox = new Inbox();
        List<Integer> sizes = new ArrayList<>();
        DefaultMQPushConsumer consumer = c.push(c.group());
        consumer.setConsumeMessageBatchMaxSize(8);
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener((org.apache.rocketmq.client.consumer.listener
            .MessageListenerConcurrently) (messages, context) -> {
                synchronized (sizes) {
                    sizes.add(messages.size());
                }
                return inbox.concurrently().consumeMessage(messages, context);
            });
        consumer.start();
        inbox.awaitBodies(sent);
        synchronized (sizes) {
            Check.that(sizes.contains(8), "a batch of 8: " + sizes);
        }
    }

    /** A held pull is answered by the message, not by the next sweep. */
    private static void latency(Case c) throws Exception {
        String topic = c.topic(1);
        Inbox inbox = new Inbox();
        c.startPush(c.group(), topic, "*", inbox);
        c.send(topic, 0, "T", "first");
        inbox.await(1);
        long best = Long.MAX_VALUE;
        for (int i = 2; i <= 6; i++) {
            long before = System.nanoTime();
            c.send(topic, 0, "T", "m" + i);
            inbox.await(i);
            best = Math.min(best, System.nanoTime() - before);
        }
        Check.that(best < 1_000_000_000L, "best of five took " + best / 1_000_000 + " ms");
    }

    private static void restarted(Case c) throws Exception {
        String topic = c.topic(2);
        String group = c.group();
        Inbox first = new Inbox();
        DefaultMQPushConsumer consumer = c.startPush(group, topic, "*", first);
        Set<String> before = c.sendMany(topic, 2, "before", 20);
        first.awaitBodies(before);
        for (int queue = 0; queue < 2; queue++) {
            int id = queue;
            Await.until("offset of queue " + id, () -> Case.stored(consumer, topic, id) == 10);
        }
        consumer.shutdown();
        Set<String> between = c.sendMany(topic, 2, "between", 20);
        Inbox second = new Inbox();
        c.startPush(group, topic, "*", second);
        second.awaitBodies(between);
        Check.equal(second.distinct(), between, "bodies after the restart");
        Check.equal(first.distinct(), before, "bodies before the restart");
    }

    /**
     * A new group on a topic whose first message is still in memory starts at offset 0, whatever
     * the consumer asks for.
     */
    private static void startsAt(Case c, ConsumeFromWhere where) throws Exception {
        String topic = c.topic(1);
        c.sendMany(topic, 1, "old", 5);
        c.readQueue(topic, 0, 5);
        Inbox inbox = new Inbox();
        DefaultMQPushConsumer consumer = c.push(c.group());
        consumer.setConsumeFromWhere(where);
        consumer.setConsumeTimestamp(
            UtilAll.timeMillisToHumanString3(System.currentTimeMillis() + 60_000));
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener(inbox.concurrently());
        consumer.start();
        c.send(topic, 0, "T", "new");
        inbox.await(6);
        Check.equal(inbox.distinct().size(), 6, "deliveries " + inbox.bodies());
    }

    private static void twoTopics(Case c) throws Exception {
        String one = c.topic(1);
        String two = c.topic(1);
        Inbox inbox = new Inbox();
        DefaultMQPushConsumer consumer = c.push(c.group());
        consumer.subscribe(one, "*");
        consumer.subscribe(two, "*");
        consumer.registerMessageListener(inbox.concurrently());
        consumer.start();
        Set<String> sent = c.sendMany(one, 1, "one", 5);
        sent.addAll(c.sendMany(two, 1, "two", 5));
        inbox.awaitBodies(sent);
        Set<String> topics = new TreeSet<>();
        for (MessageExt message : inbox.messages()) {
            topics.add(message.getTopic());
        }
        Check.equal(topics, new TreeSet<>(Set.of(one, two)), "topics");
    }
}

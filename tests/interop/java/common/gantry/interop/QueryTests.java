// SPDX-License-Identifier: Apache-2.0
package gantry.interop;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.rocketmq.client.QueryResult;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** Finding messages: by key, by both kinds of id, by time. */
final class QueryTests {
    private QueryTests() {}

    static void register(Registry registry) {
        registry.add("query.by-key", QueryTests::byKey);
        registry.add("query.by-unique-id", QueryTests::byUniqueId);
        registry.add("query.by-offset-id", QueryTests::byOffsetId);
        registry.add("query.by-time", QueryTests::byTime);
        registry.add("query.queue-offsets", QueryTests::queueOffsets);
    }

    private static Message keyed(String topic, String keys, String body) {
        Message message = Case.message(topic, "T", body);
        message.setKeys(keys);
        return message;
    }

    private static List<String> find(Case c, String topic, String key, int max, long begin,
        long end) throws Exception {
        QueryResult result = c.env.admin.queryMessage(topic, key, max, begin, end);
        List<String> bodies = new ArrayList<>();
        result.getMessageList().forEach(m -> bodies.add(Inbox.text(m)));
        bodies.sort(null);
        return bodies;
    }

    private static void byKey(Case c) throws Exception {
        String topic = c.topic(2);
        String other = c.topic(1);
        long before = System.currentTimeMillis() - 5_000;
        c.send(keyed(topic, "red green", "one"), 0);
        c.send(keyed(topic, "green", "two"), 1);
        c.send(keyed(other, "green", "elsewhere"), 0);
        long after = System.currentTimeMillis() + 60_000;
        Await.until("both messages",
            () -> find(c, topic, "green", 32, before, after).equals(List.of("one", "two")));
        Check.equal(find(c, topic, "red", 32, before, after), List.of("one"), "key red");
        Check.fails(MQClientException.class, "absent key",
            () -> find(c, topic, "blue", 32, before, after));
        Check.fails(MQClientException.class, "time before",
            () -> find(c, topic, "red", 32, before - 60_000, before));
    }

    private static void byUniqueId(Case c) throws Exception {
        String topic = c.topic(1);
        SendResult sent = c.send(keyed(topic, "k", "unique"), 0);
        MessageExt got = Await.value("message", 30,
            () -> c.env.admin.viewMessage(topic, sent.getMsgId()));
        Check.equal(Inbox.text(got), "unique", "body");
        Check.equal(got.getQueueOffset(), 0L, "queue offset");
    }

    private static void byOffsetId(Case c) throws Exception {
        String topic = c.topic(1);
        SendResult sent = c.send(keyed(topic, "k", "offset"), 0);
        MessageExt got = Await.value("message", 30,
            () -> c.env.admin.viewMessage(topic, sent.getOffsetMsgId()));
        Check.equal(Inbox.text(got), "offset", "body");
        Check.equal(got.getTopic(), topic, "topic");
        Check.equal(got.getKeys(), "k", "keys");
    }

    private static void byTime(Case c) throws Exception {
        String topic = c.topic(1);
        for (int i = 0; i < 5; i++) {
            c.send(topic, 0, "T", "t" + i);
            long now = System.currentTimeMillis();
            Await.until("the next millisecond", () -> System.currentTimeMillis() > now);
        }
        List<MessageExt> all = c.readQueue(topic, 0, 5);
        DefaultMQPullConsumer consumer = c.pull(c.group());
        MessageQueue queue = Case.queue(topic, 0);
        Map<Long, Long> first = new TreeMap<>();
        all.forEach(m -> first.putIfAbsent(m.getStoreTimestamp(), m.getQueueOffset()));
        for (Map.Entry<Long, Long> entry : first.entrySet()) {
            Check.equal(consumer.searchOffset(queue, entry.getKey()), entry.getValue(),
                "first offset of a store time");
        }
        Check.equal(consumer.searchOffset(queue, 0), 0L, "time 0");
        Check.equal(consumer.searchOffset(queue, all.get(0).getStoreTimestamp() - 1000), 0L,
            "before the first");
        Check.equal(consumer.searchOffset(queue, System.currentTimeMillis() + 3_600_000), 5L,
            "the future");
    }

    private static void queueOffsets(Case c) throws Exception {
        String topic = c.topic(2);
        DefaultMQPullConsumer consumer = c.pull(c.group());
        Check.equal(consumer.maxOffset(Case.queue(topic, 1)), 0L, "max of an empty queue");
        c.sendMany(topic, 2, "q", 6);
        List<MessageExt> all = c.readQueue(topic, 1, 3);
        Check.equal(consumer.maxOffset(Case.queue(topic, 1)), 3L, "max");
        Check.equal(consumer.minOffset(Case.queue(topic, 1)), 0L, "min");
        Check.equal(consumer.earliestMsgStoreTime(Case.queue(topic, 1)),
            all.get(0).getStoreTimestamp(), "earliest store time");
        Check.fails(MQClientException.class, "queue of an absent topic",
            () -> consumer.fetchSubscribeMessageQueues(c.topicName()));
        Check.fails(MQBrokerException.class, "pull beyond the queues",
            () -> consumer.pull(Case.queue(topic, 9), "*", 0, 1));
    }
}

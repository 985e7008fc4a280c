// SPDX-License-Identifier: Apache-2.0
package gantry.interop;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** The lite pull consumer. */
final class LitePullTests {
    private LitePullTests() {}

    static void register(Registry registry) {
        registry.add("lite.subscribe-and-poll", LitePullTests::subscribe);
        registry.add("lite.assign-and-seek", LitePullTests::assign);
        registry.add("lite.commit-and-continue", LitePullTests::commit);
        registry.add("lite.tags", LitePullTests::tags);
        registry.add("lite.offset-for-timestamp", LitePullTests::timestamp);
        registry.add("lite.two-consumers-share", LitePullTests::share);
    }

    private static List<MessageExt> poll(DefaultLitePullConsumer consumer, int count)
        throws Exception {
        List<MessageExt> got = new ArrayList<>();
        Await.until("poll of " + count, () -> {
            got.addAll(consumer.poll(200));
            return got.size() >= count;
        });
        return got;
    }

    /**
     * Seeks until exactly the expected messages come. The client's seek loses against a pull that
     * is under way: its messages are still delivered, or its offset replaces the one sought.
     */
    private static void seekAndPoll(DefaultLitePullConsumer consumer, MessageQueue queue,
        long offset, Set<String> expected) throws Exception {
        Await.until(expected + " after seek to " + offset, () -> {
            consumer.seek(queue, offset);
            List<MessageExt> got = new ArrayList<>();
            for (int i = 0; i < 25 && got.size() < expected.size(); i++) {
                got.addAll(consumer.poll(200));
            }
            return bodies(got).equals(expected);
        });
    }

    private static Set<String> bodies(List<MessageExt> messages) {
        Set<String> bodies = new TreeSet<>();
        messages.forEach(m -> bodies.add(Inbox.text(m)));
        return bodies;
    }

    private static void subscribe(Case c) throws Exception {
        String topic = c.topic(4);
        Set<String> sent = c.sendMany(topic, 4, "l", 40);
        DefaultLitePullConsumer consumer = c.lite(c.group());
        consumer.subscribe(topic, "*");
        consumer.start();
        List<MessageExt> got = poll(consumer, 40);
        Check.equal(bodies(got), sent, "bodies");
        Check.equal(got.size(), 40, "deliveries");
    }

    private static void assign(Case c) throws Exception {
        String topic = c.topic(2);
        for (int i = 0; i < 10; i++) {
            c.send(topic, 1, "T", "a" + i);
        }
        c.readQueue(topic, 1, 10);
        DefaultLitePullConsumer consumer = c.lite(c.group());
        consumer.setAutoCommit(false);
        consumer.start();
        Collection<MessageQueue> queues = consumer.fetchMessageQueues(topic);
        Check.equal(queues.size(), 2, "queues");
        MessageQueue queue = Case.queue(topic, 1);
        consumer.assign(List.of(queue));
        seekAndPoll(consumer, queue, 7, new TreeSet<>(Set.of("a7", "a8", "a9")));
        consumer.seekToBegin(queue);
        Check.equal(poll(consumer, 10).size(), 10, "after seek to the begin");
        consumer.seekToEnd(queue);
        c.send(topic, 1, "T", "new");
        Check.equal(bodies(poll(consumer, 1)), Set.of("new"), "after seek to the end");
    }

    private static void commit(Case c) throws Exception {
        String topic = c.topic(1);
        String group = c.group();
        c.sendMany(topic, 1, "one", 5);
        MessageQueue queue = Case.queue(topic, 0);
        DefaultLitePullConsumer first = c.lite(group);
        first.setAutoCommit(false);
        first.subscribe(topic, "*");
        first.start();
        Check.equal(poll(first, 5).size(), 5, "first poll");
        first.commitSync();
        Await.until("committed 5", () -> first.committed(queue) == 5);
        first.shutdown();
        Set<String> second = c.sendMany(topic, 1, "two", 5);
        DefaultLitePullConsumer next = c.lite(group);
        next.subscribe(topic, "*");
        next.start();
        Check.equal(bodies(poll(next, 5)), second, "after the commit");
    }

    private static void tags(Case c) throws Exception {
        String topic = c.topic(1);
        for (int i = 0; i < 9; i++) {
            c.send(topic, 0, "T" + i % 3, "b" + i);
        }
        DefaultLitePullConsumer consumer = c.lite(c.group());
        consumer.subscribe(topic, "T1 || T2");
        consumer.start();
        Check.equal(bodies(poll(consumer, 6)),
            new TreeSet<>(Set.of("b1", "b2", "b4", "b5", "b7", "b8")), "bodies");
    }

    private static void timestamp(Case c) throws Exception {
        String topic = c.topic(1);
        MessageQueue queue = Case.queue(topic, 0);
        c.sendMany(topic, 1, "early", 3);
        long last = c.readQueue(topic, 0, 3).get(2).getStoreTimestamp();
        Await.until("a later millisecond", () -> System.currentTimeMillis() > last + 1);
        Set<String> late = c.sendMany(topic, 1, "late", 2);
        long middle = c.readQueue(topic, 0, 5).get(3).getStoreTimestamp();
        DefaultLitePullConsumer consumer = c.lite(c.group());
        consumer.start();
        consumer.assign(List.of(queue));
        Check.equal(consumer.offsetForTimestamp(queue, middle), 3L, "offset for the timestamp");
        seekAndPoll(consumer, queue, 3, late);
    }

    private static void share(Case c) throws Exception {
        String topic = c.topic(4);
        String group = c.group();
        List<DefaultLitePullConsumer> consumers = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            DefaultLitePullConsumer consumer = c.lite(group);
            consumer.subscribe(topic, "*");
            consumer.start();
            consumers.add(consumer);
        }
        Await.until("two queues each", 60, () -> {
            Set<MessageQueue> all = new TreeSet<>(consumers.get(0).assignment());
            all.addAll(consumers.get(1).assignment());
            return all.size() == 4 && consumers.get(0).assignment().size() == 2
                && consumers.get(1).assignment().size() == 2;
        });
        Set<String> sent = c.sendMany(topic, 4, "s", 20);
        List<MessageExt> got = poll(consumers.get(0), 10);
        got.addAll(poll(consumers.get(1), 10));
        Check.equal(bodies(got), sent, "bodies");
    }
}

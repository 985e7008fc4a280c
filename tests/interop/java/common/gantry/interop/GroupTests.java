// SPDX-License-Identifier: Apache-2.0
package gantry.interop;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;

/** Several consumers: sharing, broadcasting, groups, rebalancing. */
final class GroupTests {
    private GroupTests() {}

    static void register(Registry registry) {
        registry.add("group.clustering-shares-messages", GroupTests::clustering);
        registry.add("group.broadcasting-gives-all-to-each", GroupTests::broadcasting);
        registry.add("group.two-groups-each-get-all", GroupTests::twoGroups);
        registry.add("group.four-queues-five-consumers", GroupTests::fiveConsumers);
        registry.add("group.rebalance-on-join-and-leave", GroupTests::joinAndLeave);
        registry.add("group.rebalance-on-killed-process", GroupTests::killedProcess);
        registry.add("group.orderly-rebalance-on-join", GroupTests::orderlyJoin);
    }

    private static void clustering(Case c) throws Exception {
        String topic = c.topic(4);
        String group = c.group();
        Inbox one = new Inbox();
        Inbox two = new Inbox();
        DefaultMQPushConsumer first = c.startPush(group, topic, "*", one);
        DefaultMQPushConsumer second = c.startPush(group, topic, "*", two);
        // A member that has just begun to lead may know one of the two from its next heartbeat on only;
        // until then the other has all queues. So a set may have further batches.
        for (int batch = 0;; batch++) {
            Case.awaitShares(topic, 4, List.of(first, second), 2, 2);
            int before = one.size();
            Set<String> sent = c.sendMany(topic, 4, "c" + batch + "-", 40);
            Await.until("all 40 messages", () -> {
                Set<String> all = one.distinct();
                all.addAll(two.distinct());
                return all.containsAll(sent);
            });
            if (one.size() - before != 20 && c.env.members > 1 && batch < 10) {
                continue;
            }
            Check.equal(one.size() - before, 20, "deliveries to the first");
            if (batch == 0) {
                Check.equal(two.size(), 20, "deliveries to the second");
            }
            return;
        }
    }

    private static void broadcasting(Case c) throws Exception {
        String topic = c.topic(4);
        String group = c.group();
        List<Inbox> inboxes = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            Inbox inbox = new Inbox();
            inboxes.add(inbox);
            DefaultMQPushConsumer consumer = c.push(group);
            Compat.broadcast(consumer);
            consumer.subscribe(topic, "*");
            consumer.registerMessageListener(inbox.concurrently());
            consumer.start();
            Await.until("all queues", () -> Case.allocated(consumer, topic).size() == 4);
        }
        Set<String> sent = c.sendMany(topic, 4, "b", 20);
        for (Inbox inbox : inboxes) {
            inbox.awaitBodies(sent);
            Check.equal(inbox.size(), 20, "deliveries");
        }
    }

    private static void twoGroups(Case c) throws Exception {
        String topic = c.topic(4);
        Inbox one = new Inbox();
        Inbox two = new Inbox();
        c.startPush(c.group(), topic, "*", one);
        c.startPush(c.group(), topic, "*", two);
        Set<String> sent = c.sendMany(topic, 4, "g", 40);
        one.awaitBodies(sent);
        two.awaitBodies(sent);
        Check.equal(one.size() + two.size(), 80, "deliveries");
    }

    private static void fiveConsumers(Case c) throws Exception {
        String topic = c.topic(4);
        String group = c.group();
        Inbox inbox = new Inbox();
        List<DefaultMQPushConsumer> consumers = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            consumers.add(c.startPush(group, topic, "*", inbox));
        }
        Case.awaitShares(topic, 4, consumers, 0, 1, 1, 1, 1);
        Set<String> sent = c.sendMany(topic, 4, "f", 40);
        inbox.awaitBodies(sent);
        Check.equal(inbox.size(), 40, "deliveries");
    }

    private static void joinAndLeave(Case c) throws Exception {
        String topic = c.topic(4);
        String group = c.group();
        Inbox one = new Inbox();
        Inbox two = new Inbox();
        DefaultMQPushConsumer first = c.startPush(group, topic, "*", one);
        Case.awaitShares(topic, 4, List.of(first), 4);
        long began = System.nanoTime();
        DefaultMQPushConsumer second = c.startPush(group, topic, "*", two);
        Case.awaitShares(topic, 4, List.of(first, second), 2, 2);
        Check.that(System.nanoTime() - began < 15_000_000_000L,
            "the join is pushed, not found by the 20 s rebalance");
        second.shutdown();
        began = System.nanoTime();
        Case.awaitShares(topic, 4, List.of(first), 4);
        Check.that(System.nanoTime() - began < 15_000_000_000L,
            "the leave is pushed, not found by the 20 s rebalance");
        int earlier = two.size();
        Set<String> sent = c.sendMany(topic, 4, "after", 20);
        one.awaitBodies(sent);
        Check.equal(two.size(), earlier, "deliveries to the one that left");
    }

    private static void killedProcess(Case c) throws Exception {
        String topic = c.topic(4);
        String group = c.group();
        Inbox inbox = new Inbox();
        try (ConsumerProcess other = new ConsumerProcess(c, group, topic)) {
            other.awaitLine("STARTED");
            DefaultMQPushConsumer mine = c.startPush(group, topic, "*", inbox);
            Await.until("two queues of four", 60, () -> Case.allocated(mine, topic).size() == 2);
            other.awaitLine("QUEUES 2");
            Set<String> sent = c.sendMany(topic, 4, "both", 20);
            other.awaitLines("GOT ", 10);
            inbox.await(10);
            other.kill();
            long began = System.nanoTime();
            Case.awaitShares(topic, 4, List.of(mine), 4);
            Check.that(System.nanoTime() - began < 15_000_000_000L,
                "the death is pushed, not found by the 20 s rebalance");
            Set<String> later = c.sendMany(topic, 4, "later", 20);
            inbox.awaitBodies(later);
            Set<String> all = new TreeSet<>(inbox.distinct());
            other.lines().stream().filter(l -> l.startsWith("GOT "))
                .forEach(l -> all.add(l.substring(4)));
            sent.addAll(later);
            Check.equal(all, sent, "bodies of both");
        }
    }

    /** After the join each queue still belongs to one consumer and keeps its order. */
    private static void orderlyJoin(Case c) throws Exception {
        String topic = c.topic(2);
        String group = c.group();
        Inbox one = new Inbox();
        Inbox two = new Inbox();
        DefaultMQPushConsumer first = c.startOrderly(group, topic, one);
        Case.awaitShares(topic, 2, List.of(first), 2);
        for (int i = 0; i < 4; i++) {
            c.send(topic, i % 2, "T", i % 2 + "-" + i / 2);
        }
        one.await(4);
        DefaultMQPushConsumer second = c.startOrderly(group, topic, two);
        Case.awaitShares(topic, 2, List.of(first, second), 1, 1);
        for (int i = 4; i < 20; i++) {
            c.send(topic, i % 2, "T", i % 2 + "-" + i / 2);
        }
        Await.until("all 20 messages", 60, () -> one.size() + two.size() >= 20);
        int queue = two.messages().get(0).getQueueId();
        List<String> expected = new ArrayList<>();
        for (int i = 2; i < 10; i++) {
            expected.add(queue + "-" + i);
        }
        Check.equal(two.bodies(), expected, "order in the queue that moved");
        Check.equal(one.bodiesOfQueue(1 - queue).size(), 10, "messages of the queue that stayed");
    }
}

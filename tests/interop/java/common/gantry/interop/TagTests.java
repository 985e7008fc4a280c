// SPDX-License-Identifier: Apache-2.0
package gantry.interop;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.common.message.MessageExt;

/** Subscriptions by tag. */
final class TagTests {
    private TagTests() {}

    static void register(Registry registry) {
        registry.add("tags.single", c -> filter(c, "A", Set.of("A")));
        registry.add("tags.two", c -> filter(c, "A || C", Set.of("A", "C")));
        registry.add("tags.all", c -> filter(c, "*", Set.of("A", "B", "C")));
        registry.add("tags.unicode", c -> filter(c, "\u6807\u7b7e || B", Set.of("B")));
        registry.add("tags.same-hash", TagTests::sameHash);
        registry.add("tags.unmatched-traffic-advances-offset", TagTests::advances);
    }

    private static void filter(Case c, String expression, Set<String> tags) throws Exception {
        String topic = c.topic(1);
        Inbox inbox = new Inbox();
        c.startPush(c.group(), topic, expression, inbox);
        Set<String> expected = new TreeSet<>();
        for (int i = 0; i < 12; i++) {
            String tag = List.of("A", "B", "C").get(i % 3);
            c.send(topic, 0, tag, tag + i);
            if (tags.contains(tag)) {
                expected.add(tag + i);
            }
        }
        String last = tags.iterator().next();
        c.send(topic, 0, last, "end");
        expected.add("end");
        inbox.awaitBodies(expected);
        Check.equal(inbox.distinct(), expected, "bodies");
    }

    /** "Aa" and "BB" have the same hash; the client still tells them apart. */
    private static void sameHash(Case c) throws Exception {
        String topic = c.topic(1);
        Inbox inbox = new Inbox();
        c.startPush(c.group(), topic, "Aa", inbox);
        c.send(topic, 0, "BB", "other");
        c.send(topic, 0, "Aa", "mine");
        List<MessageExt> got = inbox.await(1);
        Check.equal(Inbox.text(got.get(0)), "mine", "body");
    }

    private static void advances(Case c) throws Exception {
        String topic = c.topic(1);
        Inbox inbox = new Inbox();
        DefaultMQPushConsumer consumer = c.startPush(c.group(), topic, "A", inbox);
        c.send(topic, 0, "A", "mine");
        inbox.await(1);
        for (int i = 0; i < 10; i++) {
            c.send(topic, 0, "B", "other");
        }
        Await.until("offset 11", 40, () -> Case.stored(consumer, topic, 0) == 11);
        Check.equal(inbox.size(), 1, "deliveries");
    }
}

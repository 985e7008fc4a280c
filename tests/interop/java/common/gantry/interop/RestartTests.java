// SPDX-License-Identifier: Apache-2.0
package gantry.interop;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** The broker goes away and comes back on the same store. */
final class RestartTests {
    private RestartTests() {}

    static void register(Registry registry) {
        registry.add("restart.sigterm", c -> restart(c, "restart term", true))
            .exclusive().seconds(240);
        registry.add("restart.kill-9", c -> restart(c, "restart kill", false))
            .exclusive().seconds(240);
        registry.add("restart.acknowledged-sends-survive-kill-9", RestartTests::acknowledged)
            .exclusive().seconds(240);
    }

    /** A kill in the middle of sends: whatever was acknowledged is there, at its offset, once. */
    private static void acknowledged(Case c) throws Exception {
        String topic = c.topic(1);
        Map<Long, String> answered = new ConcurrentHashMap<>();
        AtomicBoolean stop = new AtomicBoolean();
        Thread sender = new Thread(() -> {
            for (int i = 0; !stop.get(); i++) {
                try {
                    String body = "s" + i;
                    answered.put(c.send(topic, 0, "T", body).getQueueOffset(), body);
                } catch (Exception e) {
                    stop.set(true);
                }
            }
        });
        sender.start();
        Await.until("300 acknowledged sends", () -> answered.size() >= 300);
        c.env.control("restart kill");
        stop.set(true);
        sender.join();
        Await.value("a send after the restart", 60, () -> c.send(topic, 0, "T", "after"));
        long last = answered.keySet().stream().mapToLong(Long::longValue).max().orElseThrow();
        Map<Long, String> stored = new HashMap<>();
        for (MessageExt message : c.readQueue(topic, 0, (int) last + 1)) {
            Check.equal(stored.put(message.getQueueOffset(), Inbox.text(message)), null,
                "a second message at offset " + message.getQueueOffset());
        }
        for (Map.Entry<Long, String> entry : answered.entrySet()) {
            Check.equal(stored.get(entry.getKey()), entry.getValue(),
                "message at offset " + entry.getKey());
        }
    }

    /** State that has to be there again. Offsets are exact only after a clean stop. */
    private static void restart(Case c, String command, boolean clean) throws Exception {
        String topic = c.topic(2);
        String delayed = c.topic(1);
        String group = c.group();
        List<SendResult> sent = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            sent.add(c.send(topic, 0, "T", "m" + i));
        }
        DefaultMQPullConsumer reader = c.pull(group);
        reader.fetchSubscribeMessageQueues(topic);
        Case.commit(reader, Case.queue(topic, 0), 12);
        Inbox inbox = new Inbox();
        DefaultMQPushConsumer running = c.startPush(c.group(), topic, "*", inbox);
        inbox.await(20);
        Message later = Case.message(delayed, "T", "delayed");
        later.setDelayTimeLevel(2);
        c.send(later, 0);

        c.env.control(command);

        long offset = Await.value("committed offset", 30,
            () -> reader.fetchConsumeOffset(Case.queue(topic, 0), true));
        Check.that(clean ? offset == 12 : offset <= 12, "committed offset " + offset);
        List<MessageExt> stored = c.readQueue(topic, 0, 20);
        for (int i = 0; i < 20; i++) {
            Check.equal(Inbox.text(stored.get(i)), "m" + i, "stored body");
            Check.equal(stored.get(i).getQueueOffset(), (long) i, "queue offset");
        }
        MessageExt viewed = Await.value("message by offset id", 30,
            () -> c.env.admin.viewMessage(topic, sent.get(7).getOffsetMsgId()));
        Check.equal(Inbox.text(viewed), "m7", "message by offset id");
        MessageExt unique = Await.value("message by unique id", 30,
            () -> c.env.admin.viewMessage(topic, sent.get(9).getMsgId()));
        Check.equal(Inbox.text(unique), "m9", "message by unique id");

        SendResult next = Await.value("a send after the restart", 60,
            () -> c.send(topic, 0, "T", "after"));
        Check.that(next.getQueueOffset() >= 20, "offset goes on: " + next.getQueueOffset());
        // A 4.9 client notices the end of a held pull only at its own timeout of 30 s.
        inbox.await("the message after the restart", 90,
            all -> all.stream().anyMatch(m -> Inbox.text(m).equals("after")));
        Set<String> expected = new TreeSet<>(Set.of("after"));
        for (int i = 0; i < 20; i++) {
            expected.add("m" + i);
        }
        Check.equal(inbox.distinct(), expected, "bodies of the consumer that kept running");
        if (clean) {
            Check.equal(inbox.bodies().stream().filter(b -> b.startsWith("m")).count(), 20L,
                "deliveries of the first twenty");
        }
        Check.equal(Inbox.text(c.readQueue(delayed, 0, 1).get(0)), "delayed", "delayed message");
        Check.equal(Case.allocated(running, topic).size(), 2, "queues of the running consumer");
    }
}

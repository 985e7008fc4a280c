// SPDX-License-Identifier: Apache-2.0
package gantry.interop;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.common.message.MessageExt;

/** Orderly push consumers. */
final class OrderlyTests {
    private OrderlyTests() {}

    static void register(Registry registry) {
        registry.add("orderly.order-of-each-queue", OrderlyTests::order);
        registry.add("orderly.suspend-keeps-order", OrderlyTests::suspend);
        registry.add("orderly.taken-over-queue-keeps-order", OrderlyTests::takeOver);
        registry.add("orderly.exhausted-goes-to-dead-letters", OrderlyTests::deadLetter);
    }

    private static List<String> sendInOrder(Case c, String topic, int queues, int each)
        throws Exception {
        List<String> bodies = new ArrayList<>();
        for (int i = 0; i < each; i++) {
            for (int queue = 0; queue < queues; queue++) {
                c.send(topic, queue, "T", queue + "-" + i);
            }
            bodies.add("-" + i);
        }
        return bodies;
    }

    private static void checkOrder(Inbox inbox, int queues, int each) {
        for (int queue = 0; queue < queues; queue++) {
            List<String> expected = new ArrayList<>();
            for (int i = 0; i < each; i++) {
                expected.add(queue + "-" + i);
            }
            Check.equal(inbox.bodiesOfQueue(queue), expected, "order in queue " + queue);
        }
    }

    private static void order(Case c) throws Exception {
        String topic = c.topic(4);
        Inbox inbox = new Inbox();
        c.startOrderly(c.group(), topic, inbox);
        sendInOrder(c, topic, 4, 25);
        inbox.await(100);
        checkOrder(inbox, 4, 25);
    }

    private static void suspend(Case c) throws Exception {
        String topic = c.topic(1);
        Inbox inbox = new Inbox();
        AtomicInteger refused = new AtomicInteger();
        DefaultMQPushConsumer consumer = c.push(c.group());
        consumer.setSuspendCurrentQueueTimeMillis(200);
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
            MessageExt message = messages.get(0);
            if (Inbox.text(message).equals("0-3") && refused.getAndIncrement() < 2) {
                return ConsumeOrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT;
            }
            inbox.add(messages);
            return ConsumeOrderlyStatus.SUCCESS;
        });
        consumer.start();
        sendInOrder(c, topic, 1, 10);
        inbox.await(10);
        checkOrder(inbox, 1, 10);
        Check.equal(refused.get(), 3, "attempts of the refused message");
        Check.equal(inbox.messages().get(3).getReconsumeTimes(), 2, "its reconsume times");
    }

    /** The second consumer gets the locks when the first one shuts down. */
    private static void takeOver(Case c) throws Exception {
        String topic = c.topic(2);
        String group = c.group();
        Inbox first = new Inbox();
        DefaultMQPushConsumer one = c.startOrderly(group, topic, first);
        sendInOrder(c, topic, 2, 5);
        first.await(10);
        for (int queue = 0; queue < 2; queue++) {
            int id = queue;
            Await.until("offset of queue " + id, () -> Case.stored(one, topic, id) == 5);
        }
        one.shutdown();
        Inbox second = new Inbox();
        c.startOrderly(group, topic, second);
        for (int i = 5; i < 10; i++) {
            c.send(topic, 0, "T", "0-" + i);
        }
        second.await(5);
        Check.equal(second.bodies(), List.of("0-5", "0-6", "0-7", "0-8", "0-9"), "order");
    }

    private static void deadLetter(Case c) throws Exception {
        String topic = c.topic(1);
        String group = c.group();
        Inbox inbox = new Inbox();
        DefaultMQPushConsumer consumer = c.push(group);
        consumer.setMaxReconsumeTimes(1);
        consumer.setSuspendCurrentQueueTimeMillis(100);
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
            if (Inbox.text(messages.get(0)).equals("bad")) {
                return ConsumeOrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT;
            }
            inbox.add(messages);
            return ConsumeOrderlyStatus.SUCCESS;
        });
        consumer.start();
        c.send(topic, 0, "T", "bad");
        c.send(topic, 0, "T", "good");
        inbox.await(1);
        Check.equal(inbox.bodies(), List.of("good"), "the queue goes on");
        c.awaitRoute("%DLQ%" + group);
        MessageExt dead = c.readQueue("%DLQ%" + group, 0, 1).get(0);
        Check.equal(Inbox.text(dead), "bad", "dead letter");
        Check.equal(dead.getProperty("RETRY_TOPIC"), topic, "RETRY_TOPIC");
    }
}

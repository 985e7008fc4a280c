// SPDX-License-Identifier: Apache-2.0
package gantry.interop;

import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** The old pull consumer. */
final class PullTests {
    private PullTests() {}

    static void register(Registry registry) {
        registry.add("pull.queues-and-messages", PullTests::messages);
        registry.add("pull.statuses", PullTests::statuses);
        registry.add("pull.tags", PullTests::tags);
        registry.add("pull.committed-offset", PullTests::committed);
        registry.add("pull.block-until-message", PullTests::block);
    }

    private static void messages(Case c) throws Exception {
        String topic = c.topic(4);
        Set<String> sent = c.sendMany(topic, 4, "m", 40);
        DefaultMQPullConsumer consumer = c.pull(c.group());
        Set<MessageQueue> queues = consumer.fetchSubscribeMessageQueues(topic);
        Check.equal(queues.size(), 4, "queues");
        Set<String> got = new HashSet<>();
        for (MessageQueue queue : queues) {
            Await.until("10 messages", () -> consumer.maxOffset(queue) == 10);
            PullResult result = consumer.pull(queue, "*", 0, 32);
            Check.equal(result.getPullStatus(), PullStatus.FOUND, "status");
            Check.equal(result.getNextBeginOffset(), 10L, "next offset");
            Check.equal(result.getMinOffset(), 0L, "min offset");
            Check.equal(result.getMaxOffset(), 10L, "max offset");
            long offset = 0;
            for (MessageExt message : result.getMsgFoundList()) {
                Check.equal(message.getQueueOffset(), offset++, "queue offset");
                got.add(Inbox.text(message));
            }
        }
        Check.equal(got, sent, "bodies");
    }

    private static void statuses(Case c) throws Exception {
        String topic = c.topic(1);
        MessageQueue queue = Case.queue(topic, 0);
        DefaultMQPullConsumer consumer = c.pull(c.group());
        Check.equal(consumer.pull(queue, "*", 0, 32).getPullStatus(), PullStatus.NO_NEW_MSG,
            "empty queue");
        c.sendMany(topic, 1, "s", 5);
        c.readQueue(topic, 0, 5);
        Check.equal(consumer.pull(queue, "*", 2, 2).getMsgFoundList().size(), 2, "two of five");
        PullResult over = consumer.pull(queue, "*", 99, 32);
        if (c.env.members > 1) {
            // A member that has just stopped leading may know less than there is: nothing new, it says.
            over = Await.value("offset 99 to be illegal", Await.SECONDS, () -> {
                PullResult again = consumer.pull(queue, "*", 99, 32);
                return again.getPullStatus() == PullStatus.OFFSET_ILLEGAL ? again : null;
            });
        }
        Check.equal(over.getPullStatus(), PullStatus.OFFSET_ILLEGAL, "offset 99");
        Check.equal(over.getNextBeginOffset(), 5L, "corrected offset");
        PullResult none = consumer.pull(queue, "absent", 0, 32);
        Check.equal(none.getPullStatus(), PullStatus.NO_MATCHED_MSG, "no such tag");
        Check.equal(none.getNextBeginOffset(), 5L, "offset behind the filtered ones");
        Check.equal(consumer.pull(queue, "*", 5, 32).getPullStatus(), PullStatus.NO_NEW_MSG,
            "at the end");
    }

    private static void tags(Case c) throws Exception {
        String topic = c.topic(1);
        for (int i = 0; i < 9; i++) {
            c.send(topic, 0, "T" + i % 3, "b" + i);
        }
        c.readQueue(topic, 0, 9);
        DefaultMQPullConsumer consumer = c.pull(c.group());
        PullResult result = consumer.pull(Case.queue(topic, 0), "T0 || T2", 0, 32);
        Check.equal(result.getMsgFoundList().size(), 6, "messages");
        Check.equal(result.getNextBeginOffset(), 9L, "next offset");
    }

    private static void committed(Case c) throws Exception {
        String topic = c.topic(1);
        String group = c.group();
        MessageQueue queue = Case.queue(topic, 0);
        c.sendMany(topic, 1, "o", 5);
        c.readQueue(topic, 0, 5);
        DefaultMQPullConsumer consumer = c.pull(group);
        Case.commit(consumer, queue, 3);
        DefaultMQPullConsumer other = c.pull(group);
        Await.until("offset 3", () -> other.fetchConsumeOffset(queue, true) == 3);
    }

    private static void block(Case c) throws Exception {
        String topic = c.topic(1);
        DefaultMQPullConsumer consumer = c.pull(c.group());
        CompletableFuture<PullResult> pulled = new CompletableFuture<>();
        Thread thread = new Thread(() -> {
            try {
                pulled.complete(consumer.pullBlockIfNotFound(Case.queue(topic, 0), "*", 0, 32));
            } catch (Exception e) {
                pulled.completeExceptionally(e);
            }
        });
        thread.start();
        Await.until("the pull waits", () -> thread.getState() == Thread.State.TIMED_WAITING);
        Check.that(!pulled.isDone(), "the pull is held");
        c.send(topic, 0, "T", "wake");
        PullResult result = pulled.get(25, TimeUnit.SECONDS);
        Check.equal(result.getPullStatus(), PullStatus.FOUND, "status");
        Check.equal(Inbox.text(result.getMsgFoundList().get(0)), "wake", "body");
    }
}

// SPDX-License-Identifier: Apache-2.0
package gantry.interop;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.common.message.MessageExt;

/** Collects what a consumer receives; tests wait on it. */
public final class Inbox {
    private final List<MessageExt> messages = new ArrayList<>();

    public static String text(MessageExt message) {
        return new String(message.getBody(), StandardCharsets.UTF_8);
    }

    public synchronized void add(List<MessageExt> received) {
        messages.addAll(received);
        notifyAll();
    }

    public MessageListenerConcurrently concurrently() {
        return (received, context) -> {
            add(received);
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        };
    }

    public MessageListenerOrderly orderly() {
        return (received, context) -> {
            add(received);
            return ConsumeOrderlyStatus.SUCCESS;
        };
    }

    public synchronized List<MessageExt> messages() {
        return new ArrayList<>(messages);
    }

    public synchronized int size() {
        return messages.size();
    }

    public List<String> bodies() {
        return messages().stream().map(Inbox::text).collect(Collectors.toList());
    }

    public Set<String> distinct() {
        return new TreeSet<>(bodies());
    }

    public List<String> bodiesOfQueue(int queueId) {
        return messages().stream().filter(m -> m.getQueueId() == queueId).map(Inbox::text)
            .collect(Collectors.toList());
    }

    public List<MessageExt> await(int count) throws InterruptedException {
        return await(count + " messages", Await.SECONDS, all -> all.size() >= count);
    }

    /** Waits until all of these bodies have arrived at least once. */
    public void awaitBodies(Set<String> bodies) throws InterruptedException {
        await("bodies " + bodies, Await.SECONDS, all -> {
            Set<String> missing = new HashSet<>(bodies);
            all.forEach(m -> missing.remove(text(m)));
            return missing.isEmpty();
        });
    }

    public synchronized List<MessageExt> await(String what, int seconds,
        Predicate<List<MessageExt>> condition) throws InterruptedException {
        long deadline = System.nanoTime() + seconds * 1_000_000_000L;
        while (!condition.test(messages)) {
            long left = (deadline - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                throw new AssertionError("not within " + seconds + " s: " + what + "; got "
                    + messages.size() + ": " + bodies());
            }
            wait(left);
        }
        return new ArrayList<>(messages);
    }
}

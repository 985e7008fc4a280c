// SPDX-License-Identifier: Apache-2.0
package gantry.interop;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.rocketmq.client.ClientConfig;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.client.impl.factory.MQClientInstance;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** One running test: makes topics and clients with unique names and closes them at its end. */
public final class Case implements AutoCloseable {
    public static final String BROKER_NAME = "broker-a";

    public final Env env;
    private final String name;
    private final Deque<Runnable> closers = new ArrayDeque<>();

    Case(Env env, String name) {
        this.env = env;
        this.name = name.replaceAll("[^a-zA-Z0-9]", "_");
    }

    @Override
    public void close() {
        Runnable closer;
        while ((closer = nextCloser()) != null) {
            closer.run();
        }
    }

    private Runnable nextCloser() {
        synchronized (closers) {
            return closers.poll();
        }
    }

    public void onClose(Runnable closer) {
        synchronized (closers) {
            closers.push(closer);
        }
    }

    public String group() {
        return env.unique("g_" + name);
    }

    public String topicName() {
        return env.unique("t_" + name);
    }

    /** Creates a topic and waits until the NameServer gives its route. */
    public String topic(int queues) throws Exception {
        String topic = topicName();
        Await.value("topic " + topic, 30, () -> {
            env.admin.createAndUpdateTopicConfig(env.broker(),
                new TopicConfig(topic, queues, queues, 6));
            return topic;
        });
        awaitRoute(topic);
        return topic;
    }

    public void awaitRoute(String topic) throws Exception {
        Await.value("route of " + topic, 30, () -> env.admin.examineTopicRouteInfo(topic));
    }

    public static Message message(String topic, String tag, String body) {
        return new Message(topic, tag, body.getBytes(StandardCharsets.UTF_8));
    }

    public SendResult send(String topic, int queueId, String tag, String body) throws Exception {
        return send(message(topic, tag, body), queueId);
    }

    public SendResult send(Message message, int queueId) throws Exception {
        SendResult result = env.producer.send(message, queue(message.getTopic(), queueId));
        Check.equal(result.getSendStatus(), SendStatus.SEND_OK, "send status");
        return result;
    }

    /** Sends `count` messages over the first `queues` queues in turn; returns their bodies. */
    public Set<String> sendMany(String topic, int queues, String prefix, int count)
        throws Exception {
        Set<String> bodies = new TreeSet<>();
        for (int i = 0; i < count; i++) {
            String body = String.format("%s-%04d", prefix, i);
            send(topic, i % queues, "T", body);
            bodies.add(body);
        }
        return bodies;
    }

    public static MessageQueue queue(String topic, int queueId) {
        return new MessageQueue(topic, BROKER_NAME, queueId);
    }

    private <T extends ClientConfig> T configure(T client) {
        client.setNamesrvAddr(env.namesrv);
        client.setInstanceName(env.unique("i_" + name));
        client.setHeartbeatBrokerInterval(1000);
        client.setPollNameServerInterval(1000);
        client.setPersistConsumerOffsetInterval(500);
        return client;
    }

    public DefaultMQProducer producer() throws Exception {
        DefaultMQProducer producer = configure(new DefaultMQProducer(env.unique("p_" + name)));
        producer.setSendMsgTimeout(10_000);
        onClose(producer::shutdown);
        return producer;
    }

    public <T extends DefaultMQProducer> T producer(T producer) {
        configure(producer);
        onClose(producer::shutdown);
        return producer;
    }

    /** A push consumer that is not started yet, starts at the first offset and has few threads. */
    public DefaultMQPushConsumer push(String group) {
        DefaultMQPushConsumer consumer = configure(new DefaultMQPushConsumer(group));
        consumer.setConsumeThreadMin(4);
        consumer.setConsumeThreadMax(4);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        onClose(consumer::shutdown);
        return consumer;
    }

    public DefaultMQPushConsumer startPush(String group, String topic, String expression,
        Inbox inbox) throws Exception {
        DefaultMQPushConsumer consumer = push(group);
        consumer.subscribe(topic, expression);
        consumer.registerMessageListener(inbox.concurrently());
        consumer.start();
        return consumer;
    }

    public DefaultMQPushConsumer startOrderly(String group, String topic, Inbox inbox)
        throws Exception {
        DefaultMQPushConsumer consumer = push(group);
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener(inbox.orderly());
        consumer.start();
        return consumer;
    }

    public DefaultLitePullConsumer lite(String group) {
        DefaultLitePullConsumer consumer = configure(new DefaultLitePullConsumer(group));
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        onClose(consumer::shutdown);
        return consumer;
    }

    public DefaultMQPullConsumer pull(String group) throws Exception {
        DefaultMQPullConsumer consumer = configure(new DefaultMQPullConsumer(group));
        onClose(consumer::shutdown);
        consumer.start();
        return consumer;
    }

    /** The queues of the topic that the consumer works on now. */
    public static Set<Integer> allocated(DefaultMQPushConsumer consumer, String topic) {
        Set<Integer> queues = new TreeSet<>();
        for (MessageQueue queue : consumer.getDefaultMQPushConsumerImpl().getRebalanceImpl()
            .getProcessQueueTable().keySet()) {
            if (queue.getTopic().equals(topic)) {
                queues.add(queue.getQueueId());
            }
        }
        return queues;
    }

    /** Waits until the consumers share the queues: together all of them, none twice. */
    public static void awaitShares(String topic, int queues, List<DefaultMQPushConsumer> consumers,
        Integer... shares) throws Exception {
        Await.until("shares of " + topic, 60, () -> {
            Set<Integer> all = new HashSet<>();
            List<Integer> sizes = new ArrayList<>();
            int sum = 0;
            for (DefaultMQPushConsumer consumer : consumers) {
                Set<Integer> own = allocated(consumer, topic);
                all.addAll(own);
                sum += own.size();
                sizes.add(own.size());
            }
            sizes.sort(null);
            return sum == queues && all.size() == queues && sizes.equals(List.of(shares));
        });
    }

    /**
     * The group's offset that the broker has stored, -1 when there is none. The consumer writes
     * its offsets for the first time 10 s after its start; this makes it do so now. The question
     * does not go through the consumer's offset store, which would take over the answer.
     */
    public static long stored(DefaultMQPushConsumer consumer, String topic, int queueId)
        throws Exception {
        consumer.getDefaultMQPushConsumerImpl().persistConsumerOffset();
        return Compat.queryOffset(consumer, topic, queueId);
    }

    /** Commits until the broker has it: it refuses offsets of a group it does not know yet. */
    public static void commit(DefaultMQPullConsumer consumer, MessageQueue queue, long offset)
        throws Exception {
        Await.until("stored offset " + offset, () -> {
            consumer.updateConsumeOffset(queue, offset);
            consumer.getDefaultMQPullConsumerImpl().getOffsetStore().persist(queue);
            return consumer.fetchConsumeOffset(queue, true) == offset;
        });
    }

    /**
     * Waits until the consumer works on its retry queue. That topic appears with the first
     * heartbeat, so the consumer may find it only at its next rebalance, 20 s later; this asks for
     * one at once.
     */
    public void awaitRetryQueue(DefaultMQPushConsumer consumer, String group) throws Exception {
        String topic = "%RETRY%" + group;
        awaitRoute(topic);
        Await.until("retry queue", () -> {
            MQClientInstance client =
                consumer.getDefaultMQPushConsumerImpl().getmQClientFactory();
            client.updateTopicRouteInfoFromNameServer(topic);
            client.rebalanceImmediately();
            return !allocated(consumer, topic).isEmpty();
        });
    }

    /** Reads a queue from its start with an own pull consumer until `count` messages are there. */
    public List<MessageExt> readQueue(String topic, int queueId, int count) throws Exception {
        DefaultMQPullConsumer consumer = pull(group());
        List<MessageExt> found = new ArrayList<>();
        long[] next = {0};
        Await.until(count + " messages in " + topic + " queue " + queueId, () -> {
            PullResult result = consumer.pull(queue(topic, queueId), "*", next[0], 32);
            if (result.getPullStatus() == PullStatus.FOUND) {
                found.addAll(result.getMsgFoundList());
            }
            next[0] = result.getNextBeginOffset();
            return found.size() >= count;
        });
        return found;
    }
}

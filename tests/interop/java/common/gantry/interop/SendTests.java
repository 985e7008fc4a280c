// SPDX-License-Identifier: Apache-2.0
package gantry.interop;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** All ways to send, and what arrives. */
final class SendTests {
    private SendTests() {}

    static void register(Registry registry) {
        registry.add("send.sync", SendTests::sync);
        registry.add("send.async", SendTests::async);
        registry.add("send.one-way", SendTests::oneWay);
        registry.add("send.batch", SendTests::batch);
        registry.add("send.selector", SendTests::selector);
        registry.add("send.round-robin", SendTests::roundRobin);
        registry.add("send.message-fields", SendTests::fields);
        registry.add("send.large-compressed", SendTests::compressed);
        registry.add("send.large-uncompressible", SendTests::large);
        registry.add("send.too-large", SendTests::tooLarge);
        registry.add("send.illegal-topic", SendTests::illegalTopic);
        registry.add("send.forbidden-topic", SendTests::forbiddenTopic);
        registry.add("send.auto-created-topic", SendTests::autoCreated);
    }

    private static void sync(Case c) throws Exception {
        String topic = c.topic(4);
        for (int i = 0; i < 3; i++) {
            SendResult result = c.send(topic, 2, "T", "m" + i);
            Check.equal(result.getQueueOffset(), (long) i, "queue offset");
            Check.equal(result.getMessageQueue(), Case.queue(topic, 2), "queue");
            Check.equal(result.getMsgId().length() >= 32, true, "length of the message id");
            Check.equal(result.getOffsetMsgId().length(), 32, "length of the offset id");
            Check.equal(result.getRegionId(), "DefaultRegion", "region");
        }
        List<MessageExt> stored = c.readQueue(topic, 2, 3);
        Check.equal(Inbox.text(stored.get(2)), "m2", "last body");
    }

    private static void async(Case c) throws Exception {
        String topic = c.topic(4);
        int count = 50;
        CountDownLatch done = new CountDownLatch(count);
        AtomicReference<Throwable> problem = new AtomicReference<>();
        Set<Long> offsets = new TreeSet<>();
        for (int i = 0; i < count; i++) {
            c.env.producer.send(Case.message(topic, "T", "a" + i), Case.queue(topic, 0),
                new SendCallback() {
                    @Override
                    public void onSuccess(SendResult result) {
                        synchronized (offsets) {
                            offsets.add(result.getQueueOffset());
                        }
                        done.countDown();
                    }

                    @Override
                    public void onException(Throwable e) {
                        problem.set(e);
                        done.countDown();
                    }
                });
        }
        Check.that(done.await(30, TimeUnit.SECONDS), "all callbacks came");
        Check.equal(problem.get(), null, "failure of a send");
        Check.equal(offsets.size(), count, "different offsets");
        Check.equal(c.readQueue(topic, 0, count).size(), count, "stored messages");
    }

    private static void oneWay(Case c) throws Exception {
        String topic = c.topic(1);
        Inbox inbox = new Inbox();
        c.startPush(c.group(), topic, "*", inbox);
        c.send(topic, 0, "T", "first");
        inbox.await(1);
        for (int i = 0; i < 20; i++) {
            c.env.producer.sendOneway(Case.message(topic, "T", "o" + i), Case.queue(topic, 0));
        }
        // A busy broker may drop a one-way message; it must not drop most of them.
        inbox.await("most of 20 one-way messages", Await.SECONDS, all -> all.size() >= 16);
    }

    private static void batch(Case c) throws Exception {
        String topic = c.topic(4);
        List<Message> messages = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            Message message = Case.message(topic, "Tag" + i % 2, "b" + i);
            message.setKeys("key" + i);
            message.putUserProperty("index", "" + i);
            messages.add(message);
        }
        SendResult result = c.env.producer.send(messages, Case.queue(topic, 1));
        Check.equal(result.getSendStatus(), SendStatus.SEND_OK, "status");
        Check.equal(result.getMsgId().split(",").length, 20, "message ids");
        Check.equal(result.getOffsetMsgId().split(",").length, 20, "offset ids");
        List<MessageExt> stored = c.readQueue(topic, 1, 20);
        String[] ids = result.getMsgId().split(",");
        for (int i = 0; i < 20; i++) {
            MessageExt message = stored.get(i);
            Check.equal(Inbox.text(message), "b" + i, "body");
            Check.equal(message.getTags(), "Tag" + i % 2, "tag");
            Check.equal(message.getKeys(), "key" + i, "keys");
            Check.equal(message.getUserProperty("index"), "" + i, "property");
            Check.equal(message.getQueueOffset(), (long) i, "queue offset");
            Check.equal(message.getMsgId(), ids[i], "message id");
        }
    }

    private static void selector(Case c) throws Exception {
        String topic = c.topic(4);
        for (int i = 0; i < 12; i++) {
            int key = i % 3;
            SendResult result = c.env.producer.send(Case.message(topic, "T", "s" + i),
                (queues, message, argument) -> queues.get((Integer) argument % queues.size()), key);
            Check.equal(result.getMessageQueue().getQueueId(), key, "selected queue");
        }
        List<MessageExt> stored = c.readQueue(topic, 1, 4);
        List<String> bodies = new ArrayList<>();
        stored.forEach(m -> bodies.add(Inbox.text(m)));
        Check.equal(bodies, List.of("s1", "s4", "s7", "s10"), "queue 1");
    }

    private static void roundRobin(Case c) throws Exception {
        String topic = c.topic(4);
        Map<Integer, Integer> counts = new TreeMap<>();
        for (int i = 0; i < 16; i++) {
            SendResult result = c.env.producer.send(Case.message(topic, "T", "r" + i));
            counts.merge(result.getMessageQueue().getQueueId(), 1, Integer::sum);
        }
        Check.equal(counts, Map.of(0, 4, 1, 4, 2, 4, 3, 4), "messages of each queue");
    }

    private static void fields(Case c) throws Exception {
        String topic = c.topic(4);
        Inbox inbox = new Inbox();
        c.startPush(c.group(), topic, "*", inbox);
        Message message = Case.message(topic, "T\u00e4g", "k\u00f6rper \u4e2d\u6587 \ud83d\ude80");
        message.setKeys(Arrays.asList("key1", "key2"));
        message.setFlag(12345);
        message.putUserProperty("text", "v\u00e4rde; a=b & c");
        message.putUserProperty("\u952e", "\u503c");
        message.setWaitStoreMsgOK(true);
        long before = System.currentTimeMillis();
        SendResult result = c.send(message, 3);
        MessageExt got = inbox.await(1).get(0);
        Check.equal(Inbox.text(got), "k\u00f6rper \u4e2d\u6587 \ud83d\ude80", "body");
        Check.equal(got.getTopic(), topic, "topic");
        Check.equal(got.getTags(), "T\u00e4g", "tag");
        Check.equal(got.getKeys(), "key1 key2", "keys");
        Check.equal(got.getFlag(), 12345, "flag");
        Check.equal(got.getUserProperty("text"), "v\u00e4rde; a=b & c", "property");
        Check.equal(got.getUserProperty("\u952e"), "\u503c", "property with a Chinese name");
        Check.equal(got.getQueueId(), 3, "queue");
        Check.equal(got.getQueueOffset(), 0L, "queue offset");
        Check.equal(got.getReconsumeTimes(), 0, "reconsume times");
        Check.equal(got.getMsgId(), result.getMsgId(), "message id");
        Check.that(Math.abs(got.getBornTimestamp() - before) < 10_000, "born time");
        Check.that(got.getStoreTimestamp() >= before - 2_000, "store time");
        Check.equal("/" + c.env.broker(), got.getStoreHost().toString(), "store host");
        Check.that(got.getBornHost().toString().startsWith("/127.0.0.1:"), "born host");
        Set<String> names = new TreeSet<>(got.getProperties().keySet());
        names.remove("__CRC32#");
        Check.equal(names, new TreeSet<>(Set.of("CLUSTER", "CONSUME_START_TIME", "KEYS",
            "MAX_OFFSET", "MIN_OFFSET", "MSG_REGION", "TAGS", "TRACE_ON", "UNIQ_KEY", "WAIT",
            "text", "\u952e")), "names of all properties");
        Check.equal(got.getProperty("CLUSTER"), "DefaultCluster", "CLUSTER");
    }

    private static void compressed(Case c) throws Exception {
        String topic = c.topic(1);
        byte[] body = new byte[200_000];
        Arrays.fill(body, (byte) 'z');
        c.send(new Message(topic, "T", body), 0);
        MessageExt got = c.readQueue(topic, 0, 1).get(0);
        Check.that(Arrays.equals(got.getBody(), body), "body");
        Check.that(got.getStoreSize() < 20_000, "stored size " + got.getStoreSize());
    }

    private static void large(Case c) throws Exception {
        String topic = c.topic(1);
        byte[] body = new byte[3_000_000];
        new Random(7).nextBytes(body);
        c.send(new Message(topic, "T", body), 0);
        Check.that(Arrays.equals(c.readQueue(topic, 0, 1).get(0).getBody(), body), "body");
    }

    private static void tooLarge(Case c) throws Exception {
        String topic = c.topic(1);
        byte[] body = new byte[5 * 1024 * 1024];
        new Random(7).nextBytes(body);
        MQClientException early = Check.fails(MQClientException.class, "5 MiB",
            () -> c.env.producer.send(new Message(topic, "T", body)));
        Check.equal(early.getResponseCode(), 13, "code of the client's own check");
        DefaultMQProducer producer = c.producer();
        producer.setMaxMessageSize(8 * 1024 * 1024);
        producer.setRetryTimesWhenSendFailed(0);
        producer.start();
        MQBrokerException late = Check.fails(MQBrokerException.class, "5 MiB at the broker",
            () -> producer.send(new Message(topic, "T", body)));
        Check.equal(late.getResponseCode(), 13, "code of the broker");
    }

    private static void illegalTopic(Case c) throws Exception {
        for (String topic : new String[] {"with space", "a/b", "", "x".repeat(128)}) {
            Check.fails(MQClientException.class, "topic '" + topic + "'",
                () -> c.env.producer.send(Case.message(topic, "T", "x")));
        }
    }

    private static void forbiddenTopic(Case c) throws Exception {
        for (String topic : new String[] {"SCHEDULE_TOPIC_XXXX", "RMQ_SYS_TRANS_HALF_TOPIC"}) {
            Check.fails(MQClientException.class, topic,
                () -> c.env.producer.send(Case.message(topic, "T", "x")));
        }
    }

    private static void autoCreated(Case c) throws Exception {
        String topic = c.topicName();
        SendResult result = c.env.producer.send(
            new Message(topic, "hello".getBytes(StandardCharsets.UTF_8)));
        Check.equal(result.getSendStatus(), SendStatus.SEND_OK, "status");
        c.awaitRoute(topic);
        Check.equal(c.env.admin.examineTopicRouteInfo(topic).getQueueDatas().get(0)
            .getReadQueueNums(), 4, "queues");
        int queue = result.getMessageQueue().getQueueId();
        Check.equal(Inbox.text(c.readQueue(topic, queue, 1).get(0)), "hello", "body");
    }
}

// SPDX-License-Identifier: Apache-2.0
package gantry.interop;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.client.producer.TransactionSendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** Transaction messages. */
final class TransactionTests {
    private TransactionTests() {}

    static void register(Registry registry) {
        registry.add("transaction.commit-and-rollback", TransactionTests::commitAndRollback);
        registry.add("transaction.checked-back", TransactionTests::checkedBack).slow().seconds(150);
        registry.add("transaction.checked-until-known", TransactionTests::untilKnown).slow().seconds(200);
    }

    /** Answers by the tag of the message; UNKNOW first when the tag is "Check". */
    private static TransactionMQProducer producer(Case c, AtomicInteger checks) throws Exception {
        TransactionMQProducer producer = c.producer(
            new TransactionMQProducer(c.env.unique("trans_producer")));
        producer.setTransactionListener(new TransactionListener() {
            @Override
            public LocalTransactionState executeLocalTransaction(Message message, Object argument) {
                switch (message.getTags()) {
                    case "Commit":
                        return LocalTransactionState.COMMIT_MESSAGE;
                    case "Rollback":
                        return LocalTransactionState.ROLLBACK_MESSAGE;
                    default:
                        return LocalTransactionState.UNKNOW;
                }
            }

            @Override
            public LocalTransactionState checkLocalTransaction(MessageExt message) {
                checks.incrementAndGet();
                return LocalTransactionState.COMMIT_MESSAGE;
            }
        });
        producer.start();
        return producer;
    }

    private static void commitAndRollback(Case c) throws Exception {
        String topic = c.topic(1);
        Inbox inbox = new Inbox();
        c.startPush(c.group(), topic, "*", inbox);
        TransactionMQProducer producer = producer(c, new AtomicInteger());
        for (String tag : List.of("Rollback", "Commit", "Rollback", "Commit")) {
            TransactionSendResult result = producer.sendMessageInTransaction(
                Case.message(topic, tag, tag), null);
            Check.equal(result.getSendStatus(), SendStatus.SEND_OK, "status");
        }
        List<MessageExt> got = inbox.await(2);
        Check.equal(inbox.bodies(), List.of("Commit", "Commit"), "bodies");
        Check.equal(got.get(0).getSysFlag() & 0xC, 8, "transaction bits");
        Check.that(got.get(0).getPreparedTransactionOffset() > 0, "offset of the half message");
        c.send(topic, 0, "T", "end");
        inbox.await(3);
        Check.equal(inbox.bodies().get(2), "end", "nothing else came");
    }

    private static void checkedBack(Case c) throws Exception {
        String topic = c.topic(1);
        Inbox inbox = new Inbox();
        c.startPush(c.group(), topic, "*", inbox);
        AtomicInteger checks = new AtomicInteger();
        TransactionMQProducer producer = producer(c, checks);
        producer.sendMessageInTransaction(Case.message(topic, "Check", "checked"), null);
        inbox.await("the checked message", 120, all -> all.size() == 1);
        Check.equal(inbox.bodies(), List.of("checked"), "bodies");
        Check.that(checks.get() >= 1, "checks");
    }

    /** Not known at the first check, committed or rolled back at the second. */
    private static void untilKnown(Case c) throws Exception {
        String topic = c.topic(1);
        Inbox inbox = new Inbox();
        c.startPush(c.group(), topic, "*", inbox);
        Map<String, List<String>> checks = new ConcurrentHashMap<>();
        TransactionMQProducer producer = c.producer(
            new TransactionMQProducer(c.env.unique("trans_producer")));
        producer.setTransactionListener(new TransactionListener() {
            @Override
            public LocalTransactionState executeLocalTransaction(Message message, Object argument) {
                return LocalTransactionState.UNKNOW;
            }

            @Override
            public LocalTransactionState checkLocalTransaction(MessageExt message) {
                List<String> times = checks.computeIfAbsent(Inbox.text(message),
                    body -> new CopyOnWriteArrayList<>());
                times.add(message.getUserProperty("TRANSACTION_CHECK_TIMES"));
                if (times.size() < 2) {
                    return LocalTransactionState.UNKNOW;
                }
                return message.getTags().equals("Commit") ? LocalTransactionState.COMMIT_MESSAGE
                    : LocalTransactionState.ROLLBACK_MESSAGE;
            }
        });
        producer.start();
        producer.sendMessageInTransaction(Case.message(topic, "Rollback", "dropped"), null);
        producer.sendMessageInTransaction(Case.message(topic, "Commit", "kept"), null);
        inbox.await("the message that is committed", 150, all -> all.size() == 1);
        Check.equal(inbox.bodies(), List.of("kept"), "bodies");
        Check.equal(checks.get("kept"), List.of("1", "2"), "numbers of the checks");
        Check.equal(checks.get("dropped"), List.of("1", "2"), "numbers of the checks");
        c.send(topic, 0, "T", "end");
        inbox.await(2);
        Check.equal(inbox.bodies().get(1), "end", "nothing else came");
    }
}

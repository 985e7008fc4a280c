// SPDX-License-Identifier: Apache-2.0
package gantry.interop;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;

/**
 * A producer and a push consumer with their default settings that go on through every fault, as a
 * program: NameServer, topic, and how many milliseconds there are between two messages (none
 * unless it is given). Prints ACK queue offset body, GOT body, REFUSED reason. At the end of
 * its standard input it stops sending, waits until what was acknowledged has come, and ends.
 */
final class SteadyClient {
    private static final long DRAIN_MILLIS = 60_000;

    private final PrintStream out;
    private final Set<String> acked = new HashSet<>();
    private final Set<String> got = new HashSet<>();

    private SteadyClient(PrintStream out) {
        this.out = out;
    }

    public static void main(String[] arguments) throws Exception {
        SteadyClient client = new SteadyClient(System.out);
        System.setOut(System.err);
        String topic = arguments[1];
        long pauseMillis = arguments.length > 2 ? Long.parseLong(arguments[2]) : 0;
        CountDownLatch ending = new CountDownLatch(1);
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer("steady_consumer");
        consumer.setNamesrvAddr(arguments[0]);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            messages.forEach(m -> client.got(Inbox.text(m)));
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
        DefaultMQProducer producer = new DefaultMQProducer("steady_producer");
        producer.setNamesrvAddr(arguments[0]);
        producer.start();
        Thread sender = new Thread(() -> {
            for (int i = 0; !ended(ending, pauseMillis); i++) {
                client.send(producer, topic, "java-" + i);
            }
        });
        sender.start();
        while (System.in.read() >= 0) {
            // only the end counts
        }
        ending.countDown();
        sender.join();
        client.drain();
        producer.shutdown();
        consumer.shutdown();
    }

    private static boolean ended(CountDownLatch ending, long waitMillis) {
        try {
            return ending.await(waitMillis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            return true;
        }
    }

    private void send(DefaultMQProducer producer, String topic, String body) {
        try {
            SendResult result = producer.send(
                new Message(topic, body.getBytes(StandardCharsets.UTF_8)));
            if (result.getSendStatus() == SendStatus.SEND_OK) {
                acked(body, result);
            } else {
                say("REFUSED " + result.getSendStatus());
            }
        } catch (Exception e) {
            say("REFUSED " + e.toString().replace('\n', ' '));
        }
    }

    private synchronized void acked(String body, SendResult result) {
        acked.add(body);
        say("ACK " + result.getMessageQueue().getQueueId() + " " + result.getQueueOffset() + " " + body);
        notifyAll();
    }

    private synchronized void got(String body) {
        got.add(body);
        say("GOT " + body);
        notifyAll();
    }

    /** What does not come in time is for the reader of ACK and GOT to notice. */
    private synchronized void drain() throws InterruptedException {
        long deadline = System.currentTimeMillis() + DRAIN_MILLIS;
        while (!got.containsAll(acked) && System.currentTimeMillis() < deadline) {
            wait(DRAIN_MILLIS / 100);
        }
    }

    private synchronized void say(String line) {
        out.println(line);
        out.flush();
    }
}

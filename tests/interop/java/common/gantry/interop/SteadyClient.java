// SPDX-License-Identifier: Apache-2.0
package gantry.interop;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicBoolean;
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
 * program: NameServer, topic. Prints ACK queue offset body, GOT body, REFUSED reason; ends when its
 * standard input does.
 */
final class SteadyClient {
    private SteadyClient() {}

    public static void main(String[] arguments) throws Exception {
        PrintStream out = System.out;
        System.setOut(System.err);
        String topic = arguments[1];
        AtomicBoolean ending = new AtomicBoolean();
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer("steady_consumer");
        consumer.setNamesrvAddr(arguments[0]);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            messages.forEach(m -> say(out, "GOT " + Inbox.text(m)));
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
        DefaultMQProducer producer = new DefaultMQProducer("steady_producer");
        producer.setNamesrvAddr(arguments[0]);
        producer.start();
        Thread sender = new Thread(() -> {
            for (int i = 0; !ending.get(); i++) {
                send(producer, topic, "java-" + i, out);
            }
        });
        sender.start();
        while (System.in.read() >= 0) {
            // only the end counts
        }
        ending.set(true);
        sender.join();
        producer.shutdown();
        consumer.shutdown();
    }

    private static void send(DefaultMQProducer producer, String topic, String body,
        PrintStream out) {
        try {
            SendResult result = producer.send(
                new Message(topic, body.getBytes(StandardCharsets.UTF_8)));
            if (result.getSendStatus() == SendStatus.SEND_OK) {
                say(out, "ACK " + result.getMessageQueue().getQueueId() + " "
                    + result.getQueueOffset() + " " + body);
            } else {
                say(out, "REFUSED " + result.getSendStatus());
            }
        } catch (Exception e) {
            say(out, "REFUSED " + e.toString().replace('\n', ' '));
        }
    }

    private static void say(PrintStream out, String line) {
        synchronized (out) {
            out.println(line);
            out.flush();
        }
    }
}

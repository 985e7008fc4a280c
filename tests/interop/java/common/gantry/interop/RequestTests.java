// SPDX-License-Identifier: Apache-2.0
package gantry.interop;

import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.utils.MessageUtil;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** Request and reply. */
final class RequestTests {
    private RequestTests() {}

    static void register(Registry registry) {
        registry.add("request.reply", RequestTests::reply);
    }

    private static void reply(Case c) throws Exception {
        String topic = c.topic(1);
        DefaultMQProducer requester = c.producer();
        requester.start();
        DefaultMQPushConsumer consumer = c.push(c.group());
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            for (MessageExt message : messages) {
                try {
                    Message reply = MessageUtil.createReplyMessage(message,
                        ("re: " + Inbox.text(message)).getBytes());
                    c.env.producer.send(reply, 10_000);
                } catch (Exception e) {
                    return ConsumeConcurrentlyStatus.RECONSUME_LATER;
                }
            }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
        Await.until("queue", () -> Case.allocated(consumer, topic).size() == 1);
        for (int i = 0; i < 3; i++) {
            Message answer = requester.request(Case.message(topic, "T", "question " + i), 20_000);
            Check.equal(new String(answer.getBody()), "re: question " + i, "reply");
        }
    }
}

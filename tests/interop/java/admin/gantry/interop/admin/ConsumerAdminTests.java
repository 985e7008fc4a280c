// SPDX-License-Identifier: Apache-2.0
package gantry.interop.admin;

import gantry.interop.Await;
import gantry.interop.Case;
import gantry.interop.Check;
import gantry.interop.Inbox;
import gantry.interop.Registry;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.LanguageCode;
import org.apache.rocketmq.remoting.protocol.admin.ConsumeStats;
import org.apache.rocketmq.remoting.protocol.admin.OffsetWrapper;
import org.apache.rocketmq.remoting.protocol.body.CMResult;
import org.apache.rocketmq.remoting.protocol.body.Connection;
import org.apache.rocketmq.remoting.protocol.body.ConsumerConnection;
import org.apache.rocketmq.remoting.protocol.body.ConsumerRunningInfo;
import org.apache.rocketmq.remoting.protocol.body.QueueTimeSpan;
import org.apache.rocketmq.remoting.protocol.heartbeat.ConsumeType;
import org.apache.rocketmq.remoting.protocol.heartbeat.MessageModel;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;
import org.apache.rocketmq.tools.admin.api.MessageTrack;
import org.apache.rocketmq.tools.admin.api.TrackType;

/** DefaultMQAdminExt: running consumers and producers, their offsets, resets, relayed calls. */
final class ConsumerAdminTests {
    private ConsumerAdminTests() {}

    static void register(Registry registry) {
        registry.add("api.consumer-connection", ConsumerAdminTests::connection);
        registry.add("api.consume-stats", ConsumerAdminTests::stats);
        registry.add("api.producer-connection", ConsumerAdminTests::producer);
        registry.add("api.who-consumes", ConsumerAdminTests::who);
        registry.add("api.reset-offset-offline", ConsumerAdminTests::resetOffline);
        registry.add("api.reset-offset-online", ConsumerAdminTests::resetOnline).seconds(120);
        registry.add("api.consumer-running-info", ConsumerAdminTests::runningInfo);
        registry.add("api.consume-message-directly", ConsumerAdminTests::directly);
        registry.add("api.broker-statistics", ConsumerAdminTests::statistics);
        registry.add("api.message-track", ConsumerAdminTests::track);
        registry.add("api.delete-group-forgets-offsets", ConsumerAdminTests::deleteGroup);
    }

    /** A consumer that has consumed and committed `count` messages of queue 0. */
    private static DefaultMQPushConsumer consumed(Case c, String group, String topic, int count,
        Inbox inbox) throws Exception {
        DefaultMQPushConsumer consumer = c.startPush(group, topic, "*", inbox);
        c.sendMany(topic, 1, "m", count);
        inbox.await(count);
        Await.until("committed " + count, () -> Case.stored(consumer, topic, 0) == count);
        c.awaitRoute("%RETRY%" + group);
        return consumer;
    }

    private static void connection(Case c) throws Exception {
        String topic = c.topic(1);
        String group = c.group();
        DefaultMQPushConsumer consumer = consumed(c, group, topic, 1, new Inbox());
        ConsumerConnection connection = c.env.admin.examineConsumerConnectionInfo(group);
        Check.equal(connection.getConsumeType(), ConsumeType.CONSUME_PASSIVELY, "type");
        Check.equal(connection.getMessageModel(), MessageModel.CLUSTERING, "model");
        Check.equal(connection.getSubscriptionTable().keySet(), Set.of(topic, "%RETRY%" + group),
            "subscriptions");
        Check.equal(connection.getSubscriptionTable().get(topic).getSubString(), "*", "expression");
        Check.equal(connection.getConnectionSet().size(), 1, "connections");
        Connection one = connection.getConnectionSet().iterator().next();
        Check.equal(one.getLanguage(), LanguageCode.JAVA, "language");
        Check.equal(one.getClientId(), consumer.getDefaultMQPushConsumerImpl()
            .getmQClientFactory().getClientId(), "client id");
        Check.that(one.getClientAddr().startsWith("127.0.0.1:"), "address " + one.getClientAddr());
        consumer.shutdown();
        Await.until("the group is offline", () -> {
            try {
                c.env.admin.examineConsumerConnectionInfo(group);
                return false;
            } catch (MQBrokerException e) {
                return e.getResponseCode() == 206;
            }
        });
    }

    private static void stats(Case c) throws Exception {
        String topic = c.topic(2);
        String group = c.group();
        DefaultMQPushConsumer consumer = consumed(c, group, topic, 6, new Inbox());
        consumer.shutdown();
        c.sendMany(topic, 1, "later", 3);
        c.readQueue(topic, 0, 9);
        ConsumeStats stats = c.env.admin.examineConsumeStats(group, topic);
        Check.equal(stats.getOffsetTable().keySet(),
            Set.of(Case.queue(topic, 0), Case.queue(topic, 1)), "queues");
        OffsetWrapper offset = stats.getOffsetTable().get(Case.queue(topic, 0));
        Check.equal(offset.getBrokerOffset(), 9L, "broker offset");
        Check.equal(offset.getConsumerOffset(), 6L, "consumer offset");
        Check.that(offset.getLastTimestamp() > 0, "time of the last consumed message");
        Check.equal(stats.computeTotalDiff(), 3L, "lag");
    }

    private static void producer(Case c) throws Exception {
        String topic = c.topic(1);
        c.send(topic, 0, "T", "x");
        String group = c.env.producer.getProducerGroup();
        Await.until("producer connection", 60, () -> c.env.admin
            .examineProducerConnectionInfo(group, topic).getConnectionSet().size() == 1);
        Check.that(c.env.admin.getAllProducerInfo(c.env.broker()).getData().containsKey(group),
            "group in the list of all producers");
    }

    private static void who(Case c) throws Exception {
        String topic = c.topic(1);
        String group = c.group();
        DefaultMQPushConsumer consumer = consumed(c, group, topic, 2, new Inbox());
        DefaultMQAdminExt admin = c.env.admin;
        Check.equal(admin.queryTopicConsumeByWho(topic).getGroupList(), Set.of(group), "groups");
        Check.that(admin.queryTopicsByConsumer(group).getTopicList().contains(topic), "topics");
        Check.equal(admin.querySubscription(group, topic).getSubString(), "*", "subscription");
        List<QueueTimeSpan> spans = admin.queryConsumeTimeSpan(topic, group);
        Check.equal(spans.size(), 1, "time spans");
        Check.equal(spans.get(0).getMessageQueue(), Case.queue(topic, 0), "queue of the time span");
        Check.that(spans.get(0).getMinTimeStamp() > 0
            && spans.get(0).getMaxTimeStamp() >= spans.get(0).getMinTimeStamp(), "times");
        Check.that(spans.get(0).getDelayTime() >= 0, "delay time");
        consumer.shutdown();
    }

    private static void resetOffline(Case c) throws Exception {
        String topic = c.topic(1);
        String group = c.group();
        DefaultMQPushConsumer consumer = consumed(c, group, topic, 5, new Inbox());
        consumer.shutdown();
        Map<MessageQueue, Long> result =
            c.env.admin.resetOffsetByTimestamp(topic, group, 0, true);
        Check.equal(result, Map.of(Case.queue(topic, 0), 0L), "answer");
        Inbox again = new Inbox();
        c.startPush(group, topic, "*", again);
        again.await("all five again", 60, all -> all.size() >= 5);
        Check.equal(again.distinct().size(), 5, "bodies");
    }

    private static void resetOnline(Case c) throws Exception {
        String topic = c.topic(1);
        String group = c.group();
        Inbox inbox = new Inbox();
        consumed(c, group, topic, 5, inbox);
        c.env.admin.resetOffsetByTimestamp(topic, group, 0, true);
        inbox.await("all five a second time", 90, all -> all.size() >= 10);
        Check.equal(inbox.distinct().size(), 5, "bodies");
    }

    private static void runningInfo(Case c) throws Exception {
        String topic = c.topic(1);
        String group = c.group();
        DefaultMQPushConsumer consumer = consumed(c, group, topic, 1, new Inbox());
        String id = consumer.getDefaultMQPushConsumerImpl().getmQClientFactory().getClientId();
        ConsumerRunningInfo info = c.env.admin.getConsumerRunningInfo(group, id, false);
        Check.that(info.getMqTable().containsKey(Case.queue(topic, 0)), "queue in the table");
        Check.equal(info.getProperties().getProperty("PROP_CONSUME_TYPE"), "CONSUME_PASSIVELY",
            "consume type");
        Check.fails(MQClientException.class, "absent client",
            () -> c.env.admin.getConsumerRunningInfo(group, "nobody", false));
    }

    private static void directly(Case c) throws Exception {
        String topic = c.topic(1);
        String group = c.group();
        Inbox inbox = new Inbox();
        DefaultMQPushConsumer consumer = consumed(c, group, topic, 1, inbox);
        String id = consumer.getDefaultMQPushConsumerImpl().getmQClientFactory().getClientId();
        SendResult sent = c.send(topic, 0, "T", "again");
        inbox.await(2);
        Check.equal(c.env.admin.consumeMessageDirectly(group, id, topic, sent.getOffsetMsgId())
            .getConsumeResult(), CMResult.CR_SUCCESS, "result");
        inbox.await(3);
        Check.equal(inbox.bodies().get(2), "again", "consumed directly");
    }

    /** Counters appear with the first sample of ten seconds. */
    private static void statistics(Case c) throws Exception {
        String topic = c.topic(1);
        String group = c.group();
        Inbox inbox = new Inbox();
        consumed(c, group, topic, 5, inbox);
        DefaultMQAdminExt admin = c.env.admin;
        for (String[] item : new String[][] {{"TOPIC_PUT_NUMS", topic},
            {"GROUP_GET_NUMS", topic + "@" + group}}) {
            Await.until(item[0], 60, () -> admin.viewBrokerStatsData(c.env.broker(), item[0],
                item[1]).getStatsMinute().getSum() >= 5);
        }
        Check.fails(Exception.class, "statistics of an absent topic",
            () -> admin.viewBrokerStatsData(c.env.broker(), "TOPIC_PUT_NUMS", c.topicName()));
    }

    private static void track(Case c) throws Exception {
        String topic = c.topic(1);
        String group = c.group();
        DefaultMQPushConsumer consumer = consumed(c, group, topic, 1, new Inbox());
        List<MessageTrack> tracks = Await.value("track", 30, () -> {
            List<MessageTrack> found = c.env.admin.messageTrackDetail(
                c.readQueue(topic, 0, 1).get(0));
            return found.isEmpty() ? null : found;
        });
        Check.equal(tracks.get(0).getConsumerGroup(), group, "group");
        Check.equal(tracks.get(0).getTrackType(), TrackType.CONSUMED, "track");
        consumer.shutdown();
    }

    private static void deleteGroup(Case c) throws Exception {
        String topic = c.topic(1);
        String group = c.group();
        DefaultMQPushConsumer consumer = consumed(c, group, topic, 4, new Inbox());
        consumer.shutdown();
        c.env.admin.deleteSubscriptionGroup(c.env.broker(), group, true);
        Inbox again = new Inbox();
        c.startPush(group, topic, "*", again);
        again.await(4);
        Check.equal(again.distinct().size(), 4, "a deleted group starts again");
    }
}

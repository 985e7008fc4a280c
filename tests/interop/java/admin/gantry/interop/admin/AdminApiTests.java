// SPDX-License-Identifier: Apache-2.0
package gantry.interop.admin;

import gantry.interop.Await;
import gantry.interop.Case;
import gantry.interop.Check;
import gantry.interop.Registry;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.admin.TopicOffset;
import org.apache.rocketmq.remoting.protocol.admin.TopicStatsTable;
import org.apache.rocketmq.remoting.protocol.body.ClusterInfo;
import org.apache.rocketmq.remoting.protocol.body.KVTable;
import org.apache.rocketmq.remoting.protocol.body.QueryConsumeQueueResponseBody;
import org.apache.rocketmq.remoting.protocol.route.QueueData;
import org.apache.rocketmq.remoting.protocol.route.TopicRouteData;
import org.apache.rocketmq.remoting.protocol.subscription.SubscriptionGroupConfig;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;

/** DefaultMQAdminExt: topics, groups, configuration, cluster. */
final class AdminApiTests {
    private AdminApiTests() {}

    static void register(Registry registry) {
        registry.add("api.topic-life-cycle", AdminApiTests::topicLife);
        registry.add("api.topic-attributes", AdminApiTests::topicAttributes);
        registry.add("api.topic-stats", AdminApiTests::topicStats);
        registry.add("api.group-life-cycle", AdminApiTests::groupLife);
        registry.add("api.cluster-and-runtime-info", AdminApiTests::cluster);
        registry.add("api.broker-configuration", AdminApiTests::brokerConfig);
        registry.add("api.namesrv-configuration", AdminApiTests::namesrvConfig);
        registry.add("api.key-values-and-order-topics", AdminApiTests::keyValues);
        registry.add("api.search-boundaries", AdminApiTests::boundaries);
        registry.add("api.consume-queue", AdminApiTests::consumeQueue);
        registry.add("api.all-topics-and-groups", AdminApiTests::all);
    }

    private static void topicLife(Case c) throws Exception {
        DefaultMQAdminExt admin = c.env.admin;
        String topic = c.topic(3);
        TopicRouteData route = admin.examineTopicRouteInfo(topic);
        c.env.awaitAddresses("broker addresses", () -> admin.examineTopicRouteInfo(topic)
            .getBrokerDatas().get(0).getBrokerAddrs());
        QueueData queues = route.getQueueDatas().get(0);
        Check.equal(List.of(queues.getReadQueueNums(), queues.getWriteQueueNums(),
            queues.getPerm()), List.of(3, 3, 6), "queues and permission");
        TopicConfig config = admin.examineTopicConfig(c.env.broker(), topic);
        Check.equal(config.getReadQueueNums(), 3, "read queues");
        config.setWriteQueueNums(5);
        config.setReadQueueNums(5);
        config.setPerm(4);
        admin.createAndUpdateTopicConfig(c.env.broker(), config);
        Await.until("the changed route", () -> {
            QueueData data = admin.examineTopicRouteInfo(topic).getQueueDatas().get(0);
            return data.getReadQueueNums() == 5 && data.getPerm() == 4;
        });
        Check.equal(admin.getTopicClusterList(topic), Set.of("DefaultCluster"), "clusters");
        admin.deleteTopicInBroker(Set.of(c.env.broker()), topic);
        admin.deleteTopicInNameServer(Set.of(c.env.namesrv), topic);
        Check.fails(MQClientException.class, "route of a deleted topic",
            () -> admin.examineTopicRouteInfo(topic));
        Check.equal(admin.fetchAllTopicList().getTopicList().contains(topic), false, "listed");
    }

    private static void topicAttributes(Case c) throws Exception {
        TopicConfig config = new TopicConfig(c.topicName(), 2, 2, 6);
        config.setAttributes(Map.of("+message.type", "FIFO"));
        c.env.admin.createAndUpdateTopicConfig(c.env.broker(), config);
        TopicConfig stored =
            c.env.admin.examineTopicConfig(c.env.broker(), config.getTopicName());
        Check.equal(stored.getAttributes(), Map.of("message.type", "FIFO"), "attributes");
        config.setAttributes(Map.of("+cleanup.policy", "NOPE"));
        Check.fails(Exception.class, "wrong value of an attribute",
            () -> c.env.admin.createAndUpdateTopicConfig(c.env.broker(), config));
    }

    private static void topicStats(Case c) throws Exception {
        String topic = c.topic(2);
        c.sendMany(topic, 1, "s", 4);
        List<MessageExt> stored = c.readQueue(topic, 0, 4);
        TopicStatsTable stats = c.env.admin.examineTopicStats(topic);
        Check.equal(stats.getOffsetTable().size(), 2, "queues");
        TopicOffset offset = stats.getOffsetTable().get(Case.queue(topic, 0));
        Check.equal(offset.getMinOffset(), 0L, "min offset");
        Check.equal(offset.getMaxOffset(), 4L, "max offset");
        Check.equal(offset.getLastUpdateTimestamp(), stored.get(3).getStoreTimestamp(),
            "last update");
        Check.equal(stats.getOffsetTable().get(Case.queue(topic, 1)).getLastUpdateTimestamp(), 0L,
            "last update of an empty queue");
        Check.fails(MQClientException.class, "stats of an absent topic",
            () -> c.env.admin.examineTopicStats(c.topicName()));
    }

    private static void groupLife(Case c) throws Exception {
        DefaultMQAdminExt admin = c.env.admin;
        SubscriptionGroupConfig config = new SubscriptionGroupConfig();
        config.setGroupName(c.group());
        config.setRetryMaxTimes(7);
        config.setRetryQueueNums(2);
        config.setConsumeBroadcastEnable(false);
        admin.createAndUpdateSubscriptionGroupConfig(c.env.broker(), config);
        SubscriptionGroupConfig stored =
            admin.examineSubscriptionGroupConfig(c.env.broker(), config.getGroupName());
        Check.equal(stored.getRetryMaxTimes(), 7, "retryMaxTimes");
        Check.equal(stored.getRetryQueueNums(), 2, "retryQueueNums");
        Check.equal(stored.isConsumeBroadcastEnable(), false, "consumeBroadcastEnable");
        Check.equal(stored.isConsumeEnable(), true, "consumeEnable");
        admin.deleteSubscriptionGroup(c.env.broker(), config.getGroupName(), true);
        Check.equal(admin.getAllSubscriptionGroup(c.env.broker(), 5000).getSubscriptionGroupTable()
            .containsKey(config.getGroupName()), false, "listed after the delete");
        config.setGroupName("bad group!");
        Check.fails(Exception.class, "bad group name",
            () -> admin.createAndUpdateSubscriptionGroupConfig(c.env.broker(), config));
    }

    private static void cluster(Case c) throws Exception {
        ClusterInfo info = c.env.admin.examineBrokerClusterInfo();
        Check.equal(info.getClusterAddrTable(), Map.of("DefaultCluster", Set.of("broker-a")),
            "clusters");
        c.env.awaitAddresses("addresses", () -> c.env.admin.examineBrokerClusterInfo()
            .getBrokerAddrTable().get("broker-a").getBrokerAddrs());
        KVTable runtime = c.env.admin.fetchBrokerRuntimeStats(c.env.broker());
        Check.equal(runtime.getTable().get("brokerActive"), "true", "brokerActive");
        Check.that(runtime.getTable().containsKey("brokerVersionDesc"), "brokerVersionDesc");
    }

    private static void brokerConfig(Case c) throws Exception {
        DefaultMQAdminExt admin = c.env.admin;
        Properties before = admin.getBrokerConfig(c.env.broker());
        Check.equal(before.getProperty("brokerName"), "broker-a", "brokerName");
        Check.equal(before.getProperty("brokerClusterName"), "DefaultCluster", "cluster");
        Properties change = new Properties();
        change.setProperty("maxTransferCountOnMessageInMemory", "33");
        admin.updateBrokerConfig(c.env.broker(), change);
        Check.equal(admin.getBrokerConfig(c.env.broker())
            .getProperty("maxTransferCountOnMessageInMemory"), "33", "changed value");
        change.setProperty("maxTransferCountOnMessageInMemory", "32");
        admin.updateBrokerConfig(c.env.broker(), change);
        Properties forbidden = new Properties();
        forbidden.setProperty("configBlackList", "x");
        MQBrokerException refused = Check.fails(MQBrokerException.class, "black-listed key",
            () -> admin.updateBrokerConfig(c.env.broker(), forbidden));
        Check.equal(refused.getResponseCode(), 16, "code");
    }

    private static void namesrvConfig(Case c) throws Exception {
        DefaultMQAdminExt admin = c.env.admin;
        List<String> servers = List.of(c.env.namesrv);
        Properties config = admin.getNameServerConfig(servers).get(c.env.namesrv);
        Check.equal(config.getProperty("listenPort"),
            c.env.namesrv.substring(c.env.namesrv.indexOf(':') + 1), "listenPort");
        Properties change = new Properties();
        change.setProperty("waitSecondsForService", "46");
        admin.updateNameServerConfig(change, servers);
        Check.equal(admin.getNameServerConfig(servers).get(c.env.namesrv)
            .getProperty("waitSecondsForService"), "46", "changed value");
        Properties forbidden = new Properties();
        forbidden.setProperty("kvConfigPath", "/x");
        Check.fails(MQClientException.class, "black-listed key",
            () -> admin.updateNameServerConfig(forbidden, servers));
    }

    private static void keyValues(Case c) throws Exception {
        DefaultMQAdminExt admin = c.env.admin;
        String space = c.env.unique("SPACE");
        admin.createAndUpdateKvConfig(space, "key", "value");
        Check.equal(admin.getKVConfig(space, "key"), "value", "value");
        Check.equal(admin.getKVListByNamespace(space).getTable(), Map.of("key", "value"), "table");
        admin.deleteKvConfig(space, "key");
        Check.fails(MQClientException.class, "deleted key",
            () -> admin.getKVConfig(space, "key"));
        String topic = c.topic(2);
        admin.createOrUpdateOrderConf(topic, "broker-a:2", false);
        Check.equal(admin.getKVConfig("ORDER_TOPIC_CONFIG", topic), "broker-a:2", "order topic");
    }

    private static void boundaries(Case c) throws Exception {
        String topic = c.topic(1);
        MessageQueue queue = Case.queue(topic, 0);
        c.sendMany(topic, 1, "s", 4);
        List<Long> times = new ArrayList<>();
        c.readQueue(topic, 0, 4).forEach(m -> times.add(m.getStoreTimestamp()));
        for (long time : times) {
            Check.equal(c.env.admin.searchLowerBoundaryOffset(queue, time),
                (long) times.indexOf(time), "lower");
            Check.equal(c.env.admin.searchUpperBoundaryOffset(queue, time),
                (long) times.lastIndexOf(time), "upper");
        }
        long future = System.currentTimeMillis() + 3_600_000;
        Check.equal(c.env.admin.searchLowerBoundaryOffset(queue, future), 4L, "future, lower");
        Check.equal(c.env.admin.searchUpperBoundaryOffset(queue, future), 3L, "future, upper");
    }

    private static void consumeQueue(Case c) throws Exception {
        String topic = c.topic(1);
        c.send(topic, 0, "TagA", "one");
        c.send(topic, 0, "TagB", "two");
        List<MessageExt> stored = c.readQueue(topic, 0, 2);
        QueryConsumeQueueResponseBody body =
            c.env.admin.queryConsumeQueue(c.env.broker(), topic, 0, 0, 10, null);
        Check.equal(body.getMinQueueIndex(), 0L, "min");
        Check.equal(body.getMaxQueueIndex(), 2L, "max");
        Check.equal(body.getQueueData().size(), 2, "entries");
        for (int i = 0; i < 2; i++) {
            Check.equal(body.getQueueData().get(i).getPhysicOffset(),
                stored.get(i).getCommitLogOffset(), "physical offset");
            Check.equal(body.getQueueData().get(i).getPhysicSize(), stored.get(i).getStoreSize(),
                "size");
            Check.equal(body.getQueueData().get(i).getTagsCode(),
                (long) stored.get(i).getTags().hashCode(), "tags code");
        }
    }

    private static void all(Case c) throws Exception {
        String topic = c.topic(2);
        Map<String, TopicConfig> topics =
            c.env.admin.getAllTopicConfig(c.env.broker(), 10_000).getTopicConfigTable();
        Check.that(topics.containsKey(topic), "own topic in the table of the broker");
        for (String system : List.of("TBW102", "SELF_TEST_TOPIC", "BenchmarkTest",
            "SCHEDULE_TOPIC_XXXX", "RMQ_SYS_TRANS_HALF_TOPIC", "RMQ_SYS_TRANS_OP_HALF_TOPIC",
            "OFFSET_MOVED_EVENT", "DefaultCluster", "broker-a", "DefaultCluster_REPLY_TOPIC",
            "rmq_sys_wheel_timer")) {
            Check.that(topics.containsKey(system), "system topic " + system);
        }
        Check.equal(topics.get("SCHEDULE_TOPIC_XXXX").getReadQueueNums(), 18, "schedule queues");
        Map<String, TopicConfig> user =
            c.env.admin.getUserTopicConfig(c.env.broker(), false, 10_000).getTopicConfigTable();
        Check.that(user.containsKey(topic) && !user.containsKey("TBW102"), "user topics");
        Check.that(c.env.admin.fetchTopicsByCLuster("DefaultCluster").getTopicList()
            .contains(topic), "topics of the cluster");
        Check.that(c.env.admin.getAllSubscriptionGroup(c.env.broker(), 10_000)
            .getSubscriptionGroupTable().containsKey("TOOLS_CONSUMER"), "TOOLS_CONSUMER");
    }
}

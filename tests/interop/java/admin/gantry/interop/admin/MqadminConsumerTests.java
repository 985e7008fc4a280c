// SPDX-License-Identifier: Apache-2.0
package gantry.interop.admin;

import gantry.interop.Await;
import gantry.interop.Case;
import gantry.interop.Check;
import gantry.interop.Inbox;
import gantry.interop.Registry;
import java.util.List;
import java.util.Map;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;

/** mqadmin: groups, consumers, producers, offsets. */
final class MqadminConsumerTests {
    private MqadminConsumerTests() {}

    static void register(Registry registry) {
        registry.add("mqadmin.groups", MqadminConsumerTests::groups).exclusive();
        registry.add("mqadmin.consumers", MqadminConsumerTests::consumers).exclusive();
        registry.add("mqadmin.producers", MqadminConsumerTests::producers).exclusive();
        registry.add("mqadmin.offsets", MqadminConsumerTests::offsets).exclusive();
    }

    private static void groups(Case c) throws Exception {
        Mqadmin tool = new Mqadmin(c.env);
        String group = c.group();
        tool.expect(List.of("create subscription group to " + c.env.broker() + " success.",
            "groupName=" + group, "retryMaxTimes=5"), "updateSubGroup", "-b", c.env.broker(), "-g",
            group, "-r", "5", "-s", "true");
        String output = tool.expect(List.of("DefaultCluster:broker-a"), "getConsumerConfig", "-g",
            group);
        Map<String, String> pairs = Mqadmin.pairs(output);
        Check.equal(pairs.get("groupName"), group, "groupName");
        Check.equal(pairs.get("retryMaxTimes"), "5", "retryMaxTimes");
        Check.equal(pairs.get("consumeEnable"), "true", "consumeEnable");
        tool.expect(List.of("delete subscription group [" + group + "] from broker ["
            + c.env.broker() + "] success."), "deleteSubGroup", "-b", c.env.broker(), "-g", group,
            "-r", "true");
        Check.equal(c.env.admin.getAllSubscriptionGroup(c.env.broker(), 5000)
            .getSubscriptionGroupTable().containsKey(group), false, "group after the delete");
    }

    private static void consumers(Case c) throws Exception {
        Mqadmin tool = new Mqadmin(c.env);
        String topic = c.topic(2);
        String group = c.group();
        Inbox inbox = new Inbox();
        DefaultMQPushConsumer consumer = c.startPush(group, topic, "*", inbox);
        c.sendMany(topic, 1, "m", 5);
        inbox.await(5);
        Await.until("committed 5", () -> Case.stored(consumer, topic, 0) == 5);
        c.awaitRetryQueue(consumer, group);
        String id = consumer.getDefaultMQPushConsumerImpl().getmQClientFactory().getClientId();

        String output = tool.until(o -> o.contains("Consume Diff Total: 0"), "consumerProgress",
            "-g", group);
        Check.equal(Mqadmin.header(output), List.of("Topic", "Broker Name", "QID",
            "Broker Offset", "Consumer Offset", "Diff", "Inflight", "LastTime"), "columns");
        List<String> row = Mqadmin.rows(output).stream()
            .filter(r -> r.get(0).equals(topic) && r.get(2).equals("0")).findFirst().orElseThrow();
        Check.equal(row.subList(1, 7), List.of("broker-a", "0", "5", "5", "0", "0"), "queue 0");
        Check.that(output.contains("Consume TPS:"), "Consume TPS in " + output);

        output = tool.run("consumerProgress");
        row = Mqadmin.rows(output).stream().filter(r -> r.get(0).equals(group)).findFirst()
            .orElseThrow(() -> new AssertionError("no row of " + group));
        Check.equal(List.of(row.get(1), row.get(3), row.get(4), row.get(6)),
            List.of("1", "PUSH", "CLUSTERING", "0"), "row of the group");

        output = tool.expect(List.of("ConsumeType: CONSUME_PASSIVELY", "MessageModel: CLUSTERING",
            "ConsumeFromWhere: CONSUME_FROM_FIRST_OFFSET", id, "JAVA", "V5_5_0"),
            "consumerConnection", "-g", group);
        Check.that(Mqadmin.rows(output).contains(List.of(topic, "*")), "subscription row");

        output = tool.expect(List.of("Same subscription in the same group of consumer",
            "Rebalance OK", id), "consumerStatus", "-g", group);
        Check.equal(Mqadmin.rows(output).get(0).subList(0, 3), List.of("1", id, "V5_5_0"),
            "row of consumerStatus");

        output = tool.run("statsAll", "-t", topic);
        Check.equal(Mqadmin.header(output), List.of("Topic", "Consumer Group", "Accumulation",
            "InTPS", "OutTPS", "InMsg24Hour", "OutMsg24Hour"), "columns of statsAll");
        Check.equal(Mqadmin.rows(output).get(0).subList(0, 3), List.of(topic, group, "0"),
            "row of statsAll");
        output = tool.run("brokerConsumeStats", "-b", c.env.broker());
        Check.that(Mqadmin.rows(output).stream().anyMatch(r -> r.size() > 6
            && r.subList(0, 7).equals(List.of(topic, group, "broker-a", "0", "5", "5", "0"))),
            "row of brokerConsumeStats in " + output);
        Check.that(tool.run("consumerConnection", "-g", c.group()).contains("CODE: 17"),
            "unknown group");
    }

    private static void producers(Case c) throws Exception {
        Mqadmin tool = new Mqadmin(c.env);
        String topic = c.topic(1);
        c.send(topic, 0, "T", "x");
        String group = c.env.producer.getProducerGroup();
        String output = tool.until(o -> o.startsWith("0001"), "producerConnection", "-g", group,
            "-t", topic);
        List<String> row = Mqadmin.rows(output).get(0);
        Check.equal(row.get(0), "0001", "number");
        Check.that(row.get(2).startsWith("127.0.0.1:"), "address " + row);
        Check.equal(row.subList(3, 5), List.of("JAVA", "V5_5_0"), "language and version");
        tool.expect(List.of("producer group (" + group + ") instance : clientId="), "producer",
            "-b", c.env.broker());
    }

    private static void offsets(Case c) throws Exception {
        Mqadmin tool = new Mqadmin(c.env);
        String topic = c.topic(1);
        String group = c.group();
        Inbox inbox = new Inbox();
        DefaultMQPushConsumer consumer = c.startPush(group, topic, "*", inbox);
        c.sendMany(topic, 1, "m", 5);
        inbox.await(5);
        Await.until("committed 5", () -> Case.stored(consumer, topic, 0) == 5);
        c.awaitRoute("%RETRY%" + group);
        consumer.shutdown();
        String output = tool.expect(List.of("group[" + group + "], topic[" + topic + "]"),
            "resetOffsetByTime", "-g", group, "-t", topic, "-s", "0");
        Check.that(Mqadmin.rows(output).contains(List.of("broker-a", "0", "0")),
            "row of resetOffsetByTime: " + output);
        tool.until(o -> o.contains("Consume Diff Total: 5"), "consumerProgress", "-g", group, "-t",
            topic);
        output = tool.run("skipAccumulatedMessage", "-g", group, "-t", topic);
        Check.that(Mqadmin.rows(output).contains(List.of("broker-a", "0", "5")),
            "row of skipAccumulatedMessage: " + output);
        tool.until(o -> o.contains("Consume Diff Total: 0"), "consumerProgress", "-g", group, "-t",
            topic);
    }
}

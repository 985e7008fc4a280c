// SPDX-License-Identifier: Apache-2.0
package gantry.interop.admin;

import gantry.interop.Case;
import gantry.interop.Check;
import gantry.interop.Registry;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;

/** mqadmin: topics, messages, brokers, the NameServer. */
final class MqadminTests {
    private MqadminTests() {}

    static void register(Registry registry) {
        registry.add("mqadmin.topics", MqadminTests::topics).exclusive();
        registry.add("mqadmin.topicStatus", MqadminTests::topicStatus).exclusive();
        registry.add("mqadmin.query-messages", MqadminTests::queryMessages).exclusive();
        registry.add("mqadmin.send-print-consume", MqadminTests::sendPrintConsume).exclusive();
        registry.add("mqadmin.clusterList", MqadminTests::clusterList).exclusive();
        registry.add("mqadmin.brokerStatus", MqadminTests::brokerStatus).exclusive();
        registry.add("mqadmin.broker-configuration", MqadminTests::brokerConfig).exclusive();
        registry.add("mqadmin.write-permission", MqadminTests::writePermission).exclusive();
        registry.add("mqadmin.namesrv", MqadminTests::namesrv).exclusive();
        registry.add("mqadmin.house-keeping", MqadminTests::houseKeeping).exclusive();
    }

    private static List<String> lines(String output) {
        return Arrays.asList(output.trim().split("\\s*\n"));
    }

    private static void topics(Case c) throws Exception {
        Mqadmin tool = new Mqadmin(c.env);
        String topic = c.topicName();
        tool.expect(List.of("create topic to " + c.env.broker() + " success.", "topicName=" + topic,
            "readQueueNums=3", "perm=RW-"), "updateTopic", "-b", c.env.broker(), "-t", topic, "-r",
            "3", "-w", "3");
        tool.until(o -> lines(o).contains(topic), "topicList");
        String other = c.topicName();
        tool.expect(List.of("success."), "updateTopic", "-c", "DefaultCluster", "-t", other);
        c.awaitRoute(other);
        String route = tool.expect(List.of("\"queueDatas\":", "\"brokerDatas\":",
            "\"readQueueNums\":8", "\"brokerName\":\"broker-a\"", "\"cluster\":\"DefaultCluster\"",
            "\"" + c.env.broker() + "\""), "topicRoute", "-t", other);
        Check.that(route.contains("\"perm\":6"), "permission in the route: " + route);
        List<List<String>> rows =
            Mqadmin.rows(tool.expect(List.of("#ClusterName"), "topicRoute", "-t", topic, "-l"));
        List<String> row = rows.get(0);
        Check.equal(List.of(row.get(0), row.get(1)), List.of("DefaultCluster", "broker-a"),
            "row of topicRoute");
        Check.that(String.join(" ", row).contains("{0=" + c.env.broker()),
            "addresses of topicRoute: " + row);
        Check.equal(row.subList(row.size() - 3, row.size()), List.of("3", "3", "6"),
            "row of topicRoute");
        tool.expect(List.of("DefaultCluster"), "topicClusterList", "-t", topic);
        Check.that(Mqadmin.rows(tool.run("topicList", "-c")).stream().anyMatch(
            r -> r.get(0).equals("DefaultCluster") && r.contains(topic)), "row of topicList -c");
        tool.expect(List.of("update topic perm from 6 to 4 in " + c.env.broker() + " success."),
            "updateTopicPerm", "-b", c.env.broker(), "-t", topic, "-p", "4");
        tool.expect(List.of("delete topic [" + topic + "] from cluster [DefaultCluster] success.",
            "delete topic [" + topic + "] from NameServer success."), "deleteTopic", "-c",
            "DefaultCluster", "-t", topic);
        tool.until(o -> !lines(o).contains(topic), "topicList");
        Check.that(tool.run("topicRoute", "-t", topic).contains("CODE: 17"), "route of a deleted");
    }

    private static void topicStatus(Case c) throws Exception {
        Mqadmin tool = new Mqadmin(c.env);
        String topic = c.topic(2);
        c.sendMany(topic, 1, "s", 3);
        c.readQueue(topic, 0, 3);
        String output = tool.expect(List.of("Topic Put TPS:"), "topicStatus", "-t", topic);
        Check.equal(Mqadmin.header(output),
            List.of("Broker Name", "QID", "Min Offset", "Max Offset", "Last Updated"), "columns");
        List<List<String>> rows = Mqadmin.rows(output);
        Check.equal(rows.get(0).subList(0, 4), List.of("broker-a", "0", "0", "3"), "queue 0");
        Check.equal(rows.get(0).size(), 6, "queue 0 has a time");
        Check.equal(rows.get(1), List.of("broker-a", "1", "0", "0"), "queue 1");
        Check.that(tool.run("topicStatus", "-t", c.topicName()).contains("CODE: 17"), "absent");
    }

    private static void queryMessages(Case c) throws Exception {
        Mqadmin tool = new Mqadmin(c.env);
        String topic = c.topic(2);
        Message message = Case.message(topic, "TagQ", "queried");
        message.setKeys("keyQ");
        SendResult sent = c.send(message, 1);
        c.readQueue(topic, 1, 1);
        tool.until(o -> Mqadmin.rows(o).stream().anyMatch(r -> r.subList(0, 3)
            .equals(List.of(sent.getMsgId(), "1", "0"))), "queryMsgByKey", "-t", topic, "-k",
            "keyQ");
        for (String[] command : new String[][] {
            {"queryMsgById", "-t", topic, "-i", sent.getOffsetMsgId()},
            {"queryMsgById", "-t", topic, "-i", sent.getMsgId()},
            {"queryMsgByUniqueKey", "-t", topic, "-i", sent.getMsgId()},
            {"queryMsgByOffset", "-t", topic, "-b", "broker-a", "-i", "1", "-o", "0"}}) {
            String output = tool.expect(List.of("Properties:"), command[0],
                Arrays.copyOfRange(command, 1, command.length));
            Map<String, String> pairs = Mqadmin.pairs(output);
            Check.equal(pairs.get("Topic"), topic, command[0] + " Topic");
            Check.equal(pairs.get("Tags"), "[TagQ]", command[0] + " Tags");
            Check.equal(pairs.get("Keys"), "[keyQ]", command[0] + " Keys");
            Check.equal(pairs.get("Queue ID"), "1", command[0] + " Queue ID");
            Check.equal(pairs.get("Queue Offset"), "0", command[0] + " Queue Offset");
            Check.equal(pairs.get("Reconsume Times"), "0", command[0] + " Reconsume Times");
            Check.equal(pairs.get("Store Host"), c.env.broker(), command[0] + " Store Host");
            Check.equal(pairs.get("System Flag"), "0", command[0] + " System Flag");
            Check.equal(pairs.get("CommitLog Offset"), String.valueOf(Long.parseLong(
                sent.getOffsetMsgId().substring(16), 16)), command[0] + " CommitLog Offset");
        }
        String output = tool.run("queryCq", "-t", topic, "-q", "1", "-i", "0", "-c", "1");
        Check.that(output.contains("max: 1, min: 0")
            && output.contains("tagsCode=" + "TagQ".hashCode()), "queryCq printed " + output);
    }

    private static void sendPrintConsume(Case c) throws Exception {
        Mqadmin tool = new Mqadmin(c.env);
        String topic = c.topic(2);
        String output = tool.expect(List.of("SEND_OK"), "sendMessage", "-t", topic, "-p", "text",
            "-k", "kk", "-c", "tt");
        Check.equal(Mqadmin.header(output),
            List.of("Broker Name", "QID", "Send Result", "MsgId"), "columns");
        int queue = Integer.parseInt(Mqadmin.rows(output).get(0).get(1));
        c.readQueue(topic, queue, 1);
        tool.expect(List.of("minOffset=0, maxOffset=1", "TAGS=tt", "KEYS=kk"), "printMsg", "-t",
            topic);
        tool.expect(List.of("Consume ok", "BODY: text"), "consumeMessage", "-t", topic, "-g",
            c.group());
        tool.expect(List.of("Avg RT"), "checkMsgSendRT", "-t", topic, "-a", "3", "-s", "10");
    }

    private static void clusterList(Case c) throws Exception {
        Mqadmin tool = new Mqadmin(c.env);
        String output = tool.expect(List.of("#Cluster Name"), "clusterList");
        List<String> row = Mqadmin.rows(output).get(0);
        Check.equal(row.subList(0, 4),
            List.of("DefaultCluster", "broker-a", "0", c.env.broker()), "row");
        Check.equal(row.get(row.size() - 1), "true", "activated");
        Check.that(row.get(4).startsWith("V"), "version " + row.get(4));
        Double.parseDouble(row.get(row.size() - 2));
        output = tool.expect(List.of("#InTotalYest"), "clusterList", "-m");
        Check.equal(Mqadmin.rows(output).get(0).subList(0, 2),
            List.of("DefaultCluster", "broker-a"), "row of clusterList -m");
        Check.equal(Mqadmin.rows(output).get(0).size(), 6, "columns of clusterList -m");
    }

    private static void brokerStatus(Case c) throws Exception {
        Mqadmin tool = new Mqadmin(c.env);
        Map<String, String> pairs =
            Mqadmin.pairs(tool.run("brokerStatus", "-b", c.env.broker()));
        for (String key : List.of("EndTransactionQueueSize",
            "EndTransactionThreadPoolQueueCapacity", "ackThreadPoolQueueSize", "bootTimestamp",
            "brokerActive", "brokerVersionDesc", "commitLogDirCapacity", "commitLogDiskRatio",
            "commitLogMaxOffset", "commitLogMinOffset", "consumeQueueDiskRatio",
            "dispatchBehindBytes", "dispatchMaxBuffer", "earliestMessageTimeStamp", "getFoundTps",
            "getMessageEntireTimeMax", "getMissTps", "getTotalTps", "getTransferredTps",
            "litePullThreadPoolQueueSize", "msgGetTotalTodayNow", "msgPutTotalTodayNow",
            "pageCacheLockTimeMills", "pullThreadPoolQueueSize", "putLatency99", "putLatency999",
            "putMessageAverageSize", "putMessageDistributeTime", "putMessageEntireTimeMax",
            "putMessageFailedTimes", "putMessageSizeTotal", "putMessageTimesTotal", "putTps",
            "queryThreadPoolQueueSize", "remainHowManyDataToFlush",
            "remainTransientStoreBufferNumbs", "runtime", "sendThreadPoolQueueCapacity",
            "sendThreadPoolQueueHeadWaitTimeMills", "sendThreadPoolQueueSize",
            "startAcceptSendRequestTimeStamp", "timerCongestNum", "timerDequeueTps",
            "timerEnqueueTps", "timerOffsetBehind", "timerReadBehind")) {
            Check.that(pairs.containsKey(key), "key " + key + " in " + pairs.keySet());
        }
        Check.equal(pairs.get("brokerActive"), "true", "brokerActive");
        Check.that(Long.parseLong(pairs.get("commitLogMaxOffset")) > 0, "commitLogMaxOffset");
    }

    private static void brokerConfig(Case c) throws Exception {
        Mqadmin tool = new Mqadmin(c.env);
        Map<String, String> before =
            Mqadmin.pairs(tool.run("getBrokerConfig", "-b", c.env.broker()));
        Check.equal(before.get("brokerName"), "broker-a", "brokerName");
        Check.equal(before.get("fileReservedTime"), "72", "fileReservedTime");
        tool.expect(List.of("update broker config success, " + c.env.broker()),
            "updateBrokerConfig", "-b", c.env.broker(), "-k", "fileReservedTime", "-v", "73");
        Check.equal(Mqadmin.pairs(tool.run("getBrokerConfig", "-b", c.env.broker()))
            .get("fileReservedTime"), "73", "changed value");
        tool.run("updateBrokerConfig", "-b", c.env.broker(), "-k", "fileReservedTime", "-v", "72");
    }

    private static int perm(Case c, String topic) throws Exception {
        return c.env.admin.examineTopicRouteInfo(topic).getQueueDatas().get(0).getPerm();
    }

    /** The permission is taken from the routes only; the next registration brings it back. */
    private static void writePermission(Case c) throws Exception {
        Mqadmin tool = new Mqadmin(c.env);
        String topic = c.topic(1);
        String where = " write perm of broker[broker-a] in name server[" + c.env.namesrv + "] OK, ";
        tool.expect(List.of("wipe" + where), "wipeWritePerm", "-b", "broker-a");
        Check.equal(perm(c, topic), 4, "permission after the wipe");
        tool.expect(List.of("add" + where), "addWritePerm", "-b", "broker-a");
        Check.equal(perm(c, topic), 6, "permission after the add");
    }

    private static void namesrv(Case c) throws Exception {
        Mqadmin tool = new Mqadmin(c.env);
        Map<String, String> config = Mqadmin.pairs(tool.run("getNamesrvConfig"));
        for (String key : List.of("listenPort", "kvConfigPath", "configStorePath",
            "orderMessageEnable", "scanNotActiveBrokerInterval", "supportActingMaster",
            "enableAllTopicList", "returnOrderTopicConfigToBroker")) {
            Check.that(config.containsKey(key), "key " + key + " in " + config.keySet());
        }
        tool.expect(List.of("update name server config success![" + c.env.namesrv + "]"),
            "updateNamesrvConfig", "-k", "waitSecondsForService", "-v", "47");
        Check.equal(Mqadmin.pairs(tool.run("getNamesrvConfig")).get("waitSecondsForService"), "47",
            "changed value");
        String space = c.env.unique("SPACE");
        tool.expect(List.of("create or update kv config to namespace success."),
            "updateKvConfig", "-s", space, "-k", "kk", "-v", "vv");
        Check.equal(c.env.admin.getKVConfig(space, "kk"), "vv", "stored value");
        tool.expect(List.of("delete kv config from namespace success."), "deleteKvConfig", "-s",
            space, "-k", "kk");
        String topic = c.topic(1);
        tool.expect(List.of("update orderConf success. topic=[" + topic + "]"),
            "updateOrderConf", "-t", topic, "-m", "put", "-v", "broker-a:4");
        tool.expect(List.of("orderConf=[broker-a:4]"), "updateOrderConf", "-t", topic, "-m",
            "get");
        tool.expect(List.of("delete orderConf success. topic=[" + topic + "]"),
            "updateOrderConf", "-t", topic, "-m", "delete");
    }

    private static void houseKeeping(Case c) throws Exception {
        Mqadmin tool = new Mqadmin(c.env);
        for (String command : List.of("cleanExpiredCQ", "cleanUnusedTopic",
            "deleteExpiredCommitLog")) {
            tool.expect(List.of("success"), command, "-b", c.env.broker());
        }
        String output = tool.expect(List.of("#MasterAddr"), "haStatus", "-b", c.env.broker());
        Check.that(output.contains("#SlaveNum\t0"), "no slaves: " + output);
    }
}

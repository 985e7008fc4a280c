# SPDX-License-Identifier: Apache-2.0
"""Routes, key-value configuration, topics, groups and statistics on the wire."""

import json
import time

from wire import remoting
from wire.framework import (check, equal, heartbeat_body, pull, send, test, unique, wait,
                            wait_records)


@test("route.unknown-topic")
def unknown_route(context):
    topic = unique("absent")
    with context.to_namesrv() as names:
        answer = names.call(105, {"topic": topic})
        equal(answer.code, 17, "code")
        check(answer.remark.startswith(f"No topic route info in name server for the topic: {topic}"),
              answer.remark)


@test("route.body")
def route_body(context):
    """Compact JSON, quoted broker ids, all members that the clients read."""
    topic = context.topic(queues=3)
    with context.to_namesrv() as names:
        body = names.call(105, {"topic": topic, "acceptStandardJsonOnly": "true"}).body
    route = json.loads(body)
    check(b" " not in body and b"\n" not in body, "no white space", body)
    addresses = route["brokerDatas"][0].pop("brokerAddrs")
    context.check_addresses(addresses)
    equal(route["brokerDatas"], [{"brokerName": "broker-a", "cluster": "DefaultCluster",
                                  "enableActingMaster": False}], "brokerDatas")
    equal(route["queueDatas"], [{"brokerName": "broker-a", "perm": 6, "readQueueNums": 3,
                                 "topicSysFlag": 0, "writeQueueNums": 3}], "queueDatas")
    equal(route["filterServerTable"], {}, "filterServerTable")


@test("route.template-topic")
def template_route(context):
    with context.to_namesrv() as names:
        route = remoting.lenient_json(names.call(105, {"topic": "TBW102"}).body)
    data = route["queueDatas"][0]
    equal((data["perm"], data["readQueueNums"], data["writeQueueNums"]), (7, 8, 8), "TBW102")


@test("kv.life-cycle")
def key_values(context):
    space = unique("NS")
    key = {"namespace": space, "key": "k"}
    with context.to_namesrv() as names:
        answer = names.call(101, key)
        equal(answer.code, 22, "absent")
        equal(answer.remark, f"No config item, Namespace: {space} Key: k", "remark")
        equal(names.call(219, {"namespace": space}).code, 22, "absent namespace")
        equal(names.call(100, dict(key, value="v 1")).code, 0, "put")
        equal(names.call(101, key).ext["value"], "v 1", "get")
        table = json.loads(names.call(219, {"namespace": space}).body)["table"]
        equal(table, {"k": "v 1"}, "list")
        equal(names.call(100, dict(key, value="v 2")).code, 0, "put again")
        equal(names.call(101, key).ext["value"], "v 2", "get again")
        equal(names.call(102, key).code, 0, "delete")
        equal(names.call(101, key).code, 22, "after delete")


@test("cluster.info")
def cluster_info(context):
    with context.to_namesrv() as names:
        body = remoting.lenient_json(names.call(106, {}).body)
    equal(body["clusterAddrTable"], {"DefaultCluster": ["broker-a"]}, "clusterAddrTable")
    context.check_addresses(body["brokerAddrTable"]["broker-a"]["brokerAddrs"])


@test("topic.create-query-delete")
def topic_life(context):
    topic = context.topic(queues=5)
    with context.to_broker() as broker, context.to_namesrv() as names:
        config = remoting.lenient_json(broker.call(351, {"topic": topic}).body)
        equal({k: config[k] for k in ("topicName", "readQueueNums", "writeQueueNums", "perm",
                                      "order", "topicFilterType", "topicSysFlag")},
              {"topicName": topic, "readQueueNums": 5, "writeQueueNums": 5, "perm": 6,
               "order": False, "topicFilterType": "SINGLE_TAG", "topicSysFlag": 0}, "config")
        table = remoting.lenient_json(broker.call(21, {}).body)
        check(topic in table["topicConfigTable"], "in the table of all topics")
        check(set(table["dataVersion"]) >= {"counter", "stateVersion", "timestamp"}, "dataVersion")
        topics = json.loads(names.call(206, {}).body)["topicList"]
        check(topic in topics, "in the NameServer's list")
        in_cluster = json.loads(names.call(224, {"cluster": "DefaultCluster"}).body)["topicList"]
        check(topic in in_cluster, "in the cluster's list")
        send(broker, topic, b"x")
        equal(broker.call(215, {"topic": topic}).code, 0, "delete")
        equal(broker.call(215, {"topic": topic}).code, 0, "delete again")
        equal(names.call(216, {"topic": topic}).code, 0, "delete at the NameServer")
        equal(broker.call(351, {"topic": topic}).code, 17, "config after delete")
        equal(names.call(105, {"topic": topic}).code, 17, "route after delete")
        equal(pull(broker, topic).code, 17, "pull after delete")


@test("topic.create-refused")
def topic_refused(context):
    ext = {"topic": "bad topic", "defaultTopic": "TBW102", "readQueueNums": "1",
           "writeQueueNums": "1", "perm": "6", "topicFilterType": "SINGLE_TAG",
           "topicSysFlag": "0", "order": "false"}
    with context.to_broker() as broker:
        equal(broker.call(17, ext).code, 29, "illegal name")
        answer = broker.call(17, dict(ext, topic="TBW102"))
        equal(answer.code, 29, "system topic")
        equal(answer.remark, "The topic[TBW102] is conflict with system topic.", "remark")
        equal(broker.call(17, dict(ext, topic=unique("t"), topicFilterType="NOPE")).code, 1,
              "bad filter type")
        equal(broker.call(17, dict(ext, topic=unique("t"), attributes="+nope=1")).code, 1,
              "unknown attribute")
        equal(broker.call(215, {"topic": "TBW102"}).code, 29, "delete a system topic")


@test("topic.delete-forgets-messages-and-offsets")
def topic_recreated(context):
    topic, group = context.topic(queues=1), context.group()
    with context.to_broker() as broker, context.to_namesrv() as names:
        for i in range(3):
            send(broker, topic, b"%d" % i)
        wait_records(broker, topic, 3)
        key = {"consumerGroup": group, "topic": topic, "queueId": "0"}
        equal(broker.call(15, dict(key, commitOffset="3")).code, 0, "commit")
        equal(broker.call(215, {"topic": topic}).code, 0, "delete")
        equal(names.call(216, {"topic": topic}).code, 0, "delete at the NameServer")
        ext = {"topic": topic, "defaultTopic": "TBW102", "readQueueNums": "1",
               "writeQueueNums": "1", "perm": "6", "topicFilterType": "SINGLE_TAG",
               "topicSysFlag": "0", "order": "false"}
        equal(broker.call(17, ext).code, 0, "create again")
        equal(broker.call(30, {"topic": topic, "queueId": "0"}).ext["offset"], "0", "max offset")
        equal(broker.call(14, key).code, 22, "committed offset is gone")
        answer = send(broker, topic, b"fresh")
        equal(answer.ext["queueOffset"], "0", "first offset")
        equal([r["body"] for r in wait_records(broker, topic, 1)], [b"fresh"], "bodies")


@test("stats.topic")
def topic_stats(context):
    topic = context.topic(queues=2)
    with context.to_broker() as broker:
        for _ in range(3):
            send(broker, topic, b"x", queue=1)
        record = wait_records(broker, topic, 3, queue=1)[-1]
        body = remoting.lenient_json(broker.call(202, {"topic": topic}).body)
        table = {dict(k)["queueId"]: v for k, v in body["offsetTable"].items()}
        equal(table, {0: {"lastUpdateTimestamp": 0, "maxOffset": 0, "minOffset": 0},
                      1: {"lastUpdateTimestamp": record["storeTimestamp"], "maxOffset": 3,
                          "minOffset": 0}}, "offsetTable")
        equal(broker.call(202, {"topic": unique("absent")}).code, 17, "absent topic")


@test("stats.consumer")
def consumer_stats(context):
    topic, group = context.topic(queues=2), unique("stat")
    with context.to_broker() as broker:
        equal(broker.call(203, {"consumerGroup": group}).code, 206, "offline group")
        broker.call(34, body=heartbeat_body("wire@s", group, [topic]))
        for _ in range(5):
            send(broker, topic, b"x")
        wait_records(broker, topic, 5)
        broker.call(15, {"consumerGroup": group, "topic": topic, "queueId": "0",
                         "commitOffset": "2"})
        body = remoting.lenient_json(
            broker.call(208, {"consumerGroup": group, "topic": topic}).body)
        table = {dict(k)["queueId"]: v for k, v in body["offsetTable"].items()}
        equal((table[0]["brokerOffset"], table[0]["consumerOffset"]), (5, 2), "queue 0")
        check("lastTimestamp" in table[0] and "pullOffset" in table[0], "members", table[0])
        check("consumeTps" in body, "consumeTps", body)
        body = remoting.lenient_json(broker.call(203, {"consumerGroup": group}).body)
        equal([c["clientId"] for c in body["connectionSet"]], ["wire@s"], "clients")
        equal(set(body["subscriptionTable"]), {topic}, "subscriptions")
        groups = json.loads(broker.call(300, {"topic": topic}).body)["groupList"]
        equal(groups, [group], "groups that consume the topic")
        topics = json.loads(broker.call(343, {"group": group}).body)["topicList"]
        check(topic in topics, "topics of the group", topics)


@test("reset.server-side")
def reset_offset(context):
    """222, then 14 gives the new offset, 15 is swallowed, the next pull is told to move."""
    topic, group = context.topic(queues=1), context.group()
    with context.to_broker() as broker:
        for i in range(4):
            send(broker, topic, b"%d" % i)
        wait_records(broker, topic, 4)
        broker.call(34, body=heartbeat_body("wire@x", group, [topic]))
        key = {"consumerGroup": group, "topic": topic, "queueId": "0"}
        equal(broker.call(15, dict(key, commitOffset="4")).code, 0, "commit")
        answer = broker.call(222, {"topic": topic, "group": group, "queueId": "-1",
                                   "timestamp": "0", "offset": "-1", "isForce": "true"})
        equal(answer.code, 0, f"reset ({answer.remark})")
        table = remoting.lenient_json(answer.body)["offsetTable"]
        equal(list(table.values()), [0], "offsets in the answer")
        equal(broker.call(14, key).ext["offset"], "0", "query")
        answer = broker.call(15, dict(key, commitOffset="3"))
        equal((answer.code, answer.remark), (0, "Offset has been previously reset"), "commit")
        answer = pull(broker, topic, offset=4, group=group)
        equal((answer.code, answer.remark, answer.ext["nextBeginOffset"]), (21, "OFFSET_RESET", "0"),
              "pull")
        equal(pull(broker, topic, offset=0, group=group).code, 0, "pull from the new offset")
        equal(broker.call(15, dict(key, commitOffset="2")).code, 0, "commit again")
        equal(broker.call(14, key).ext["offset"], "2", "stored again")


@test("query.by-key-and-id")
def query(context):
    topic = context.topic()
    with context.to_broker() as broker:
        ident = "%032X" % int(time.time() * 1e9)
        send(broker, topic, b"1", properties={"KEYS": "alpha beta", "UNIQ_KEY": ident})
        send(broker, topic, b"2", queue=1, properties={"KEYS": "beta"})
        records = wait_records(broker, topic, 1)

        def find(key, **more):
            ext = {"topic": topic, "key": key, "maxNum": "64", "beginTimestamp": "0",
                   "endTimestamp": str(int(time.time() * 1000) + 100000)}
            ext.update(more)
            answer = broker.call(12, ext)
            found = remoting.decode_records(answer.body) if answer.code == 0 else []
            return answer.code, sorted(r["body"] for r in found)

        wait(lambda: find("beta") == (0, [b"1", b"2"]), "both messages by key")
        equal(find("alpha"), (0, [b"1"]), "one message by key")
        equal(find(ident, _UNIQUE_KEY_QUERY="true"), (0, [b"1"]), "by unique key")
        equal(find("gamma")[0], 22, "absent key")
        equal(find("beta", maxNum="1")[0:1], (0,), "maxNum 1")
        equal(len(find("beta", maxNum="1")[1]), 1, "messages with maxNum 1")
        equal(find("beta", endTimestamp="1000")[0], 22, "time range before")
        view = broker.call(33, {"offset": str(records[0]["physicalOffset"])})
        equal(remoting.decode_records(view.body)[0], records[0], "view by offset")
        equal(broker.call(33, {"offset": "999999999999"}).code, 1, "view of an absent offset")


@test("config.group")
def group_config(context):
    group = context.group(retryMaxTimes=5, retryQueueNums=2)
    with context.to_broker() as broker:
        config = remoting.lenient_json(broker.call(352, {"group": group}).body)
        equal((config["groupName"], config["retryMaxTimes"], config["retryQueueNums"],
               config["consumeEnable"]), (group, 5, 2, True), "config")
        table = remoting.lenient_json(broker.call(201, {}).body)["subscriptionGroupTable"]
        check(group in table and "TOOLS_CONSUMER" in table, "all groups")
        equal(broker.call(207, {"groupName": group, "cleanOffset": "true"}).code, 0, "delete")
        table = remoting.lenient_json(broker.call(201, {}).body)["subscriptionGroupTable"]
        check(group not in table, "gone")


@test("config.broker")
def broker_config(context):
    with context.to_broker() as broker:
        answer = broker.call(26, {})
        equal(answer.code, 0, "get")
        lines = dict(line.split("=", 1) for line in answer.body.decode().splitlines()
                     if "=" in line and not line.startswith("#"))
        equal((lines.get("brokerName"), lines.get("brokerClusterName")),
              ("broker-a", "DefaultCluster"), "names")
        for key in ("listenPort", "maxMessageSize", "flushDiskType", "autoCreateTopicEnable",
                    "defaultTopicQueueNums", "fileReservedTime"):
            check(key in lines, f"key {key}")
        equal(broker.call(25, {}, b"brokerConfigPath=/tmp/x\n").code, 16, "black listed key")


@test("config.runtime-info")
def runtime_info(context):
    """Code 28: the keys that the exporter needs are there and numeric."""
    numeric = """msgPutTotalTodayNow msgPutTotalTodayMorning msgPutTotalYesterdayMorning
        msgGetTotalTodayNow msgGetTotalTodayMorning msgGetTotalYesterdayMorning
        sendThreadPoolQueueHeadWaitTimeMills queryThreadPoolQueueHeadWaitTimeMills
        pullThreadPoolQueueHeadWaitTimeMills sendThreadPoolQueueSize queryThreadPoolQueueSize
        pullThreadPoolQueueSize sendThreadPoolQueueCapacity queryThreadPoolQueueCapacity
        pullThreadPoolQueueCapacity bootTimestamp commitLogMinOffset commitLogMaxOffset
        dispatchMaxBuffer dispatchBehindBytes consumeQueueDiskRatio commitLogDiskRatio
        pageCacheLockTimeMills getMessageEntireTimeMax putMessageEntireTimeMax
        putMessageTimesTotal putMessageAverageSize putMessageSizeTotal
        startAcceptSendRequestTimeStamp earliestMessageTimeStamp
        remainTransientStoreBufferNumbs""".split()
    rates = ("putTps", "getMissTps", "getTransferredTps", "getTotalTps", "getFoundTps")

    def sampled(broker):
        """Until the server has taken its first sample the rates are empty, or Apache fails."""
        answer = broker.call(28, {})
        if answer.code != 0:
            print(f"code 28 is answered {answer.code} at first: {answer.remark}")
            return None
        table = json.loads(answer.body)["table"]
        return table if all(table[key].split() for key in rates) else None

    with context.to_broker() as broker:
        table = wait(lambda: sampled(broker), "first sample of the rates", 30)
    for key in numeric:
        check(key in table, f"key {key}")
        float(table[key])
    for key in rates:
        float(table[key].split()[0])
    fields = table["commitLogDirCapacity"].split(" ")
    equal((fields[0], fields[1], fields[4], fields[5]), ("Total", ":", "Free", ":"), "capacity")
    float(fields[2])
    float(fields[6])
    check(table["runtime"].startswith("[ 0 days, "), "runtime", table["runtime"])
    text = table["putMessageDistributeTime"]
    check(text == "null" or all(":" in item for item in text.split()), "distribution", text)


@test("pop.refused-parameters")
def pop_refused(context):
    topic = context.topic()
    ext = {"consumerGroup": unique("pop"), "topic": topic, "queueId": "-1", "maxMsgNums": "33",
           "invisibleTime": "10000", "pollTime": "0", "bornTime": str(int(time.time() * 1000)),
           "initMode": "0"}
    with context.to_broker() as broker:
        answer = broker.call(200050, ext)
        equal(answer.code, 29, "33 messages")
        check("pop message's num is greater than 32" in answer.remark, answer.remark)

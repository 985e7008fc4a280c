// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand"
	"strings"
	"time"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/admin"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

func sendSync(t *T) {
	topic := t.topic(4)
	p := t.producer()
	for i := 0; i < 3; i++ {
		result := t.send(p, message(topic, 2, fmt.Sprint("m", i)))
		t.equal(result.QueueOffset, int64(i), "queue offset")
		t.equal(result.MessageQueue.QueueId, 2, "queue")
		t.equal(len(result.OffsetMsgID), 32, "length of the offset id")
		t.equal(result.RegionID, "DefaultRegion", "region")
	}
	t.equal(string(t.readQueue(topic, 2, 3)[2].Body), "m2", "last body")
}

func sendAsync(t *T) {
	topic := t.topic(1)
	p := t.producer()
	results := make(chan error, 20)
	for i := 0; i < 20; i++ {
		err := p.SendAsync(bounded(),
			func(_ context.Context, result *primitive.SendResult, err error) {
				if err == nil && result.Status != primitive.SendOK {
					err = fmt.Errorf("status %v", result.Status)
				}
				results <- err
			}, message(topic, 0, fmt.Sprint("a", i)))
		t.must(err, "async send")
	}
	// All callbacks first: this client crashes when a producer ends with sends in the air.
	var problem error
	for i := 0; i < 20; i++ {
		select {
		case err := <-results:
			if err != nil {
				problem = err
			}
		case <-time.After(seconds * time.Second):
			t.fail("callback %d did not come", i)
		}
	}
	t.must(problem, "callback")
	t.equal(len(t.readQueue(topic, 0, 20)), 20, "stored messages")
}

func sendOneWay(t *T) {
	topic := t.topic(1)
	p := t.producer()
	inbox := &Inbox{}
	t.push(unique("gogroup"), topic, "*", inbox.accept)
	t.send(p, message(topic, 0, "first"))
	t.awaitCount(inbox, 1)
	for i := 0; i < 20; i++ {
		t.must(p.SendOneWay(bounded(), message(topic, 0, fmt.Sprint("o", i))), "one-way send")
	}
	// A busy broker may drop a one-way message; it must not drop most of them.
	t.awaitCount(inbox, 16)
}

func sendBatch(t *T) {
	topic := t.topic(2)
	p := t.producer()
	var batch []*primitive.Message
	for i := 0; i < 10; i++ {
		m := message(topic, 1, fmt.Sprint("b", i))
		m.WithTag(fmt.Sprint("Tag", i%2)).WithKeys([]string{fmt.Sprint("key", i)})
		m.WithProperty("index", fmt.Sprint(i))
		batch = append(batch, m)
	}
	t.send(p, batch...)
	for i, m := range t.readQueue(topic, 1, 10) {
		t.equal(string(m.Body), fmt.Sprint("b", i), "body")
		t.equal(m.GetTags(), fmt.Sprint("Tag", i%2), "tag")
		t.equal(m.GetKeys(), fmt.Sprint("key", i), "keys")
		t.equal(m.GetProperty("index"), fmt.Sprint(i), "property")
		t.equal(m.QueueOffset, int64(i), "queue offset")
	}
}

func sendFields(t *T) {
	topic := t.topic(4)
	p := t.producer()
	inbox := &Inbox{}
	t.push(unique("gogroup"), topic, "*", inbox.accept)
	m := message(topic, 3, "körper 中文 🚀")
	m.WithTag("Täg").WithKeys([]string{"key1", "key2"})
	m.WithProperty("text", "värde; a=b & c")
	m.WithProperty("键", "值")
	m.Flag = 77
	result := t.send(p, m)
	got := t.awaitCount(inbox, 1)[0]
	t.equal(string(got.Body), "körper 中文 🚀", "body")
	t.equal(got.GetTags(), "Täg", "tag")
	t.equal(strings.TrimSpace(got.GetKeys()), "key1 key2", "keys")
	t.equal(got.GetProperty("text"), "värde; a=b & c", "property")
	t.equal(got.GetProperty("键"), "值", "property with a Chinese name")
	t.equal(got.Flag, int32(77), "flag")
	t.equal(got.Queue.QueueId, 3, "queue")
	t.equal(got.QueueOffset, int64(0), "queue offset")
	t.equal(got.MsgId, result.MsgID, "message id")
	t.equal(got.StoreHost, broker, "store host")
	t.equal(got.ReconsumeTimes, int32(0), "reconsume times")
	t.equal(got.GetProperty("CLUSTER"), "DefaultCluster", "CLUSTER")
	t.equal(got.GetRegionID(), "DefaultRegion", "region")
}

func sendLarge(t *T) {
	topic := t.topic(2)
	p := t.producer()
	zeros := bytes.Repeat([]byte("z"), 200000)
	m := message(topic, 0, string(zeros))
	t.send(p, m)
	got := t.readQueue(topic, 0, 1)[0]
	t.equal(bytes.Equal(got.Body, zeros), true, "compressed body")
	t.equal(got.StoreSize < 20000, true, "stored compressed")
	noise := make([]byte, 2000000)
	rand.New(rand.NewSource(7)).Read(noise)
	t.send(p, message(topic, 1, string(noise)))
	t.equal(bytes.Equal(t.readQueue(topic, 1, 1)[0].Body, noise), true, "random body")
}

func sendTooLarge(t *T) {
	topic := t.topic(1)
	p := t.producer(producer.WithCompressMsgBodyOverHowmuch(100 << 20))
	_, err := p.SendSync(bounded(), message(topic, 0, string(make([]byte, 5<<20))))
	t.equal(err != nil, true, "5 MiB is refused")
}

func autoCreated(t *T) {
	topic := unique("goauto")
	p := t.producer(producer.WithQueueSelector(producer.NewRoundRobinQueueSelector()),
		producer.WithCreateTopicKey("TBW102"))
	result, err := p.SendSync(bounded(), primitive.NewMessage(topic, []byte("hello")))
	t.must(err, "send to a new topic")
	t.awaitRoute(topic)
	t.equal(string(t.readQueue(topic, result.MessageQueue.QueueId, 1)[0].Body), "hello", "body")
}

func hashSelector(t *T) {
	topic := t.topic(4)
	p := t.producer(producer.WithQueueSelector(producer.NewHashQueueSelector()))
	queues := map[string]map[int]bool{}
	for i := 0; i < 30; i++ {
		key := fmt.Sprint("order", i%3)
		m := primitive.NewMessage(topic, []byte(fmt.Sprint("h", i))).WithShardingKey(key)
		result, err := p.SendSync(bounded(), m)
		t.must(err, "send")
		if queues[key] == nil {
			queues[key] = map[int]bool{}
		}
		queues[key][result.MessageQueue.QueueId] = true
	}
	for key, used := range queues {
		t.equal(len(used), 1, "queues of "+key)
	}
}

func delayed(level int, least time.Duration) func(t *T) {
	return func(t *T) {
		topic := t.topic(1)
		p := t.producer()
		inbox := &Inbox{}
		t.push(unique("gogroup"), topic, "*", inbox.accept)
		m := message(topic, 0, "later")
		m.WithDelayTimeLevel(level)
		before := time.Now().UnixNano() / int64(time.Millisecond)
		result := t.send(p, m)
		got := t.awaitCount(inbox, 1)[0]
		took := time.Duration(got.StoreTimestamp-before) * time.Millisecond
		t.equal(took >= least-50*time.Millisecond && took < least+5*time.Second, true,
			fmt.Sprint("delivered after ", took))
		t.equal(string(got.Body), "later", "body")
		t.equal(got.MsgId, result.MsgID, "message id")
	}
}

type transactions struct{}

func (transactions) ExecuteLocalTransaction(m *primitive.Message) primitive.LocalTransactionState {
	if m.GetTags() == "Commit" {
		return primitive.CommitMessageState
	}
	return primitive.RollbackMessageState
}

func (transactions) CheckLocalTransaction(*primitive.MessageExt) primitive.LocalTransactionState {
	return primitive.RollbackMessageState
}

func transaction(t *T) {
	topic := t.topic(1)
	inbox := &Inbox{}
	t.push(unique("gogroup"), topic, "*", inbox.accept)
	p, err := rocketmq.NewTransactionProducer(transactions{}, producer.WithNsResolver(servers()),
		producer.WithGroupName(unique("gotrans")), producer.WithInstanceName(unique("goinstance")))
	t.must(err, "new transaction producer")
	t.must(p.Start(), "start")
	t.onClose(func() { _ = p.Shutdown() })
	for _, tag := range []string{"Rollback", "Commit", "Rollback", "Commit"} {
		m := primitive.NewMessage(topic, []byte(tag)).WithTag(tag)
		result, err := p.SendMessageInTransaction(bounded(), m)
		t.must(err, "send in transaction")
		t.equal(result.Status, primitive.SendOK, "status")
	}
	t.awaitCount(inbox, 2)
	t.send(t.producer(), message(topic, 0, "end"))
	t.awaitBodies(inbox, []string{"end"})
	t.equal(inbox.bodies(), []string{"Commit", "Commit", "end"}, "bodies")
}

func topicAdmin(t *T) {
	client, err := admin.NewAdmin(admin.WithResolver(servers()))
	t.must(err, "admin client")
	t.onClose(func() { _ = client.Close() })
	topic := t.topic(3)
	listed := func() bool {
		all, err := client.FetchAllTopicList(bounded())
		t.must(err, "topic list")
		for _, name := range all.TopicList {
			if name == topic {
				return true
			}
		}
		return false
	}
	t.equal(listed(), true, "in the list of topics")
	queues, err := client.FetchPublishMessageQueues(bounded(), topic)
	t.must(err, "queues")
	t.equal(len(queues), 3, "queues")
	t.must(client.DeleteTopic(bounded(), admin.WithTopicDelete(topic),
		admin.WithBrokerAddrDelete(broker), admin.WithNameSrvAddr([]string{namesrv})), "delete")
	t.until("gone from the list", func() bool { return !listed() })
	groups, err := client.GetAllSubscriptionGroup(bounded(), broker, 5*time.Second)
	t.must(err, "groups")
	_, known := groups.SubscriptionGroupTable["TOOLS_CONSUMER"]
	t.equal(known, true, "TOOLS_CONSUMER in the list of groups")
}

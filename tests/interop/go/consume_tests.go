// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
)

var tests = []testCase{
	{"retry.default-delay", true, retryDefault, false},
	{"send.sync", false, sendSync, false},
	{"send.async", false, sendAsync, false},
	{"send.one-way", false, sendOneWay, false},
	{"send.batch", false, sendBatch, false},
	{"send.message-fields", false, sendFields, false},
	{"send.large", false, sendLarge, false},
	{"send.too-large", false, sendTooLarge, false},
	{"send.auto-created-topic", false, autoCreated, false},
	{"send.hash-selector", false, hashSelector, false},
	{"delay.level-1", false, delayed(1, time.Second), false},
	{"delay.level-2", true, delayed(2, 5*time.Second), false},
	{"transaction.commit-and-rollback", false, transaction, false},
	{"push.concurrent", false, pushConcurrent, false},
	{"push.backlog", false, pushBacklog, false},
	{"push.restarted-consumer-continues", false, pushRestarted, false},
	{"orderly.order-of-each-queue", false, orderly, false},
	{"orderly.suspend-keeps-order", false, orderlySuspend, false},
	{"tags.single", false, tagged("A", "A"), false},
	{"tags.two", false, tagged("A || C", "A", "C"), false},
	{"tags.all", false, tagged("*", "A", "B", "C"), false},
	{"group.clustering-shares-messages", false, clustering, false},
	{"group.broadcasting-gives-all-to-each", false, broadcasting, false},
	{"group.two-groups-each-get-all", false, twoGroups, false},
	{"retry.again-then-dead-letter", false, retryDeadLetter, false},
	{"pull.poll-and-ack", false, pollAndAck, false},
	{"pull.from-offset", false, pullFrom, false},
	{"admin.topics-and-groups", false, topicAdmin, false},
	{"restart.kill-9", true, restartKill, true},
}

func pushConcurrent(t *T) {
	topic := t.topic(4)
	inbox := &Inbox{}
	t.push(unique("gogroup"), topic, "*", inbox.accept)
	sent := t.sendMany(t.producer(), topic, 4, 100, "p")
	t.awaitBodies(inbox, sent)
	t.equal(len(inbox.all()), 100, "deliveries")
}

func pushBacklog(t *T) {
	topic := t.topic(2)
	sent := t.sendMany(t.producer(), topic, 2, 100, "b")
	inbox := &Inbox{}
	t.push(unique("gogroup"), topic, "*", inbox.accept)
	t.awaitBodies(inbox, sent)
	t.equal(len(inbox.all()), 100, "deliveries")
}

func pushRestarted(t *T) {
	topic := t.topic(1)
	group := unique("gogroup")
	p := t.producer()
	first := &Inbox{}
	c := t.push(group, topic, "*", first.accept)
	before := t.sendMany(p, topic, 1, 10, "before")
	t.awaitBodies(first, before)
	t.must(c.Shutdown(), "shut down")
	between := t.sendMany(p, topic, 1, 10, "between")
	second := &Inbox{}
	t.push(group, topic, "*", second.accept)
	t.awaitBodies(second, between)
	// The message that was in work at the shutdown may come again, earlier ones may not.
	t.equal(len(second.distinct()) <= 11, true,
		fmt.Sprint("bodies after the restart: ", second.distinct()))
}

func checkOrder(t *T, inbox *Inbox, queues, each int) {
	for id := 0; id < queues; id++ {
		var got, expected []string
		for _, m := range inbox.all() {
			if m.Queue.QueueId == id {
				got = append(got, string(m.Body))
			}
		}
		for i := 0; i < each; i++ {
			expected = append(expected, fmt.Sprintf("%d-%d", id, i))
		}
		t.equal(got, expected, fmt.Sprint("order in queue ", id))
	}
}

func orderly(t *T) {
	topic := t.topic(4)
	inbox := &Inbox{}
	t.push(unique("gogroup"), topic, "*", inbox.accept, consumer.WithConsumerOrder(true))
	p := t.producer()
	for i := 0; i < 20; i++ {
		for id := 0; id < 4; id++ {
			t.send(p, message(topic, id, fmt.Sprintf("%d-%d", id, i)))
		}
	}
	t.awaitCount(inbox, 80)
	checkOrder(t, inbox, 4, 20)
}

func orderlySuspend(t *T) {
	topic := t.topic(1)
	inbox := &Inbox{}
	refused := 0
	handle := func(_ context.Context, all ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		if string(all[0].Body) == "0-3" && refused < 2 {
			refused++
			return consumer.SuspendCurrentQueueAMoment, nil
		}
		inbox.add(all...)
		return consumer.ConsumeSuccess, nil
	}
	t.push(unique("gogroup"), topic, "*", handle, consumer.WithConsumerOrder(true),
		consumer.WithSuspendCurrentQueueTimeMillis(200*time.Millisecond),
		consumer.WithMaxReconsumeTimes(10))
	p := t.producer()
	for i := 0; i < 8; i++ {
		t.send(p, message(topic, 0, fmt.Sprintf("0-%d", i)))
	}
	t.awaitCount(inbox, 8)
	checkOrder(t, inbox, 1, 8)
}

func tagged(expression string, tags ...string) func(t *T) {
	return func(t *T) {
		topic := t.topic(1)
		inbox := &Inbox{}
		t.push(unique("gogroup"), topic, expression, inbox.accept)
		p := t.producer()
		var expected []string
		for i, tag := range []string{"A", "B", "C", "A", "B", "C", tags[0]} {
			body := fmt.Sprint(i, "-", tag)
			m := message(topic, 0, body)
			m.WithTag(tag)
			t.send(p, m)
			for _, wanted := range tags {
				if wanted == tag {
					expected = append(expected, body)
				}
			}
		}
		t.awaitBodies(inbox, expected)
		t.equal(inbox.distinct(), expected, "bodies")
	}
}

// Two members of a group; shares settle with the first messages, so only the sum is exact.
func clustering(t *T) {
	topic := t.topic(4)
	group := unique("gogroup")
	one, two := &Inbox{}, &Inbox{}
	p := t.producer()
	t.push(group, topic, "*", one.accept)
	t.push(group, topic, "*", two.accept)
	round := 0
	t.until("both receive", func() bool {
		round++
		t.sendMany(p, topic, 4, 4, fmt.Sprint("probe", round))
		return len(one.all()) > 0 && len(two.all()) > 0
	})
	sent := t.sendMany(p, topic, 4, 40, "c")
	t.until("all bodies", func() bool {
		seen := map[string]bool{}
		for _, body := range append(one.bodies(), two.bodies()...) {
			seen[body] = true
		}
		for _, body := range sent {
			if !seen[body] {
				return false
			}
		}
		return true
	})
}

func broadcasting(t *T) {
	topic := t.topic(4)
	group := unique("gogroup")
	inboxes := []*Inbox{{}, {}}
	for _, inbox := range inboxes {
		t.push(group, topic, "*", inbox.accept, consumer.WithConsumerModel(consumer.BroadCasting))
	}
	p := t.producer()
	round := 0
	t.until("both receive", func() bool {
		round++
		t.sendMany(p, topic, 4, 4, fmt.Sprint("probe", round))
		return len(inboxes[0].all()) > 0 && len(inboxes[1].all()) > 0
	})
	sent := t.sendMany(p, topic, 4, 20, "b")
	for _, inbox := range inboxes {
		t.awaitBodies(inbox, sent)
	}
}

func twoGroups(t *T) {
	topic := t.topic(2)
	one, two := &Inbox{}, &Inbox{}
	t.push(unique("gogroup"), topic, "*", one.accept)
	t.push(unique("gogroup"), topic, "*", two.accept)
	sent := t.sendMany(t.producer(), topic, 2, 40, "g")
	t.awaitBodies(one, sent)
	t.awaitBodies(two, sent)
	t.equal(len(one.all())+len(two.all()), 80, "deliveries")
}

// refuse gives a handler that refuses until attempt `accept` and keeps all attempts.
func refuse(inbox *Inbox, level, accept int) handler {
	var mutex sync.Mutex
	return func(ctx context.Context, all ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		mutex.Lock()
		defer mutex.Unlock()
		inbox.add(all...)
		if level != 0 {
			if current, ok := primitive.GetConcurrentlyCtx(ctx); ok {
				current.DelayLevelWhenNextConsume = level
			}
		}
		if len(inbox.all()) >= accept {
			return consumer.ConsumeSuccess, nil
		}
		return consumer.ConsumeRetryLater, nil
	}
}

func retryDeadLetter(t *T) {
	topic := t.topic(1)
	group := unique("gogroup")
	// The consumer finds its retry topic at its start only when the topic is there already.
	t.createTopic("%RETRY%"+group, 1)
	inbox := &Inbox{}
	t.push(group, topic, "*", refuse(inbox, 1, 1000), consumer.WithMaxReconsumeTimes(2))
	m := message(topic, 0, "refused")
	m.WithTag("TagR")
	m.WithProperty("user", "kept")
	sent := t.send(t.producer(), m)
	attempts := t.awaitCount(inbox, 3)
	for i, got := range attempts {
		t.equal(got.ReconsumeTimes, int32(i), "reconsume times")
		t.equal(got.Topic, topic, "topic that the handler sees")
		t.equal(got.GetProperty("user"), "kept", "user property")
		t.equal(got.GetTags(), "TagR", "tag")
	}
	dlq := "%DLQ%" + group
	t.awaitRoute(dlq)
	dead := t.readQueue(dlq, 0, 1)[0]
	t.equal(string(dead.Body), "refused", "dead letter")
	t.equal(dead.GetProperty("RETRY_TOPIC"), topic, "RETRY_TOPIC")
	t.equal(dead.GetProperty("ORIGIN_MESSAGE_ID"), sent.OffsetMsgID, "ORIGIN_MESSAGE_ID")
}

func retryDefault(t *T) {
	topic := t.topic(1)
	group := unique("gogroup")
	t.createTopic("%RETRY%"+group, 1)
	inbox := &Inbox{}
	t.push(group, topic, "*", refuse(inbox, 0, 2))
	t.send(t.producer(), message(topic, 0, "again"))
	all := t.awaitCount(inbox, 2)
	pause := all[1].StoreTimestamp - all[0].StoreTimestamp
	t.equal(pause >= 9950 && pause < 20000, true, fmt.Sprint("pause ", pause, " ms"))
}

func pollAndAck(t *T) {
	topic := t.topic(2)
	group := unique("gogroup")
	p := t.producer()
	sent := t.sendMany(p, topic, 2, 20, "l")
	c := t.pull(group, topic, "*")
	inbox := &Inbox{}
	t.until("20 polled", func() bool {
		request, err := c.Poll(context.Background(), time.Second)
		if err == nil {
			inbox.add(request.GetMsgList()...)
			c.ACK(context.Background(), request, consumer.ConsumeSuccess)
		}
		return len(inbox.all()) >= 20
	})
	t.equal(inbox.distinct(), sent, "bodies")
	t.must(c.PersistOffset(bounded(), topic), "persist")
}

func pullFrom(t *T) {
	topic := t.topic(1)
	t.sendMany(t.producer(), topic, 1, 10, "q")
	t.readQueue(topic, 0, 10)
	c := t.pull(unique("gogroup"), topic, "*")
	result, err := c.PullFrom(bounded(), queue(topic, 0), 4, 3)
	t.must(err, "pull")
	t.equal(result.Status, primitive.PullFound, "status")
	t.equal(len(result.GetMessageExts()), 3, "messages")
	t.equal(string(result.GetMessageExts()[0].Body), "q-0004", "first body")
	t.equal([]int64{result.NextBeginOffset, result.MinOffset, result.MaxOffset},
		[]int64{7, 0, 10}, "offsets")
	result, err = c.PullFrom(bounded(), queue(topic, 0), 99, 3)
	t.must(err, "pull beyond the end")
	t.equal(result.Status, primitive.PullOffsetIllegal, "status beyond the end")
	t.equal(result.NextBeginOffset, int64(10), "corrected offset")
}

// A consumer and a producer that keep running while the broker is killed and comes back.
func restartKill(t *T) {
	topic := t.topic(1)
	inbox := &Inbox{}
	t.push(unique("gogroup"), topic, "*", inbox.accept)
	p := t.producer()
	before := t.sendMany(p, topic, 1, 10, "before")
	t.awaitBodies(inbox, before)
	t.ask("restart kill")
	t.until("a send after the restart", func() bool {
		result, err := p.SendSync(bounded(), message(topic, 0, "after"))
		return err == nil && result.Status == primitive.SendOK
	})
	// This client sends a heartbeat each 30 s; until then the broker refuses its pulls.
	t.untilWithin("the message after the restart", 90, func() bool {
		for _, body := range inbox.bodies() {
			if body == "after" {
				return true
			}
		}
		return false
	})
	t.equal(len(inbox.distinct()), 11, "bodies")
}

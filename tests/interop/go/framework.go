// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"reflect"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/admin"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

var (
	namesrv string
	broker  string
	control string
	counter int64
)

const (
	brokerName = "broker-a"
	seconds    = 40
)

// failure ends a test.
type failure string

// T is one running test. What it makes is closed at its end.
type T struct {
	name    string
	mutex   sync.Mutex
	closers []func()
}

func (t *T) fail(format string, values ...interface{}) {
	panic(failure(fmt.Sprintf(format, values...)))
}

func (t *T) must(err error, what string) {
	if err != nil {
		t.fail("%s: %v", what, err)
	}
}

func (t *T) equal(actual, expected interface{}, what string) {
	if !reflect.DeepEqual(actual, expected) {
		t.fail("%s: got %v, expected %v", what, actual, expected)
	}
}

func (t *T) onClose(closer func()) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.closers = append(t.closers, closer)
}

func (t *T) close() {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	for i := len(t.closers) - 1; i >= 0; i-- {
		t.closers[i]()
	}
	t.closers = nil
}

// until polls a condition of the server with a deadline.
func (t *T) until(what string, condition func() bool) {
	t.untilWithin(what, seconds, condition)
}

func (t *T) untilWithin(what string, limit int, condition func() bool) {
	deadline := time.Now().Add(time.Duration(limit) * time.Second)
	for !condition() {
		if time.Now().After(deadline) {
			t.fail("not within %d s: %s", limit, what)
		}
		time.Sleep(25 * time.Millisecond)
	}
}

// ask makes the driver restart the broker; it returns when the broker is ready again.
func (t *T) ask(command string) {
	t.must(askDriver(command), "driver")
}

func askDriver(command string) error {
	connection, err := net.Dial("tcp", control)
	if err != nil {
		return err
	}
	defer connection.Close()
	if _, err = fmt.Fprintln(connection, command); err != nil {
		return err
	}
	answer, err := bufio.NewReader(connection).ReadString('\n')
	if err == nil && answer != "ok\n" {
		err = fmt.Errorf("the driver's answer to %q: %s", command, answer)
	}
	return err
}

func unique(prefix string) string {
	return fmt.Sprintf("%s_%d_%d", prefix, os.Getpid(), atomic.AddInt64(&counter, 1))
}

func servers() primitive.NsResolver {
	return primitive.NewPassthroughResolver([]string{namesrv})
}

func bounded() context.Context {
	// The test itself is bounded; this only keeps a single call from hanging.
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	time.AfterFunc(16*time.Second, cancel)
	return ctx
}

func queue(topic string, id int) *primitive.MessageQueue {
	return &primitive.MessageQueue{Topic: topic, BrokerName: brokerName, QueueId: id}
}

// topic creates a topic and waits for its route.
func (t *T) topic(queues int) string {
	name := unique("gotopic")
	t.createTopic(name, queues)
	return name
}

func (t *T) createTopic(name string, queues int) {
	client, err := admin.NewAdmin(admin.WithResolver(servers()))
	t.must(err, "admin client")
	t.onClose(func() { _ = client.Close() })
	t.must(client.CreateTopic(bounded(), admin.WithTopicCreate(name),
		admin.WithBrokerAddrCreate(broker), admin.WithReadQueueNums(queues),
		admin.WithWriteQueueNums(queues)), "create topic")
	t.awaitRoute(name)
}

// awaitRoute waits until the NameServer lists the topic.
func (t *T) awaitRoute(name string) {
	client, err := admin.NewAdmin(admin.WithResolver(servers()))
	t.must(err, "admin client")
	t.onClose(func() { _ = client.Close() })
	t.until("route of "+name, func() bool {
		found, err := client.FetchPublishMessageQueues(bounded(), name)
		return err == nil && len(found) > 0
	})
}

func (t *T) producer(options ...producer.Option) rocketmq.Producer {
	all := append([]producer.Option{
		producer.WithNsResolver(servers()), producer.WithGroupName(unique("goproducer")),
		producer.WithInstanceName(unique("goinstance")), producer.WithRetry(0),
		producer.WithSendMsgTimeout(10 * time.Second),
		producer.WithQueueSelector(producer.NewManualQueueSelector())}, options...)
	p, err := rocketmq.NewProducer(all...)
	t.must(err, "new producer")
	t.must(p.Start(), "start producer")
	t.onClose(func() { _ = p.Shutdown() })
	return p
}

func message(topic string, id int, body string) *primitive.Message {
	m := primitive.NewMessage(topic, []byte(body))
	m.Queue = queue(topic, id)
	return m
}

func (t *T) send(p rocketmq.Producer, messages ...*primitive.Message) *primitive.SendResult {
	result, err := p.SendSync(bounded(), messages...)
	t.must(err, "send")
	t.equal(result.Status, primitive.SendOK, "send status")
	return result
}

// sendMany sends count messages over the queues in turn and returns their bodies, sorted.
func (t *T) sendMany(p rocketmq.Producer, topic string, queues, count int, prefix string) []string {
	var bodies []string
	for i := 0; i < count; i++ {
		body := fmt.Sprintf("%s-%04d", prefix, i)
		t.send(p, message(topic, i%queues, body))
		bodies = append(bodies, body)
	}
	return bodies
}

// Inbox collects what a consumer receives.
type Inbox struct {
	mutex    sync.Mutex
	messages []*primitive.MessageExt
}

func (b *Inbox) add(messages ...*primitive.MessageExt) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.messages = append(b.messages, messages...)
}

func (b *Inbox) all() []*primitive.MessageExt {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return append([]*primitive.MessageExt(nil), b.messages...)
}

func (b *Inbox) bodies() []string {
	var bodies []string
	for _, m := range b.all() {
		bodies = append(bodies, string(m.Body))
	}
	return bodies
}

func (b *Inbox) distinct() []string {
	seen := map[string]bool{}
	for _, body := range b.bodies() {
		seen[body] = true
	}
	var bodies []string
	for body := range seen {
		bodies = append(bodies, body)
	}
	sort.Strings(bodies)
	return bodies
}

func (t *T) awaitCount(b *Inbox, count int) []*primitive.MessageExt {
	t.until(fmt.Sprintf("%d messages", count), func() bool { return len(b.all()) >= count })
	return b.all()
}

func (t *T) awaitBodies(b *Inbox, bodies []string) {
	t.until(fmt.Sprintf("%d bodies", len(bodies)), func() bool {
		seen := map[string]bool{}
		for _, body := range b.bodies() {
			seen[body] = true
		}
		for _, body := range bodies {
			if !seen[body] {
				return false
			}
		}
		return true
	})
}

type handler func(context.Context, ...*primitive.MessageExt) (consumer.ConsumeResult, error)

func (b *Inbox) accept(_ context.Context, messages ...*primitive.MessageExt) (
	consumer.ConsumeResult, error) {
	b.add(messages...)
	return consumer.ConsumeSuccess, nil
}

// push starts a push consumer that begins at the first offset.
func (t *T) push(group, topic, expression string, handle handler,
	options ...consumer.Option) rocketmq.PushConsumer {
	all := append([]consumer.Option{
		consumer.WithNsResolver(servers()), consumer.WithGroupName(group),
		consumer.WithInstance(unique("goinstance")),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset)}, options...)
	c, err := rocketmq.NewPushConsumer(all...)
	t.must(err, "new consumer")
	selector := consumer.MessageSelector{Type: consumer.TAG, Expression: expression}
	t.must(c.Subscribe(topic, selector, handle), "subscribe")
	t.must(c.Start(), "start consumer")
	t.onClose(func() { _ = c.Shutdown() })
	return c
}

// pull starts a pull consumer.
func (t *T) pull(group, topic, expression string) rocketmq.PullConsumer {
	c, err := rocketmq.NewPullConsumer(
		consumer.WithNsResolver(servers()), consumer.WithGroupName(group),
		consumer.WithInstance(unique("goinstance")),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset))
	t.must(err, "new pull consumer")
	selector := consumer.MessageSelector{Type: consumer.TAG, Expression: expression}
	t.must(c.Subscribe(topic, selector), "subscribe")
	t.must(c.Start(), "start pull consumer")
	t.onClose(func() { _ = c.Shutdown() })
	return c
}

// readQueue reads a queue from its start until count messages are there.
func (t *T) readQueue(topic string, id, count int) []*primitive.MessageExt {
	c := t.pull(unique("goread"), topic, "*")
	var found []*primitive.MessageExt
	next := int64(0)
	t.until(fmt.Sprintf("%d messages in %s", count, topic), func() bool {
		result, err := c.PullFrom(bounded(), queue(topic, id), next, 32)
		if err != nil {
			return false
		}
		if result.Status == primitive.PullFound {
			found = append(found, result.GetMessageExts()...)
		}
		next = result.NextBeginOffset
		return len(found) >= count
	})
	return found
}

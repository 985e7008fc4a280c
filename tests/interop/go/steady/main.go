// SPDX-License-Identifier: Apache-2.0

// A producer and a push consumer with their default settings that go on through every fault:
// NameServer, topic. Prints ACK queue offset body, GOT body, REFUSED reason; ends when its standard
// input does.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/apache/rocketmq-client-go/v2/rlog"
)

var output sync.Mutex

func say(format string, values ...interface{}) {
	output.Lock()
	defer output.Unlock()
	fmt.Println(strings.ReplaceAll(fmt.Sprintf(format, values...), "\n", " "))
}

func must(err error, what string) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}

// The client takes addresses only, as a list or from a resolver; a name has to be looked up before.
func resolved(namesrv string) []string {
	host, port, err := net.SplitHostPort(namesrv)
	must(err, namesrv)
	addresses, err := net.LookupHost(host)
	must(err, namesrv)
	for i := range addresses {
		addresses[i] = net.JoinHostPort(addresses[i], port)
	}
	return addresses
}

func consume(servers primitive.NsResolver, topic string) rocketmq.PushConsumer {
	c, err := rocketmq.NewPushConsumer(consumer.WithNsResolver(servers),
		consumer.WithGroupName("steady_go_consumer"),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset))
	must(err, "consumer")
	must(c.Subscribe(topic, consumer.MessageSelector{}, func(_ context.Context,
		messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		for _, m := range messages {
			say("GOT %s", m.Body)
		}
		return consumer.ConsumeSuccess, nil
	}), "subscription")
	must(c.Start(), "start of the consumer")
	return c
}

func send(p rocketmq.Producer, topic string, ending *atomic.Bool) {
	for i := 0; !ending.Load(); i++ {
		body := fmt.Sprint("go-", i)
		result, err := p.SendSync(context.Background(), primitive.NewMessage(topic, []byte(body)))
		switch {
		case err != nil:
			say("REFUSED %v", err)
		case result.Status != primitive.SendOK:
			say("REFUSED status %v", result.Status)
		default:
			say("ACK %d %d %s", result.MessageQueue.QueueId, result.QueueOffset, body)
		}
	}
}

func main() {
	rlog.SetLogLevel("error")
	servers := primitive.NewPassthroughResolver(resolved(os.Args[1]))
	c := consume(servers, os.Args[2])
	p, err := rocketmq.NewProducer(producer.WithNsResolver(servers),
		producer.WithGroupName("steady_go_producer"))
	must(err, "producer")
	must(p.Start(), "start of the producer")
	var ending atomic.Bool
	done := make(chan struct{})
	go func() {
		send(p, os.Args[2], &ending)
		close(done)
	}()
	_, _ = io.Copy(io.Discard, os.Stdin)
	ending.Store(true)
	<-done
	_ = p.Shutdown()
	_ = c.Shutdown()
}

// SPDX-License-Identifier: Apache-2.0

// The tests of the Go client. Prints one result line a test for the driver.
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/apache/rocketmq-client-go/v2/rlog"
)

const parallel = 8

// testCase is a test. Slow ones are left out by --fast, exclusive ones run alone after the others.
type testCase struct {
	name      string
	slow      bool
	body      func(t *T)
	exclusive bool
}

// result lines go to the original standard output; whatever the client prints goes to the log.
var (
	out      = os.Stdout
	printing sync.Mutex
)

func report(status, name string, took time.Duration, reason, detail string) {
	printing.Lock()
	defer printing.Unlock()
	for _, line := range strings.Split(strings.TrimSpace(detail), "\n") {
		if line != "" {
			fmt.Fprintf(out, "@@ DETAIL\t%s\t%s\n", name, strings.ReplaceAll(line, "\t", "  "))
		}
	}
	reason = strings.NewReplacer("\n", " ", "\t", " ").Replace(reason)
	fmt.Fprintf(out, "@@ %s\t%s\t%.2f\t%s\n", status, name, took.Seconds(), reason)
}

func runOne(test testCase) (ok bool) {
	began := time.Now()
	t := &T{name: test.name}
	done := make(chan string, 1)
	go func() {
		defer func() {
			if problem := recover(); problem != nil {
				if failure, isFailure := problem.(failure); isFailure {
					done <- string(failure) + "\n" + string(debug.Stack())
				} else {
					done <- fmt.Sprintf("panic: %v\n%s", problem, debug.Stack())
				}
				return
			}
			done <- ""
		}()
		test.body(t)
	}()
	problem := "did not end within 120 s"
	select {
	case problem = <-done:
	case <-time.After(120 * time.Second):
	}
	t.close()
	took := time.Since(began)
	if problem == "" {
		report("PASS", test.name, took, "", "")
		return true
	}
	report("FAIL", test.name, took, strings.SplitN(problem, "\n", 2)[0], problem)
	return false
}

func main() {
	name := flag.String("name", "go", "")
	flag.String("target", "", "")
	flag.Int("members", 1, "")
	flag.StringVar(&control, "control", "", "")
	flag.StringVar(&namesrv, "namesrv", "", "")
	flag.StringVar(&broker, "broker", "", "")
	only := flag.String("only", "", "")
	fast := flag.Bool("fast", false, "")
	killLeader := flag.Bool("kill-leader", false, "")
	flag.Parse()
	os.Stdout = os.Stderr
	rlog.SetLogLevel("warn")
	pattern, err := regexp.Compile(*only)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}

	var together, alone []testCase
	for _, test := range tests {
		if !pattern.MatchString(*name + "/" + test.name) {
			continue
		}
		if test.slow && *fast {
			report("SKIP", test.name, 0, "left out by --fast", "")
			continue
		}
		if test.exclusive {
			alone = append(alone, test)
		} else {
			together = append(together, test)
		}
	}
	var failed sync.Map
	if *killLeader {
		first, second := halvesOfGroups(together)
		runTogether(first, &failed)
		if err := askDriver("kill-leader"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		runTogether(second, &failed)
	} else {
		runTogether(together, &failed)
	}
	for _, test := range alone {
		if !runOne(test) {
			failed.Store(test.name, true)
		}
	}
	status := 0
	failed.Range(func(key, value interface{}) bool {
		status = 1
		return false
	})
	os.Exit(status)
}

// halvesOfGroups: a group is what has the same name up to the first dot.
func halvesOfGroups(tests []testCase) (first, second []testCase) {
	size, seen := map[string]int{}, map[string]int{}
	group := func(test testCase) string { return strings.SplitN(test.name, ".", 2)[0] }
	for _, test := range tests {
		size[group(test)]++
	}
	for _, test := range tests {
		g := group(test)
		if seen[g] < (size[g]+1)/2 {
			first = append(first, test)
		} else {
			second = append(second, test)
		}
		seen[g]++
	}
	return first, second
}

func runTogether(tests []testCase, failed *sync.Map) {
	work := make(chan testCase)
	var workers sync.WaitGroup
	for i := 0; i < parallel; i++ {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for test := range work {
				if !runOne(test) {
					failed.Store(test.name, true)
				}
			}
		}()
	}
	for _, test := range tests {
		work <- test
	}
	close(work)
	workers.Wait()
}

// SPDX-License-Identifier: Apache-2.0
package gantry.interop;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;

/** A consumer in its own JVM, so that a test can kill it. */
final class ConsumerProcess implements AutoCloseable {
    private final Process process;
    private final List<String> lines = new ArrayList<>();

    ConsumerProcess(Case c, String group, String topic) throws Exception {
        process = new ProcessBuilder(
            ProcessHandle.current().info().command().orElse("java"), "-Xmx64m",
            "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            "-Duser.home=" + System.getProperty("user.home"), "-cp",
            System.getProperty("java.class.path"), ConsumerProcess.class.getName(),
            c.env.namesrv, group, topic, c.env.unique("child"))
            .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        Thread reader = new Thread(this::read);
        reader.setDaemon(true);
        reader.start();
    }

    private void read() {
        try (BufferedReader reader = new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            String line;
            while ((line = reader.readLine()) != null) {
                synchronized (lines) {
                    lines.add(line);
                }
            }
        } catch (java.io.IOException e) {
            synchronized (lines) {
                lines.add("ENDED " + e);
            }
        }
    }

    List<String> lines() {
        synchronized (lines) {
            return new ArrayList<>(lines);
        }
    }

    void awaitLine(String line) throws Exception {
        Await.until("line " + line + " of the other process", 120, () -> lines().contains(line));
    }

    void awaitLines(String prefix, int count) throws Exception {
        Await.until(count + " lines " + prefix + " of the other process", 120,
            () -> lines().stream().filter(l -> l.startsWith(prefix)).count() >= count);
    }

    void kill() throws Exception {
        process.destroyForcibly();
        Check.that(process.waitFor(10, TimeUnit.SECONDS), "the process ended");
    }

    @Override
    public void close() throws Exception {
        process.destroyForcibly().waitFor();
    }

    /** The other process: NameServer, group, topic, instance name. */
    public static void main(String[] arguments) throws Exception {
        PrintStream out = System.out;
        System.setOut(System.err);
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(arguments[1]);
        consumer.setNamesrvAddr(arguments[0]);
        consumer.setInstanceName(arguments[3]);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.setConsumeThreadMin(2);
        consumer.setConsumeThreadMax(2);
        consumer.subscribe(arguments[2], "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            messages.forEach(m -> out.println("GOT " + Inbox.text(m)));
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
        out.println("STARTED");
        int last = -1;
        while (true) {
            int now = Case.allocated(consumer, arguments[2]).size();
            if (now != last) {
                out.println("QUEUES " + now);
                last = now;
            }
            Thread.sleep(100);
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package gantry.interop;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.MixAll;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;

/** What all tests of the program share: addresses, one producer and one admin client. */
public final class Env {
    public final Map<String, String> options;
    public final String namesrv;
    /** How many brokers a set has: its followers are in the routes, too. */
    public final int members;
    public final DefaultMQProducer producer;
    public final DefaultMQAdminExt admin;
    final PrintStream out;
    private final AtomicInteger counter = new AtomicInteger();
    private final long pid = ProcessHandle.current().pid();

    public Env(String[] arguments, PrintStream out) throws Exception {
        this.out = out;
        options = parse(arguments);
        namesrv = options.get("namesrv");
        members = Integer.parseInt(options.getOrDefault("members", "1"));
        producer = new DefaultMQProducer(unique("producer"));
        producer.setNamesrvAddr(namesrv);
        producer.setInstanceName(unique("producer"));
        producer.setSendMsgTimeout(10_000);
        producer.setRetryTimesWhenSendFailed(0);
        producer.setRetryTimesWhenSendAsyncFailed(0);
        producer.start();
        admin = new DefaultMQAdminExt(10_000);
        admin.setNamesrvAddr(namesrv);
        admin.setInstanceName(unique("admin"));
        admin.start();
    }

    public void close() {
        producer.shutdown();
        admin.shutdown();
    }

    /** The master's address, as the NameServer has it: another one after a change of leader. */
    public String broker() throws Exception {
        return Await.value("the master in the route", Await.SECONDS, () -> admin
            .examineBrokerClusterInfo().getBrokerAddrTable().get("broker-a").getBrokerAddrs()
            .get(MixAll.MASTER_ID));
    }

    /** Waits until these are the addresses of all brokers, the master's among them. */
    public void awaitAddresses(String what, Callable<Map<Long, String>> addresses)
        throws Exception {
        Await.until(what, () -> {
            Map<Long, String> found = addresses.call();
            return found.size() == members && broker().equals(found.get(MixAll.MASTER_ID));
        });
    }

    public boolean fast() {
        return options.containsKey("fast");
    }

    public String unique(String prefix) {
        return prefix + "_" + pid + "_" + counter.incrementAndGet();
    }

    /** Asks the driver, for example "restart kill"; returns when the broker is ready again. */
    public void control(String command) throws Exception {
        String address = options.get("control");
        int colon = address.lastIndexOf(':');
        try (Socket socket = new Socket(address.substring(0, colon),
            Integer.parseInt(address.substring(colon + 1)))) {
            socket.getOutputStream().write((command + "\n").getBytes(StandardCharsets.UTF_8));
            BufferedReader reader = new BufferedReader(
                new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
            Check.equal(reader.readLine(), "ok", "driver's answer to '" + command + "'");
        }
    }

    private static Map<String, String> parse(String[] arguments) {
        Map<String, String> options = new HashMap<>();
        for (int i = 0; i < arguments.length; i++) {
            String name = arguments[i].substring(2);
            boolean flag = i + 1 == arguments.length || arguments[i + 1].startsWith("--");
            options.put(name, flag ? "true" : arguments[++i]);
        }
        return options;
    }
}

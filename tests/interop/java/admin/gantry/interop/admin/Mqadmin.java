// SPDX-License-Identifier: Apache-2.0
package gantry.interop.admin;

import gantry.interop.Await;
import gantry.interop.Check;
import gantry.interop.Env;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.apache.rocketmq.tools.command.MQAdminStartup;

/** Runs mqadmin commands inside this JVM and reads what they print. Not for several threads. */
final class Mqadmin {
    private final Env env;

    Mqadmin(Env env) {
        this.env = env;
    }

    /** The output of `mqadmin command -n NAMESRV arguments`, standard output and error together. */
    String run(String command, String... arguments) {
        List<String> all = new ArrayList<>(List.of(command));
        all.addAll(Arrays.asList(arguments));
        all.addAll(List.of("-n", env.namesrv));
        PrintStream out = System.out;
        PrintStream err = System.err;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        PrintStream capture = new PrintStream(bytes, true, StandardCharsets.UTF_8);
        System.setOut(capture);
        System.setErr(capture);
        long began = System.nanoTime();
        try {
            MQAdminStartup.main0(all.toArray(new String[0]), null);
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
        String text = bytes.toString(StandardCharsets.UTF_8);
        System.err.println("mqadmin " + String.join(" ", all) + " took "
            + (System.nanoTime() - began) / 1_000_000 + " ms\n" + text);
        return text;
    }

    /** Runs the command until its output is as wished; the commands see the server some time later. */
    String until(Predicate<String> wished, String command, String... arguments) throws Exception {
        String[] last = {""};
        return Await.value("output of " + command, 30, () -> {
            last[0] = run(command, arguments);
            return wished.test(last[0]) ? last[0] : null;
        });
    }

    /** Runs a command whose output has to contain all of these texts. */
    String expect(List<String> texts, String command, String... arguments) {
        String output = run(command, arguments);
        for (String text : texts) {
            Check.that(output.contains(text),
                command + " prints '" + text + "', but printed: " + output);
        }
        Check.that(!output.contains("Exception"), command + " failed: " + output);
        return output;
    }

    /** Rows of a table: each line split at white space. Lines of `#` are the header. */
    static List<List<String>> rows(String output) {
        List<List<String>> rows = new ArrayList<>();
        for (String line : output.split("\n")) {
            if (!line.isBlank() && !line.startsWith("#") && !line.startsWith("RocketMQLog")) {
                rows.add(Arrays.asList(line.trim().split("\\s+")));
            }
        }
        return rows;
    }

    /** Columns of the header line, which starts with `#`. */
    static List<String> header(String output) {
        for (String line : output.split("\n")) {
            if (line.startsWith("#")) {
                return Arrays.asList(line.substring(1).trim().split("\\s+#"));
            }
        }
        throw new AssertionError("no header in " + output);
    }

    /** `key: value` and `key = value` lines. */
    static Map<String, String> pairs(String output) {
        Map<String, String> pairs = new LinkedHashMap<>();
        for (String line : output.split("\n")) {
            String[] parts = line.split("\\s*[:=]\\s*", 2);
            if (parts.length == 2) {
                pairs.put(parts[0].trim(), parts[1].trim());
            }
        }
        return pairs;
    }
}

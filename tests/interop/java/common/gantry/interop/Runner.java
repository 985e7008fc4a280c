// SPDX-License-Identifier: Apache-2.0
package gantry.interop;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;

/** Runs the tests of a registry: independent ones side by side, exclusive ones alone after them. */
public final class Runner {
    private static final int PARALLEL = 8;

    private final Env env;
    private final ExecutorService threads = Executors.newCachedThreadPool(r -> {
        Thread thread = new Thread(r);
        thread.setDaemon(true);
        return thread;
    });
    private int failures;

    public Runner(Env env) {
        this.env = env;
    }

    /** Returns the number of failed tests. */
    public int run(Registry registry) throws Exception {
        Pattern only = Pattern.compile(env.options.getOrDefault("only", ""));
        List<Registry.Test> together = new ArrayList<>();
        List<Registry.Test> alone = new ArrayList<>();
        for (Registry.Test test : registry.tests) {
            if (!only.matcher(env.options.get("name") + "/" + test.name).find()) {
                continue;
            }
            if (test.slow && env.options.containsKey("fast")) {
                report("SKIP", test, 0, "left out by --fast", null);
            } else {
                (test.exclusive ? alone : together).add(test);
            }
        }
        if (env.options.containsKey("kill-leader")) {
            List<Registry.Test> second = secondHalfOfEachGroup(together);
            together.removeAll(second);
            runTogether(together);
            env.control("kill-leader");
            runTogether(second);
        } else {
            runTogether(together);
        }
        for (Registry.Test test : alone) {
            runOne(test);
        }
        return failures;
    }

    /** A group is what has the same name up to the first dot. */
    private static List<Registry.Test> secondHalfOfEachGroup(List<Registry.Test> tests) {
        Map<String, List<Registry.Test>> groups = new LinkedHashMap<>();
        for (Registry.Test test : tests) {
            groups.computeIfAbsent(test.name.split("\\.")[0], k -> new ArrayList<>()).add(test);
        }
        List<Registry.Test> half = new ArrayList<>();
        for (List<Registry.Test> group : groups.values()) {
            half.addAll(group.subList((group.size() + 1) / 2, group.size()));
        }
        return half;
    }

    private void runTogether(List<Registry.Test> tests) throws Exception {
        List<Registry.Test> sorted = new ArrayList<>(tests);
        // The longest first, so that they do not start when all others are done.
        sorted.sort((a, b) -> Boolean.compare(b.slow, a.slow));
        ExecutorService pool = Executors.newFixedThreadPool(PARALLEL);
        List<Future<?>> running = new ArrayList<>();
        for (Registry.Test test : sorted) {
            running.add(pool.submit(() -> runOne(test)));
        }
        for (Future<?> future : running) {
            future.get();
        }
        pool.shutdown();
    }

    private void runOne(Registry.Test test) {
        long began = System.nanoTime();
        Throwable problem = null;
        try (Case c = new Case(env, test.name)) {
            Future<?> work = threads.submit(() -> {
                test.body.run(c);
                return null;
            });
            try {
                work.get(test.seconds, TimeUnit.SECONDS);
            } catch (ExecutionException e) {
                problem = e.getCause();
            } catch (TimeoutException e) {
                work.cancel(true);
                problem = new AssertionError("did not end within " + test.seconds + " s");
            }
        } catch (Exception e) {
            problem = e;
        }
        double seconds = (System.nanoTime() - began) / 1e9;
        if (problem == null) {
            report("PASS", test, seconds, "", null);
        } else {
            report("FAIL", test, seconds, problem.toString(), problem);
        }
    }

    private synchronized void report(String status, Registry.Test test, double seconds,
        String reason, Throwable problem) {
        if (problem != null) {
            failures++;
            StringWriter text = new StringWriter();
            problem.printStackTrace(new PrintWriter(text, true));
            for (String line : text.toString().split("\n")) {
                env.out.println("@@ DETAIL\t" + test.name + "\t" + line.replace('\t', ' '));
            }
        }
        env.out.println(String.format(Locale.ROOT, "@@ %s\t%s\t%.2f\t%s", status, test.name,
            seconds, reason.replace('\n', ' ').replace('\t', ' ')));
        env.out.flush();
    }
}

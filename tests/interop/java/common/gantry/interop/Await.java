// SPDX-License-Identifier: Apache-2.0
package gantry.interop;

import java.util.concurrent.Callable;

/** Waiting for a condition of the server with a deadline. */
public final class Await {
    public static final int SECONDS = 60;
    private static final long STEP_MS = 25;

    private Await() {}

    public static void until(String what, Callable<Boolean> condition) throws Exception {
        until(what, SECONDS, condition);
    }

    public static void until(String what, int seconds, Callable<Boolean> condition)
        throws Exception {
        value(what, seconds, () -> condition.call() ? Boolean.TRUE : null);
    }

    /** Polls until the call gives a value; exceptions count as "not yet". */
    public static <T> T value(String what, int seconds, Callable<T> call) throws Exception {
        long deadline = System.nanoTime() + seconds * 1_000_000_000L;
        Exception last = null;
        while (true) {
            try {
                T value = call.call();
                if (value != null) {
                    return value;
                }
            } catch (InterruptedException e) {
                throw e;
            } catch (Exception e) {
                last = e;
            }
            if (System.nanoTime() > deadline) {
                throw new AssertionError("not within " + seconds + " s: " + what, last);
            }
            Thread.sleep(STEP_MS);
        }
    }
}

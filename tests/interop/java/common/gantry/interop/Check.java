// SPDX-License-Identifier: Apache-2.0
package gantry.interop;

import java.util.Objects;

/** Assertions whose messages say what was compared. */
public final class Check {
    public interface Action {
        void run() throws Exception;
    }

    private Check() {}

    public static void equal(Object actual, Object expected, String what) {
        if (!Objects.equals(actual, expected)) {
            throw new AssertionError(what + ": got " + actual + ", expected " + expected);
        }
    }

    public static void that(boolean condition, String what) {
        if (!condition) {
            throw new AssertionError(what);
        }
    }

    /** Runs the action, which has to fail with the given type; returns what it threw. */
    public static <E extends Exception> E fails(Class<E> type, String what, Action action)
        throws Exception {
        try {
            action.run();
        } catch (Exception e) {
            if (type.isInstance(e)) {
                return type.cast(e);
            }
            throw new AssertionError(what + ": failed with another type", e);
        }
        throw new AssertionError(what + ": did not fail");
    }
}

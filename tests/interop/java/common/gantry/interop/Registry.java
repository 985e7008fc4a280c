// SPDX-License-Identifier: Apache-2.0
package gantry.interop;

import java.util.ArrayList;
import java.util.List;

/** All tests of one client program. */
public final class Registry {
    public interface Body {
        void run(Case c) throws Exception;
    }

    /** A test; exclusive ones run alone, slow ones are left out by --fast. */
    public static final class Test {
        final String name;
        final Body body;
        boolean exclusive;
        boolean slow;
        int seconds = 180;

        Test(String name, Body body) {
            this.name = name;
            this.body = body;
        }

        public Test exclusive() {
            exclusive = true;
            return this;
        }

        public Test slow() {
            slow = true;
            return this;
        }

        public Test seconds(int limit) {
            seconds = limit;
            return this;
        }
    }

    final List<Test> tests = new ArrayList<>();

    public Test add(String name, Body body) {
        Test test = new Test(name, body);
        tests.add(test);
        return test;
    }
}

// SPDX-License-Identifier: Apache-2.0
package gantry.interop;

import java.io.PrintStream;

/** The tests of the Java client, both releases. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws Exception {
        PrintStream out = System.out;
        System.setOut(System.err); // whatever the client prints goes to the log
        Env env = new Env(arguments, out);
        Registry registry = new Registry();
        SendTests.register(registry);
        PushTests.register(registry);
        OrderlyTests.register(registry);
        TagTests.register(registry);
        GroupTests.register(registry);
        RetryTests.register(registry);
        PullTests.register(registry);
        LitePullTests.register(registry);
        QueryTests.register(registry);
        DelayTests.register(registry);
        TransactionTests.register(registry);
        RequestTests.register(registry);
        RestartTests.register(registry);
        Compat.register(registry);
        int failures = new Runner(env).run(registry);
        env.close();
        System.exit(failures == 0 ? 0 : 1);
    }
}

// SPDX-License-Identifier: Apache-2.0
package gantry.interop.admin;

import gantry.interop.Env;
import gantry.interop.Registry;
import gantry.interop.Runner;
import java.io.PrintStream;

/** The tests of the Java admin client and of mqadmin. */
public final class AdminMain {
    private AdminMain() {}

    public static void main(String[] arguments) throws Exception {
        PrintStream out = System.out;
        System.setOut(System.err); // whatever the client prints goes to the log
        Env env = new Env(arguments, out);
        Registry registry = new Registry();
        AdminApiTests.register(registry);
        ConsumerAdminTests.register(registry);
        MqadminTests.register(registry);
        MqadminConsumerTests.register(registry);
        int failures = new Runner(env).run(registry);
        env.close();
        System.exit(failures == 0 ? 0 : 1);
    }
}

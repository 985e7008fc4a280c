# SPDX-License-Identifier: Apache-2.0
"""The driver: starts the target, runs the client programs against it, sums up."""

import argparse
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from driver import install
from driver.control import Control
from driver.suites import CLIENTS, Client, Results
from driver.target import TARGETS, TargetError


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="run", description="Runs the official RocketMQ clients against a server.")
    parser.add_argument("--target", choices=sorted(TARGETS), required=True)
    parser.add_argument("--only", metavar="PATTERN",
                        help="run tests whose client/name matches this regular expression")
    parser.add_argument("--client", choices=CLIENTS, action="append",
                        help="run only this client program (may be repeated)")
    parser.add_argument("--fast", action="store_true", help="leave out the slower tests")
    parser.add_argument("--separate", action="store_true",
                        help="Gantry as gantry-namesrv and gantry-broker, not as `gantry up`")
    parser.add_argument("--keep", action="store_true", help="keep the working directory")
    return parser.parse_args(arguments)


def interrupted(signum, frame):
    raise KeyboardInterrupt


def run_clients(target, options, results):
    control = Control(target)
    try:
        for name in options.client or CLIENTS:
            began = time.monotonic()
            # These ask one broker for what only the master says, or remembers of its clients.
            with target.moves_leadership(name not in ("wire", "admin")):
                client = Client(name, target, control, options)
                try:
                    client.run(results)
                finally:
                    client.kill()
            print(f"# {name}: {time.monotonic() - began:.0f} s", flush=True)
            if target.died():
                results.add(f"{name}/(server)", "FAIL", 0, "the server died")
                return
    finally:
        control.close()


def main(arguments):
    options = parse(arguments)
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGHUP, interrupted)
    work = Path(tempfile.mkdtemp(prefix="gantry-interop-"))
    results = Results(options.target.removesuffix("-set"),
                      TARGETS[options.target].not_said_there)
    target = TARGETS[options.target](work, options.separate)
    began = time.monotonic()
    tail = ""
    try:
        target.start()
        print(f"# {options.target} is up after {time.monotonic() - began:.1f} s: "
              f"NameServer {target.namesrv}, broker {target.broker}", flush=True)
        run_clients(target, options, results)
        tail = target.log_tail(60)
        if not target.died():
            began_stop = time.monotonic()
            clean = target.stop()
            results.add("target/stops-on-sigterm", "PASS" if clean else "FAIL",
                        time.monotonic() - began_stop)
    except (TargetError, install.InstallError) as error:
        results.add("target/(start)", "FAIL", time.monotonic() - began, "cannot run",
                    str(error).splitlines())
    except KeyboardInterrupt:
        results.add("driver/(interrupted)", "FAIL", time.monotonic() - began, "interrupted")
    finally:
        target.kill()
    if results.failed:
        print(tail or target.log_tail(60))
        for failed in results.failed:
            print(f"# failed: {failed}")
    if options.keep:
        print(f"# kept {work}")
    else:
        shutil.rmtree(work, ignore_errors=True)
    print(f"# {time.monotonic() - began:.0f} s")
    print(results.summary())
    return 1 if results.failed or not results.counts["PASS"] else 0

# SPDX-License-Identifier: Apache-2.0
"""Commands of the host: kubectl, helm, docker."""
import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
CACHE = Path(os.environ.get("KUBE_CACHE", "/var/cache/kube-local"))
STARTED = time.monotonic()


class CommandFailed(Exception):
    """The command, its exit status and what it said."""


def environment():
    return {**os.environ, "PATH": f"{CACHE / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def say(text):
    print(f"  {time.monotonic() - STARTED:7.1f} s  {text}", flush=True)


def run(*command, text_in=None, timeout=600, check=True):
    """stdout; what the command says on stderr is shown only when it fails."""
    done = subprocess.run([str(part) for part in command], input=text_in, text=True, capture_output=True, timeout=timeout,
                          env=environment(), cwd=ROOT, check=False)
    if check and done.returncode != 0:
        raise CommandFailed(f"{' '.join(map(str, command))}: exit {done.returncode}: {(done.stderr or done.stdout).strip()}")
    return done.stdout if check else done


def show(*command, timeout=3600):
    """A long command, whose output is shown as it comes."""
    done = subprocess.run([str(part) for part in command], stdout=sys.stderr, timeout=timeout, env=environment(), cwd=ROOT,
                          check=False)
    if done.returncode != 0:
        raise CommandFailed(f"{' '.join(map(str, command))}: exit {done.returncode}")


def kubectl(*arguments, **options):
    return run("kubectl", *arguments, **options)


def kubectl_json(*arguments, **options):
    return json.loads(kubectl(*arguments, "-o", "json", **options))

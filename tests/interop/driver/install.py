# SPDX-License-Identifier: Apache-2.0
"""Fetches and builds what the suite needs: JDK, Maven, Go, jars, Java classes, the Go program."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("GANTRY_CACHE", "/var/tmp/gantry-interop"))


class InstallError(Exception):
    pass


def _run(command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          **options)
    if done.returncode != 0:
        raise InstallError(f"{' '.join(map(str, command[:6]))} failed:\n{done.stdout[-4000:]}")
    return done.stdout


def need_tool(program, *packages):
    """Makes sure that `program` is on PATH; the first package that installs provides it."""
    if shutil.which(program):
        return
    prefix = [] if os.geteuid() == 0 else ["sudo"]
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    print(f"installing {packages[0]} for {program}", file=sys.stderr)
    subprocess.run(prefix + ["apt-get", "-qq", "update"], env=environment, check=False)
    for package in packages:
        command = ["apt-get", "-qq", "-y", "--no-install-recommends", "install", package]
        done = subprocess.run(prefix + command, env=environment, check=False,
                              stdout=subprocess.DEVNULL)
        if done.returncode == 0 and shutil.which(program):
            return
    raise InstallError(f"{program} is not on PATH and none of {packages} could be installed")


def jars(name):
    """The class path entry of poms/<name>.xml, fetched from Maven Central when absent."""
    need_tool("javac", "openjdk-17-jdk-headless", "default-jdk-headless")
    pom = HERE / "poms" / f"{name}.xml"
    target = CACHE / name
    mark = CACHE / f"{name}.fetched"
    digest = hashlib.sha256(pom.read_bytes()).hexdigest()
    if not mark.exists() or mark.read_text() != digest:
        need_tool("mvn", "maven")
        shutil.rmtree(target, ignore_errors=True)
        CACHE.mkdir(parents=True, exist_ok=True)
        print(f"fetching the jars of {pom.name}", file=sys.stderr)
        _run(["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies",
              f"-DoutputDirectory={target}"])
        mark.write_text(digest)
    return f"{target}/*"


def _tree_digest(files, extra):
    digest = hashlib.sha256(extra.encode())
    for path in sorted(files):
        digest.update(str(path).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def java_classes(name, folders):
    """Compiles java/<folder> of each folder against the jars `name`; returns the class path."""
    class_path = jars(name)
    sources = [p for folder in folders for p in (HERE / "java" / folder).rglob("*.java")]
    digest = _tree_digest(sources, name)
    target = CACHE / "classes" / f"{name}-{'-'.join(folders)}"
    mark = target / ".digest"
    if not mark.exists() or mark.read_text() != digest:
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        _run(["javac", "-nowarn", "-Xlint:none", "-encoding", "UTF-8", "--release", "11",
              "-cp", class_path, "-d", str(target)] + [str(p) for p in sources])
        mark.write_text(digest)
    return f"{target}:{class_path}"


def go_program(name=""):
    """The program of go/, or of the folder `name` in it; statically linked."""
    need_tool("go", "golang-go")
    CACHE.mkdir(parents=True, exist_ok=True)
    target = CACHE / f"go-{name or 'interop'}"
    environment = dict(os.environ, GOFLAGS="-mod=readonly -buildvcs=false", GOTOOLCHAIN="local",
                       CGO_ENABLED="0")
    _run(["go", "build", "-o", str(target), f"./{name}"], cwd=HERE / "go", env=environment)
    return str(target)

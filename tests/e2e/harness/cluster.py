# SPDX-License-Identifier: Apache-2.0
"""The cluster that tests run in, with the images of this source tree."""
import contextlib
import os
from pathlib import Path

from harness import client_image
from harness.shell import ROOT, CommandFailed, run, say, show

TOOLS = Path(os.environ.get("GANTRY_CLUSTER_TOOLS", ROOT.parent / "shared" / "cluster"))
LOCAL_CONFIG = Path(os.environ.get("KUBE_RUN", "/var/run/kube-local")) / "kubeconfig"
IMAGES = ("broker", "namesrv", "sidecar", "cli")


@contextlib.contextmanager
def use(keep, build, tag):
    if "KUBECONFIG" in os.environ:
        say(f"cluster of KUBECONFIG: {run('kubectl', 'config', 'current-context').strip()}")
        if build:
            build_images(tag)
        yield
        return
    if not (TOOLS / "up").exists():
        raise CommandFailed(f"no KUBECONFIG and no {TOOLS}/up: set KUBECONFIG, or GANTRY_CLUSTER_TOOLS to a folder with up, "
                            "down, load-image and docker-up")
    was_up = answers()
    show(TOOLS / "build", "tools")
    show(TOOLS / "up")
    os.environ["KUBECONFIG"] = str(LOCAL_CONFIG)
    try:
        give_images(build, tag)
        yield
    finally:
        if not keep and not was_up:
            show(TOOLS / "down")


def answers():
    """Somebody else's cluster, which is left as it is."""
    if not LOCAL_CONFIG.exists():
        return False
    return run("kubectl", "--kubeconfig", LOCAL_CONFIG, "get", "--raw", "/readyz", check=False).returncode == 0


def give_images(build, tag):
    docker = run(TOOLS / "docker-up").strip()  # export DOCKER_HOST=...
    os.environ["DOCKER_HOST"] = docker.partition("=")[2]
    if build:
        build_images(tag)
    for image in [f"gantry/{image}:{tag}" for image in IMAGES] + [f"gantry/{image}:{next_tag(tag)}" for image in IMAGES[:3]]:
        load(image)
    load(f"{client_image.NAME}:{tag}")


def load(image):
    if run("docker", "image", "inspect", image, check=False).returncode != 0:
        raise CommandFailed(f"the Docker daemon has no image {image}: run without --no-build")
    run(TOOLS / "load-image", image)
    say(f"loaded {image}")


def next_tag(tag):
    """What the release is upgraded to: the same images by another name, which makes new pods all the same."""
    return f"{tag}-next"


def build_images(tag):
    show("tools/dev/image.sh", tag)
    for image in IMAGES:
        run("docker", "tag", f"gantry/{image}:{tag}", f"gantry/{image}:{next_tag(tag)}")
    client_image.build(tag)

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ./dev image [TAG]: builds gantry/broker, gantry/namesrv, gantry/sidecar and gantry/cli with the Docker
# daemon at hand, prints their sizes and fails when one is above the limit. Without a daemon it asks
# ../shared/cluster/docker-up (or $GANTRY_CLUSTER_TOOLS/docker-up) to start one.
# ./dev image --reproduce [TAG]: then builds them a second time, from the package list on and with nothing that
# an earlier build has left, and fails unless each has the same layers.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
reproduce=
if [ "${1:-}" = --reproduce ]; then
  reproduce=1
  shift
fi
tag=${1:-dev}
limit_mb=120
cluster_tools=${GANTRY_CLUSTER_TOOLS:-../shared/cluster}
state=build/image

if ! docker info > /dev/null 2>&1; then
  if [ ! -x "$cluster_tools/docker-up" ]; then
    echo "image: no Docker daemon answers (DOCKER_HOST=${DOCKER_HOST:-unset}), and there is no $cluster_tools/docker-up to start one" >&2
    exit 1
  fi
  eval "$("$cluster_tools/docker-up")"
fi

args=(--build-arg "VERSION=$tag" --build-arg "REVISION=$(git rev-parse HEAD)")
[ -z "${GANTRY_IMAGE_JOBS:-}" ] || args+=(--build-arg "JOBS=$GANTRY_IMAGE_JOBS")
[ -z "${APT_MIRROR:-}" ] || args+=(--build-arg "APT_MIRROR=$APT_MIRROR")
for proxy in http_proxy https_proxy no_proxy; do
  [ -z "${!proxy:-}" ] || args+=(--build-arg "$proxy=${!proxy}")
done

# Sources that were built before take the same compiler cache as then, so that Docker's own cache answers;
# new ones take that of the last build.
context_hash() {
  git ls-files -cos --exclude-standard -- Dockerfile .dockerignore CMakeLists.txt CMakePresets.json cmake libs \
    namesrv broker cli sidecar tools/dev/packages.sh tools/image | awk '{print $NF}' | sort |
    while read -r file; do [ ! -f "$file" ] || sha256sum "$file"; done | sha256sum | cut -d' ' -f1
}
mkdir -p "$state"
hash=$(context_hash)
warm=
if [ "$(cat "$state/context" 2> /dev/null)" = "$hash" ]; then
  warm=$(cat "$state/warm")
elif docker image inspect gantry/build > /dev/null 2>&1; then
  warm=$(docker image inspect --format '{{.Id}}' gantry/build)
fi
if [ -n "$warm" ] && docker image inspect "$warm" > /dev/null 2>&1; then
  args+=(--build-arg "WARM=$warm")
else
  warm=
fi

export DOCKER_BUILDKIT=0
docker build "${args[@]}" --target build --tag gantry/build . >&2
echo "$hash" > "$state/context"
echo "$warm" > "$state/warm"

images=(broker namesrv cli)
[ ! -d sidecar ] || images+=(sidecar)
bad=0
for image in "${images[@]}"; do
  docker build -q "${args[@]}" --target "$image" --tag "gantry/$image:$tag" . > /dev/null
  size=$(docker image inspect --format '{{.Size}}' "gantry/$image:$tag")
  printf 'gantry/%-8s %s  %d MB\n' "$image" "$tag" $(((size + 999999) / 1000000))
  if [ "$size" -gt $((limit_mb * 1000000)) ]; then
    echo "image: gantry/$image:$tag has $size bytes, expected at most $limit_mb MB" >&2
    bad=1
  fi
done
[ -n "$reproduce" ] || exit "$bad"

# Without WARM there is no compiler cache. Values that no build had before miss Docker's own: REBUILD for what the
# build runs, REVISION (a label, in no layer) for what the images copy from it.
again=()
for arg in "${args[@]}"; do
  case $arg in WARM=* | REVISION=*) unset 'again[-1]' ;; *) again+=("$arg") ;; esac
done
new=$(cat /proc/sys/kernel/random/uuid)
again+=(--build-arg "REBUILD=$new" --build-arg "REVISION=$new")
layers() { docker image inspect --format '{{range .RootFS.Layers}}{{println .}}{{end}}' "$1"; }
for image in "${images[@]}"; do
  docker build -q "${again[@]}" --target "$image" --tag "gantry/$image:$tag-again" . > /dev/null
  if [ "$(layers "gantry/$image:$tag")" = "$(layers "gantry/$image:$tag-again")" ]; then
    printf 'gantry/%-8s the same layers: %s\n' "$image" "$(layers "gantry/$image:$tag" | cut -c1-19 | xargs)"
  else
    echo "image: two builds of gantry/$image differ: $(layers "gantry/$image:$tag" | xargs)" \
      "and $(layers "gantry/$image:$tag-again" | xargs)" >&2
    bad=1
  fi
  docker image rm "gantry/$image:$tag-again" > /dev/null
done
exit "$bad"

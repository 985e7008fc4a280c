#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Dispatches ./dev COMMAND. Each command is a function or a script beside this file.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cd "$root"
# shellcheck source=tools/dev/common.sh
. "$here/common.sh"

usage() {
  cat <<'EOT'
usage: ./dev COMMAND [ARG...]

  run [ARG...]     build, then run a NameServer and a broker in one process (gantry up ARG...)
  build [PRESET]   build a preset: release (default), dev, tsan, fuzz -> build/PRESET/bin
  test [SUITE...]  run every test that needs no cluster, or only the suites named:
                   unit fuzz integration interop;
                   on request: interop-set
  e2e [ARG...]     images and chart in a Kubernetes cluster: that of KUBECONFIG, else ../shared/cluster
  sim [ARG...]     broker sets in a simulated, failing world: --seeds N [--seed S] [--fresh N] [--logs];
                   --mistakes [--only REGEX]: whether it finds mistakes that are planted
  bench [ARG...]   measure beside Apache RocketMQ and write docs/benchmarks.md
  bench sets [...] the same for broker sets of three, beside DLedger: docs/benchmarks-sets.md
  image [TAG]      container images gantry/broker, namesrv, sidecar, cli (TAG: dev) with Docker;
                   --reproduce [TAG] builds them twice and compares their layers
  lint             formatting, dependency direction, style, static analysis
  fmt              format every source file
EOT
}

case "${1:-help}" in
  run)
    shift
    install_packages
    build release
    data="${GANTRY_DATA:-$root/build/data}"
    exec build/release/bin/gantry up --data "$data" "$@"
    ;;
  build)
    install_packages
    build "${2:-release}"
    ;;
  test) shift; install_packages; exec "$here/test.sh" "$@" ;;
  sim)
    shift
    install_packages
    if [ "${1:-}" = --mistakes ]; then
      shift
      exec tests/sim/mistakes/run "$@"
    fi
    build sim raft_sim
    exec build/sim/bin/raft_sim "$@"
    ;;
  bench)
    shift
    install_packages
    if [ "${1:-}" = sets ]; then
      shift
      build release
      exec tests/bench/sets/run --tools "${GANTRY_BENCH_TOOLS:-../shared/bench}" --markdown docs/benchmarks-sets.md "$@"
    fi
    exec "$here/bench.sh" "$@"
    ;;
  e2e) shift; install_packages; exec "$root/tests/e2e/run" "$@" ;;
  image) shift; exec "$here/image.sh" "$@" ;;
  lint) install_packages; exec "$here/lint.sh" ;;
  fmt) install_packages; sources | xargs -r clang-format-19 -i ;;
  help | -h | --help) usage ;;
  *)
    echo "dev: unknown command '$1'" >&2
    usage >&2
    exit 2
    ;;
esac

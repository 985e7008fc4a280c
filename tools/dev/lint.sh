#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ./dev lint: formatting, dependency direction, style rules, clang-tidy on files that differ from the base,
# the chart.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
# shellcheck source=tools/dev/common.sh
. "$here/common.sh"
bad=0

sources | xargs -r clang-format-19 --dry-run -Werror > /tmp/format.$$ 2>&1 || {
  echo "lint: not formatted (./dev fmt):"
  grep -oE '^[^:]+:[0-9]+' /tmp/format.$$ | cut -d: -f1 | sort -u
  bad=1
}
rm -f /tmp/format.$$
python3 tools/check-deps || bad=1
python3 tools/check-style || bad=1

# Where this branch left the base (GANTRY_LINT_BASE, else origin/main or main); on the base itself,
# the commit before.
lint_base() {
  local ref base
  for ref in ${GANTRY_LINT_BASE:-origin/main main}; do
    base=$(git merge-base HEAD "$ref" 2> /dev/null) || continue
    [ "$base" = "$(git rev-parse HEAD)" ] || { echo "$base"; return; }
  done
  git rev-parse --verify -q HEAD~1 || true
}

# Changed sources, and for a changed header the source of its name. New files count before they are
# committed, too.
changed_sources() { # BASE
  { git diff --name-only --diff-filter=AMR "$1" -- "${analysed[@]}"
    git ls-files -o --exclude-standard -- "${analysed[@]}"; } | sed 's/\.h$/.cc/' | sort -u |
    while read -r file; do [ ! -f "$file" ] || echo "$file"; done
}

# Static analysis takes about ten seconds of CPU a file: of everything that is not on the base yet; of all files with
# GANTRY_TIDY_ALL=1.
analysed=('libs/*.cc' 'libs/*.h' 'broker/*.cc' 'broker/*.h' 'namesrv/*.cc' 'namesrv/*.h' 'sidecar/*.cc'
  'sidecar/*.h' 'cli/*.cc' 'cli/*.h')
base=$(lint_base)
if [ -n "${GANTRY_TIDY_ALL:-}" ] || [ -z "$base" ]; then
  files=$(git ls-files 'libs/*.cc' 'broker/*.cc' 'namesrv/*.cc' 'sidecar/*.cc' 'cli/*.cc')
else
  files=$(changed_sources "$base")
fi
if [ -n "$files" ]; then
  [ -f build/fuzz/compile_commands.json ] || cmake --preset fuzz > /dev/null || bad=1
  # Generated sources are needed before the files that include them can be parsed.
  ninja -C build/fuzz gantry_state_proto gantry_peer_proto > /dev/null || bad=1
  # shellcheck disable=SC2086
  printf '%s\n' $files | xargs -r -P "$(nproc)" -n 1 clang-tidy-19 -p build/fuzz --quiet 2> /dev/null || bad=1
fi

# The chart, where helm is.
if command -v helm > /dev/null || [ -x "${KUBE_CACHE:-/var/cache/kube-local}/bin/helm" ]; then
  tests/chart/run || bad=1
else
  echo "lint: charts/gantry is not checked: there is no helm"
fi
[ "$bad" -eq 0 ] && echo "lint: ok"
exit "$bad"

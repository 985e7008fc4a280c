#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ./dev lint: formatting, dependency direction, style rules, clang-tidy on changed files.
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

# Static analysis of what differs from the last landed state; all of it with GANTRY_TIDY_ALL=1.
base=$(git rev-parse --verify -q HEAD~1 || true)
if [ -n "${GANTRY_TIDY_ALL:-}" ] || [ -z "$base" ]; then
  files=$(git ls-files 'libs/*.cc' 'broker/*.cc' 'namesrv/*.cc' 'cli/*.cc')
else
  files=$(git diff --name-only --diff-filter=AM "$base" -- 'libs/*.cc' 'broker/*.cc' 'namesrv/*.cc' 'cli/*.cc')
fi
if [ -n "$files" ]; then
  [ -f build/fuzz/compile_commands.json ] || cmake --preset fuzz > /dev/null || bad=1
  # Generated sources are needed before the files that include them can be parsed.
  ninja -C build/fuzz gantry_state > /dev/null || bad=1
  # shellcheck disable=SC2086
  printf '%s\n' $files | xargs -r -P "$(nproc)" -n 1 clang-tidy-19 -p build/fuzz --quiet 2> /dev/null || bad=1
fi
[ "$bad" -eq 0 ] && echo "lint: ok"
exit "$bad"

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ./dev test [SUITE...]: runs the suites and adds up their counts. Every suite runs, also after a
# failure; the last line is "N passed, N failed".
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
# shellcheck source=tools/dev/common.sh
. "$here/common.sh"

suites=("$@")
[ ${#suites[@]} -eq 0 ] && suites=(unit fuzz integration interop)
passed=0
failed=0
failures=()

# The tests that failed, as their suite printed them: nobody should have to look for them above.
failed_tests() { # LOG
  grep -hE '^[^ ]+ +FAIL( |$)|^[[:space:]]*[0-9]+ - .*\((Failed|Timeout|SEGFAULT|Subprocess aborted)\)' "$1" | cut -c1-400
}

# Adds "N passed, M failed" of a log's last such line; a suite without one has failed.
count_plain() { # NAME LOG STATUS
  local line p f
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$2" | tail -1)
  if [ -z "$line" ]; then
    failed=$((failed + 1))
    failures+=("$1: no result (exit $3)")
    return
  fi
  p=${line%% *}
  f=$(sed -E 's/^[0-9]+ passed, ([0-9]+) failed.*/\1/' <<< "$line")
  passed=$((passed + p))
  failed=$((failed + f))
  [ "$f" -eq 0 ] || failures+=("$1: $line" "$(failed_tests "$2")")
  [ "$3" -eq 0 ] || [ "$f" -gt 0 ] || { failed=$((failed + 1)); failures+=("$1: exit $3"); }
}

run_unit() {
  local log=$1
  build dev || return 1
  ctest --test-dir build/dev --output-on-failure -j "$(nproc)" 2>&1 | tee "$log.ctest"
  local total bad
  total=$(sed -nE 's/.* tests failed out of ([0-9]+)$/\1/p' "$log.ctest" | tail -1)
  bad=$(sed -nE 's/.*, ([0-9]+) tests failed out of [0-9]+$/\1/p' "$log.ctest" | tail -1)
  { cat "$log.ctest"; echo "$((${total:-0} - ${bad:-0})) passed, ${bad:-1} failed"; } > "$log"
  tail -1 "$log"
}

for suite in "${suites[@]}"; do
  log=$(mktemp)
  echo "== $suite"
  case "$suite" in
    unit) run_unit "$log" ;;
    fuzz) build fuzz fuzzers && tests/fuzz/run | tee "$log" ;;
    integration) build release && tests/integration/run | tee "$log" ;;
    interop) build release && tests/interop/run --target gantry | tee "$log" ;;
    interop-set)
      build release && tests/interop/run --target gantry-set | tee "$log"
      ;;
    *) echo "dev test: unknown suite '$suite'" >&2; exit 2 ;;
  esac
  status=$?
  count_plain "$suite" "$log" "$status"
done

for f in "${failures[@]}"; do echo "failed: $f"; done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]

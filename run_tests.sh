#!/usr/bin/env bash
# Everything that must hold: installs what is missing, builds, runs the validation itself, then all
# tests, then the sanitizer builds' share of them. `run_tests.sh [release|asan|tsan ...]` runs only those.
# The last line is `N passed, N failed, N skipped`; exit status 0 only if none failed.
set -euo pipefail
root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd)
# shellcheck source=scripts/build.sh
source "$root/scripts/build.sh"
# shellcheck source=scripts/test_groups.sh
source "$root/scripts/test_groups.sh"

announce() { printf '\n=== %s ===\n' "$*"; }

# run_programs PRESET NAME FILTER PROGRAM...
run_programs() {
  local preset=$1 name=$2 wanted=$3
  shift 3
  announce "tests: $name"
  run_groups "$name" "$root/build/$preset/test_logs" "$wanted" "${@/#/$root/build/$preset/tests/}"
}

# The main jobs, as a newcomer runs them, but on ports of their own.
run_job() {
  announce "./$1"
  if HAWSER_PORT_BASE=$((10240 + RANDOM % 350 * 64)) "$root/$1"; then
    PASSED=$((PASSED + 1))
  else
    echo "FAILED: ./$1: exit status $?"
    FAILED=$((FAILED + 1))
  fi
}

run_release() {
  run_job run_devmem_validation.sh
  run_job run_p2p_singleproc.sh
  hawser_build release
  run_programs release release . fault_tests cli_tests engine_tests conformance_tests unit_tests
}

# The tests' own objects are those of the release build: what is looked at is the library. (The thread
# sanitizer must see the tests' own synchronisation.)
#
# For what is done with bytes: whatever parses, frames, copies and cleans up, in one process each.
run_asan() {
  hawser_build release fault_tests engine_tests conformance_tests unit_tests
  hawser_build asan fault_tests engine_tests conformance_tests unit_tests
  run_programs asan 'address and undefined behaviour sanitizers' . \
    fault_tests engine_tests conformance_tests unit_tests
}

# For what threads share: engines, Nets and their connections, whole.
run_tsan() {
  hawser_build tsan engine_tests conformance_tests fault_tests
  run_programs tsan 'thread sanitizer' . engine_tests conformance_tests
  run_programs tsan 'thread sanitizer, faults' '^(Engine|Bootstrap|Strangers|IoThreads)' fault_tests
}

# All in functions, so that bash has read the whole file before it begins: it may change meanwhile.
main() {
  local preset
  if [[ $# -eq 0 ]]; then set -- release asan tsan; fi
  hawser_setup "${HAWSER_TEST_NEEDS[@]}"
  for preset in "$@"; do
    case $preset in
      release) run_release ;;
      asan) run_asan ;;
      tsan) run_tsan ;;
      *) hawser_die "usage: run_tests.sh [release|asan|tsan ...]" ;;
    esac
  done
  announce "all runs"
  echo "$PASSED passed, $FAILED failed, $SKIPPED skipped"
  [[ $FAILED -eq 0 ]]
}

main "$@"; exit

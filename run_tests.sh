#!/usr/bin/env bash
# Everything that must hold: installs what is missing, builds, runs the validation itself, then all
# tests, then the sanitizer builds' share of them. `run_tests.sh [release|asan|tsan ...]` runs only those.
# The last line is `N passed, N failed, N skipped`; exit status 0 only if none failed.
set -euo pipefail
root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd)
# shellcheck source=scripts/build.sh
source "$root/scripts/build.sh"
# shellcheck source=scripts/count_tests.sh
source "$root/scripts/count_tests.sh"

announce() { printf '\n=== %s ===\n' "$*"; }

# run_ctest PRESET NAME CTEST_ARGS...
run_ctest() {
  local preset=$1 name=$2 junit=$root/build/$1/junit.xml status=0
  shift 2
  announce "tests: $name"
  rm -f -- "$junit"
  ctest --test-dir "$root/build/$preset" -j "$(nproc)" --output-on-failure --no-tests=error \
    --output-junit "$junit" "$@" | grep -v '  Passed  \|\*\*\*Skipped\| Start ' || status=${PIPESTATUS[0]}
  count_run "$name" "$junit" "$status"
}

# The main job, as a newcomer runs it, but on ports of its own.
run_validation() {
  announce "./run_devmem_validation.sh"
  if HAWSER_PORT_BASE=$((10240 + RANDOM % 700 * 32)) "$root/run_devmem_validation.sh"; then
    PASSED=$((PASSED + 1))
  else
    echo "FAILED: ./run_devmem_validation.sh: exit status $?"
    FAILED=$((FAILED + 1))
  fi
}

run_release() {
  run_validation
  hawser_build release
  run_ctest release release
}

# Real programs under a sanitizer take long; the command-line tests that exercise most are enough.
run_asan() {
  hawser_build asan
  run_ctest asan 'address and undefined behaviour sanitizers' -L 'unit|conformance|fault'
  run_ctest asan 'address and undefined behaviour sanitizers, real programs' -L cli -R '^(Report|Bootstrap|Emulator|Memory)'
}

run_tsan() {
  hawser_build tsan
  run_ctest tsan 'thread sanitizer' -L 'unit|conformance'
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

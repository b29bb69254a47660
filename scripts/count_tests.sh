# shellcheck shell=bash
# Sums up ctest runs from their JUnit files. Sourced by run_tests.sh.

PASSED=0 FAILED=0 SKIPPED=0

# count_run NAME JUNIT_FILE CTEST_STATUS: adds one run to the sums, and names what failed and what
# was skipped, with its reason. A run that left no file, or failed without a failed test, is a failure.
count_run() {
  local name=$1 junit=$2 status=$3 tests=0 failed=0 skipped=0
  if [[ -s $junit ]]; then
    tests=$(grep -c '<testcase ' "$junit" || true)
    failed=$(grep -c '<testcase .*status="fail"' "$junit" || true)
    skipped=$(grep -c '<skipped ' "$junit" || true)
    name_tests "$name" "$junit"
  fi
  if [[ $status -ne 0 && $failed -eq 0 ]]; then
    echo "FAILED ($name): ctest ended with status $status"
    failed=1
    tests=$((tests + 1))
  fi
  FAILED=$((FAILED + failed))
  SKIPPED=$((SKIPPED + skipped))
  PASSED=$((PASSED + tests - failed - skipped))
}

# "FAILED (run): test" and "SKIPPED (run): test: reason". GoogleTest prints the reason on the line
# after "Skipped".
name_tests() {
  awk -v run="$1" '
    /<testcase / { test = $0; sub(/.*<testcase name="/, "", test); sub(/".*/, "", test); reason = ""; skipped = 0 }
    /<testcase .*status="fail"/ { print "FAILED (" run "): " test }
    /<skipped / { skipped = 1 }
    wanted { reason = $0; wanted = 0 }
    /: Skipped$/ { wanted = 1 }
    /<\/testcase>/ && skipped { print "SKIPPED (" run "): " test ": " (reason == "" ? "no reason given" : reason) }
  ' "$2"
}

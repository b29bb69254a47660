# shellcheck shell=bash
# Runs GoogleTest programs, a few tests to a process, and sums up. Sourced by run_tests.sh. (ctest
# gives each test a process of its own: under a sanitizer, starting those takes longer than the tests.)

PASSED=0 FAILED=0 SKIPPED=0
HAWSER_SCRIPTS=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")

# test_groups PROGRAM: filters that together name all its tests: a suite, or where the tests are run
# with many parameters one test with all of them.
test_groups() {
  "$1" --gtest_list_tests | awk '
    /^[^ ].*\.( |$)/ { suite = $1; next }
    /^  / && $1 ~ /\// { group = suite substr($1, 1, index($1, "/")) "*" }
    /^  / && $1 !~ /\// { group = suite "*" }
    /^  / && !(group in seen) { seen[group]; print group }'
}

# run_groups NAME LOGS FILTER PROGRAM...: runs the groups that match the extended regular expression,
# twice as many at a time as there are CPUs: most tests wait.
run_groups() {
  local name=$1 logs=$2 wanted=$3 program groups
  shift 3
  rm -rf -- "$logs"
  mkdir -p "$logs"
  for program in "$@"; do
    groups=$(test_groups "$program" | grep -E -- "$wanted") || hawser_die "no tests in $program"
    awk -v program="$program" '{ print program; print $0 }' <<<"$groups"
  done | xargs -r -d '\n' -n 2 -P "$((2 * $(nproc)))" "$HAWSER_SCRIPTS/run_group.sh" "$logs"
  count_logs "$name" "$logs"
}

# Adds up what the logs hold, names what failed, and says how many were skipped for which reason.
count_logs() {
  local name=$1 logs=$2 passed failed skipped
  read -r passed failed skipped < <(awk '
    /^\[       OK \] / { passed++ }
    /^\[  FAILED  \] .* ms\)$/ { failed++ }
    /^\[  SKIPPED \] .* ms\)$/ { skipped++ }
    END { print passed + 0, failed + 0, skipped + 0 }' "$logs"/*.log)
  PASSED=$((PASSED + passed)) FAILED=$((FAILED + failed)) SKIPPED=$((SKIPPED + skipped))
  awk -v run="$name" '
    wanted { reason = $0; wanted = 0 }
    /: Skipped$/ { reason = "no reason given"; wanted = 1 }
    /^\[  SKIPPED \] .* ms\)$/ {
      if (++count[reason] <= 3) names[reason] = names[reason] (count[reason] > 1 ? ", " : "") $4
    }
    /^\[  FAILED  \] .* ms\)$/ { sub(/^\[  FAILED  \] /, ""); print "FAILED (" run "): " $0 }
    END {
      for (reason in count)
        printf "SKIPPED (%s): %d: %s (%s%s)\n", run, count[reason], reason, names[reason],
               (count[reason] > 3 ? ", ..." : "")
    }
  ' "$logs"/*.log
}

#!/usr/bin/env bash
# Runs some tests of one GoogleTest program in one process: `run_group.sh LOGS PROGRAM FILTER`. Leaves
# what they print in a file of the folder LOGS, and prints it where one of them failed.
set -uo pipefail
logs=$1 program=$2 filter=$3
log=$(mktemp "$logs/$(basename -- "$program").XXXXXX.log")
for attempt in {1..4}; do
  # The tests themselves are what must be known: the last attempt is without that search.
  if [[ $attempt -eq 4 ]]; then export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0; fi
  timeout --kill-after=10 600 "$program" --gtest_filter="$filter" >"$log" 2>&1
  status=$?
  # Its search for leaks stops every thread, and now and then crashes by that, whatever it looks at;
  # twice in a row on a busy machine, too.
  grep -q '^==[0-9]*==LeakSanitizer has encountered a fatal error' "$log" || break
  if grep -q '^\[  FAILED  \]' "$log"; then break; fi
done
if [[ $attempt -eq 4 ]]; then echo "$(basename -- "$program") $filter: no search for leaks: it crashed three times"; fi
[[ $status -ne 0 ]] || exit 0
# Who crashed or hung did not come to say so.
grep -q '^\[  FAILED  \] .* ms)$' "$log" ||
  printf '[  FAILED  ] %s: ended with status %s (0 ms)\n' "$(sed -n 's/^\[ RUN      \] //p' "$log" | tail -n 1)" "$status" >>"$log"
cat -- "$log"

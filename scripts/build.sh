#!/usr/bin/env bash
# Builds hawser: `scripts/build.sh [PRESET [TARGET...]]` (default: release, everything). Installs the
# packages that are missing; says nothing where there is nothing to do. Safe to run twice at once.
set -euo pipefail
HAWSER_ROOT=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)
# shellcheck source=scripts/setup.sh
source "$HAWSER_ROOT/scripts/setup.sh"

# A build folder that another path or a broken configure left behind is of no use.
hawser_configure() {
  local preset=$1 folder=$HAWSER_ROOT/build/$1 home
  home=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$folder/CMakeCache.txt" 2>/dev/null || true)
  if [[ $home == "$HAWSER_ROOT" && -e $folder/build.ninja ]]; then return; fi
  rm -rf -- "$folder"
  (cd "$HAWSER_ROOT" && cmake --preset "$preset")
}

# Says "building" at the first line of ninja's that is work, and lets nothing else through.
hawser_announce() {
  local preset=$1 line said=
  while IFS= read -r line; do
    if [[ -z $said && $line =~ Building|Linking|Re-running|Preset ]]; then
      echo "building hawser ($preset) ..." >&2
      said=1
    fi
  done
}

# hawser_build PRESET [TARGET...]: quiet, but for one line when there is work, and for errors.
# Two at a time in one tree wait for each other.
hawser_build() {
  local preset=$1 log=$HAWSER_ROOT/build/$1.log lock
  shift
  mkdir -p "$HAWSER_ROOT/build"
  exec {lock}>"$HAWSER_ROOT/build/.lock"
  flock "$lock"
  if ! { hawser_configure "$preset" && ninja -C "$HAWSER_ROOT/build/$preset" -j "$(nproc)" "$@"; } \
    2>&1 {lock}>&- | tee "$log" | hawser_announce "$preset"; then
    cat "$log" >&2
    hawser_die "building hawser failed: see above, or $log"
  fi
  exec {lock}>&-
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  hawser_setup "${HAWSER_BUILD_NEEDS[@]}"
  if [[ $# -eq 0 ]]; then set -- release; fi
  hawser_build "$@"
fi

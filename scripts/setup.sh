# shellcheck shell=bash
# Installs what is missing to build and test hawser on Debian 12. Sourced by the other scripts, or run
# by hand: `bash scripts/setup.sh [test]`. Does nothing, and asks nobody, where nothing is missing.

# What we need, as "a command, or a file under an include folder" = "the package that has it".
HAWSER_BUILD_NEEDS=(
  "g++=g++" cmake=cmake ninja=ninja-build
  fmt/core.h=libfmt-dev nlohmann/json.hpp=nlohmann-json3-dev CLI/CLI.hpp=libcli11-dev
  gtest/gtest.h=libgtest-dev gmock/gmock.h=libgmock-dev
)
HAWSER_TEST_NEEDS=("${HAWSER_BUILD_NEEDS[@]}" make=make pkg-config=pkg-config ip=iproute2 nm=binutils)

hawser_die() {
  printf '%s\n' "$@" >&2
  exit 3
}

# Is that command or header there? sbin is not in every user's PATH.
hawser_has() {
  case $1 in
    */*) [[ -e /usr/include/$1 || -e /usr/local/include/$1 ]] ;;
    *) PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null ;;
  esac
}

# The packages of the given needs that are missing, one a line.
hawser_missing() {
  local need
  for need in "$@"; do
    hawser_has "${need%%=*}" || printf '%s\n' "${need#*=}"
  done
}

# Runs a command as root; fails where we cannot become root.
hawser_as_root() {
  if [[ $EUID -eq 0 ]]; then
    "$@"
  elif [[ -t 0 ]]; then
    sudo "$@"
  else
    sudo -n "$@"
  fi
}

hawser_apt() {
  hawser_as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120 "$@"
}

# hawser_setup NEEDS...: installs the packages of those that are missing, and says so, once.
hawser_setup() {
  local missing log
  mapfile -t missing < <(hawser_missing "$@")
  [[ ${#missing[@]} -gt 0 ]] || return 0
  command -v apt-get >/dev/null ||
    hawser_die "hawser needs what these Debian packages hold, and there is no apt-get here: ${missing[*]}"
  [[ $EUID -eq 0 ]] || command -v sudo >/dev/null ||
    hawser_die "hawser needs packages that are not installed, and you are neither root nor have sudo." \
      "Ask for: apt-get install ${missing[*]}"
  echo "installing with apt, once: ${missing[*]}" >&2
  log=$(mktemp)
  if ! { hawser_apt update && hawser_apt install --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    rm -f "$log"
    hawser_die "apt could not install: ${missing[*]}" \
      "Its last words are above. Is this machine online, and may you become root?"
  fi
  rm -f "$log"
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  set -euo pipefail
  if [[ ${1-} == test ]]; then hawser_setup "${HAWSER_TEST_NEEDS[@]}"; else hawser_setup "${HAWSER_BUILD_NEEDS[@]}"; fi
fi

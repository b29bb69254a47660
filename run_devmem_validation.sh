#!/usr/bin/env bash
# The devmem validation: can ONE process use several channels on one NIC? Installs what is missing,
# builds what is stale, and runs it. See usage below, and README.md.
set -euo pipefail
root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd)
# shellcheck source=scripts/build.sh
source "$root/scripts/build.sh"
# shellcheck source=scripts/both_sides.sh
source "$root/scripts/both_sides.sh"
program=$root/tests/test_devmem_validation

usage() {
  cat <<'TEXT'
usage: run_devmem_validation.sh                                  both sides on this machine
       run_devmem_validation.sh server [BIND_IP [GPU [DEV]]]     defaults: 0.0.0.0 0 0
       run_devmem_validation.sh client SERVER_IP [GPU [DEV]]     defaults: GPU 0, DEV 0
DEV is a device of the transport, by index or name. Options may follow (--channels 8, --memory host,
--plugin builtin, --verbose ...); `tests/test_devmem_validation --help` lists them.
exit status: 0 passed on both sides, 1 failed, 2 wrong usage, 3 could not run
TEXT
}

wrong_usage() {
  printf 'run_devmem_validation.sh: %s\n' "$1" >&2
  usage >&2
  exit 2
}

prepare() {
  hawser_setup "${HAWSER_BUILD_NEEDS[@]}"
  hawser_build release test_devmem_validation
  ln -sfn ../build/release/tests/test_devmem_validation "$program"
}

# run_side ROLE DEFAULT_ADDRESS ARGS...: takes up to three positional words, passes the rest on.
run_side() {
  local role=$1 words=("$2" 0 0) i=0
  shift 2
  while [[ $# -gt 0 && $i -lt 3 && $1 != -* ]]; do
    words[i]=$1
    i=$((i + 1))
    shift
  done
  [[ $# -eq 0 || $1 == -* ]] || wrong_usage "$role takes at most an address, a GPU and a device, not '$1'"
  [[ -n ${words[0]} ]] || wrong_usage "$role needs an address"
  prepare
  exec "$program" "$role" "${words[@]}" "$@"
}

# Both sides over loopback.
run_both() {
  local options=(127.0.0.1 0 lo --plugin builtin "$@") server client
  # shellcheck disable=SC2034  # used by name
  server=("$program" server "${options[@]}")
  # shellcheck disable=SC2034
  client=("$program" client "${options[@]}")
  prepare
  hawser_both_sides server client
}

# In a function, so that bash has read the whole file before it begins: it may change meanwhile.
main() {
  case ${1-} in
    '' | --[!h]*) run_both "$@" ;;
    server) run_side server 0.0.0.0 "${@:2}" ;;
    client)
      [[ -n ${2-} && $2 != -* ]] || wrong_usage "client needs the server's address"
      run_side client '' "${@:2}"
      ;;
    -h | --help) usage ;;
    *) wrong_usage "'$1' is neither server nor client" ;;
  esac
}

main "$@"; exit

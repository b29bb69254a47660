#!/usr/bin/env bash
# The single-process node: ONE process for all GPUs and all NICs of a machine, moving verified data
# between each GPU and the same one of a peer. Installs what is missing, builds what is stale, and runs
# `hawser node`. See usage below, and docs/node.md.
set -euo pipefail
root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd)
# shellcheck source=scripts/build.sh
source "$root/scripts/build.sh"
# shellcheck source=scripts/both_sides.sh
source "$root/scripts/both_sides.sh"
program=$root/build/release/tools/hawser/hawser

usage() {
  cat <<'TEXT'
usage: run_p2p_singleproc.sh                        both sides on this machine, 8 devices played in host memory
       run_p2p_singleproc.sh server [BIND_IP]       default: 0.0.0.0
       run_p2p_singleproc.sh client SERVER_IP
Options may follow (--gpus 8, --memory host, --direction both, --seconds 10, --json FILE ...);
`build/release/tools/hawser/hawser node --help` lists them. The server's rule where the two sides differ.
exit status: 0 passed on both sides, 1 failed, 2 wrong usage, 3 could not run
TEXT
}

wrong_usage() {
  printf 'run_p2p_singleproc.sh: %s\n' "$1" >&2
  usage >&2
  exit 2
}

prepare() {
  hawser_setup "${HAWSER_BUILD_NEEDS[@]}"
  hawser_build release hawser_tool
}

# run_side ROLE DEFAULT_ADDRESS ARGS...: takes an address, where there is one, and passes the rest on.
run_side() {
  local role=$1 address=$2
  shift 2
  if [[ $# -gt 0 && $1 != -* ]]; then
    address=$1
    shift
  fi
  [[ $# -eq 0 || $1 == -* ]] || wrong_usage "$role takes at most an address, not '$1'"
  [[ -n $address ]] || wrong_usage "$role needs an address"
  prepare
  exec "$program" node "$role" "$address" "$@"
}

# run_both OPTIONS...: which GPUs, unless they say so, is for machines without any.
run_both() {
  local options=(--device lo --plugin builtin "$@") server client
  case " $* " in
    *' --gpus'* | *' --memory'*) ;;
    *) options+=(--gpus 8 --memory host) ;;
  esac
  # shellcheck disable=SC2034  # used by name
  server=("$program" node server 127.0.0.1 "${options[@]}")
  # shellcheck disable=SC2034
  client=("$program" node client 127.0.0.1 "${options[@]}")
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

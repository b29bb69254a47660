#!/usr/bin/env bash
# The devmem validation: can ONE process use several channels on one NIC? Installs what is missing,
# builds what is stale, and runs it. See usage below, and README.md.
set -euo pipefail
root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd)
# shellcheck source=scripts/build.sh
source "$root/scripts/build.sh"
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

# Both sides over loopback. Each writes its report to a file, so that the two do not mix.
run_both() {
  local server client ended ended_status=0 last last_name last_status=0
  prepare
  reports=$(mktemp -d)
  trap 'rm -rf -- "$reports"' EXIT
  "$program" server 127.0.0.1 0 lo --plugin builtin "$@" >"$reports/server" &
  server=$!
  "$program" client 127.0.0.1 0 lo --plugin builtin "$@" >"$reports/client" &
  client=$!
  # shellcheck disable=SC2064  # the two of now
  trap "kill $server $client 2>/dev/null; exit 130" INT TERM
  wait -n -p ended "$server" "$client" || ended_status=$?
  if [[ $ended == "$server" ]]; then last=$client last_name='the client'; else last=$server last_name='the server'; fi
  [[ $ended_status -eq 0 ]] || end_soon "$last" "$last_name"
  wait "$last" || last_status=$?
  cat "$reports/server"
  echo
  cat "$reports/client"
  [[ $ended_status -eq 0 ]] || return "$ended_status"
  return "$last_status"
}

# One side has ended; the other is as good as done, unless it waits for a peer that will never come.
end_soon() {
  local pid=$1 name=$2 tenths
  for ((tenths = 0; tenths < 50; tenths++)); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.1
  done
  echo "$name still waits, but the other side has ended: stopping it" >&2
  kill "$pid" 2>/dev/null || true
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

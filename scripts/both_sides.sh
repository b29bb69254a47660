# shellcheck shell=bash
# Runs both sides of something on this machine. Sourced by run_devmem_validation.sh and
# run_p2p_singleproc.sh.

# hawser_both_sides SERVER CLIENT: names of arrays with the two commands. Each writes its report to a
# file, so that the two do not mix: the server's is shown first. The exit status is that of the side
# that failed first.
hawser_both_sides() {
  local -n server_command=$1 client_command=$2
  local server_pid client_pid ended ended_status=0 last last_name last_status=0
  reports=$(mktemp -d)
  trap 'rm -rf -- "$reports"' EXIT
  "${server_command[@]}" >"$reports/server" &
  server_pid=$!
  "${client_command[@]}" >"$reports/client" &
  client_pid=$!
  # shellcheck disable=SC2064  # the two of now
  trap "kill $server_pid $client_pid 2>/dev/null; exit 130" INT TERM
  wait -n -p ended "$server_pid" "$client_pid" || ended_status=$?
  if [[ $ended == "$server_pid" ]]; then last=$client_pid last_name='the client'; else last=$server_pid last_name='the server'; fi
  [[ $ended_status -eq 0 ]] || hawser_end_soon "$last" "$last_name"
  wait "$last" || last_status=$?
  cat "$reports/server"
  echo
  cat "$reports/client"
  [[ $ended_status -eq 0 ]] || return "$ended_status"
  return "$last_status"
}

# One side has ended; the other is as good as done, unless it waits for a peer that will never come.
hawser_end_soon() {
  local pid=$1 name=$2 tenths
  for ((tenths = 0; tenths < 50; tenths++)); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.1
  done
  echo "$name still waits, but the other side has ended: stopping it" >&2
  kill "$pid" 2>/dev/null || true
}

# shellcheck shell=bash
# What the files of the peers share. Sourced by ../peers.sh.
#
# A file NAME.sh of a peer has these functions:
#   NAME_needs                  what it wants, one a line, as scripts/setup.sh writes it
#   NAME_version                one line for the head of the report
#   NAME_prepare                compiles what must be compiled, into $work
#   NAME_offers TRAFFIC BYTES   whether it can measure that; TRAFFIC is stream or latency
#   NAME_run TRAFFIC BYTES      one sample: "name figure" lines, GB/s of a stream, else the median of
#                               half round trips in microseconds. Not 0: it failed, stderr says why
# NAME_run is called where `set -e` does not reach: it says `|| return` itself.
# They use the variables of peers.sh.
# shellcheck disable=SC2154  # those

# shellcheck disable=SC2034  # used by peers.sh
PEERS_NEEDS=(python3=python3 ip=iproute2 ss=iproute2 taskset=util-linux lscpu=util-linux)

# fact NAME TEXT: a line of the report's head.
fact() {
  printf '%s\t%s\n' "$1" "$2" >>"$work/facts.tsv"
}

# bytes_of 64K -> 65536
bytes_of() {
  [[ $1 =~ ^([1-9][0-9]*)([KMG]?)$ ]] || { echo "peers.sh: '$1' is no size like 8, 64K or 1M" >&2; exit 2; }
  case ${BASH_REMATCH[2]} in
    K) echo $((BASH_REMATCH[1] << 10)) ;;
    M) echo $((BASH_REMATCH[1] << 20)) ;;
    G) echo $((BASH_REMATCH[1] << 30)) ;;
    *) echo "${BASH_REMATCH[1]}" ;;
  esac
}

# messages_for TRAFFIC BYTES: about as many as take $duration_ms here, for peers that want to be told: at
# 6 GB/s, 1 us a message and 8 us a round trip.
messages_for() {
  local each_ns=$(($2 / 6))
  if [[ $1 == latency ]]; then each_ns=$((8000 + $2)); fi
  if [[ $each_ns -lt 1000 ]]; then each_ns=1000; fi
  local count=$((duration_ms * 1000000 / each_ns))
  echo $((count < 8 ? 8 : count))
}

on_client() { timeout -k 2 "$timeout_s" taskset -c "$client_cpu" "$@"; }
on_server() { exec timeout -k 2 "$timeout_s" taskset -c "$server_cpu" "$@"; }

# with_server PORT SERVER... -- CLIENT...: starts the server in the background, waits until it listens, runs
# the client, whose output this is, and waits for the server's end. Whatever fails ends both.
with_server() {
  local port=$1
  local -a program=()
  shift
  while [[ $1 != -- ]]; do program+=("$1") && shift; done
  shift
  on_server "${program[@]}" >"$work/server.log" 2>&1 &
  server=$!
  local status=0
  { await_listener "$port" && on_client "$@" && finish_server; } || status=$?
  end_peers
  return "$status"
}

await_listener() {
  local tries
  for ((tries = 0; tries < 200; ++tries)); do
    if ss -Hltn "sport = :$1" | grep -q .; then return 0; fi
    kill -0 "$server" 2>/dev/null || break
    sleep 0.02
  done
  echo "its server does not listen: $(tail -n 1 "$work/server.log")" >&2
  return 1
}

# The server ends by itself after its client, or by its timeout.
finish_server() {
  local status=0
  wait "$server" || status=$?
  server=
  [[ $status -eq 0 ]] || echo "its server ended with status $status: $(tail -n 1 "$work/server.log")" >&2
  return "$status"
}

end_peers() {
  if [[ -n ${server-} ]]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=
  fi
}

# A port that nobody listens on, another one each time: the last one's connections may linger.
free_port() {
  local tries port
  for ((tries = 0; tries < 100; ++tries)); do
    port=$((20000 + RANDOM % 10000))
    if ! ss -Hltn "sport = :$port" | grep -q .; then break; fi
  done
  echo "$port"
}

# compile_pair NAME COMPILER... -- LIBRARIES...
compile_pair() {
  local name=$1
  shift
  local -a compiler=() libraries=()
  while [[ $# -gt 0 && $1 != -- ]]; do compiler+=("$1") && shift; done
  libraries=("${@:2}")
  "${compiler[@]}" -std=c++20 -O2 -o "$work/$name" "$here/peers/$name.cc" "${libraries[@]}"
}

package_version() {
  dpkg-query -W -f '${Package} ${Version}' "$1" 2>/dev/null || echo "$1, version unknown"
}

# "idle all" ticks of both CPUs since the machine started.
cpu_ticks() {
  awk -v a="cpu$client_cpu" -v b="cpu$server_cpu" \
    '$1 == a || $1 == b { idle += $5; for (i = 2; i <= 9; ++i) all += $i } END { print idle, all }' /proc/stat
}

# Until both CPUs are at most a tenth busy for 0.1 s, but no longer than $quiet_s seconds; counts in
# $noisy how often they never were. Whoever spins loses much to others.
await_quiet() {
  local tries idle all idle_before all_before
  for ((tries = 0; tries < quiet_s * 10; ++tries)); do
    read -r idle_before all_before < <(cpu_ticks)
    sleep 0.1
    read -r idle all < <(cpu_ticks)
    if ((10 * (idle - idle_before) >= 9 * (all - all_before))); then return; fi
  done
  noisy=$((noisy + 1))
}

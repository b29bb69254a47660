#!/usr/bin/env bash
# Measures what others move over TCP beside `hawser perf`, over loopback, in one run and in turn:
#
#   bench/peers.sh [--hawser PROGRAM] [--only LIST] [--sizes LIST] [--latency-sizes LIST] [--repeats N]
#                  [--duration-ms MS] [--congestion NAME|kernel] [--window N] [--timeout SECONDS]
#                  [--quiet SECONDS] [--json FILE] [--install]
#
# The peers are Debian's packages: UCX (ucx_perftest, tcp), libfabric (its tcp provider, by a small
# program of ours), OpenMPI (its tcp btl, likewise), iperf3. What is not there is named and left out;
# --install gets it with apt. What is done to be fair:
#   - Each side is kept on a CPU of its own, the same two for all.
#   - All run in a network namespace with the same congestion control for everybody (reno unless
#     told otherwise), so the machine's own setting is neither used nor changed. Where there can be no
#     namespace, and with --congestion kernel, it stays as it is; the head of the report says which.
#   - Each round takes one sample of each for each size, and begins with another one; ratios are of
#     samples of the same round, and the table has their median, least and most.
#   - hawser and the bare sockets beside it (`bare`: the faster of blocking and polling) are measured
#     by one call of `hawser perf`; all spin while they wait, where they let one choose.
#   - Before each sample it waits until both CPUs are idle, at most --quiet seconds (3), and says how
#     often that was in vain: figures of a machine that others use are not worth much.
# A sample that fails or takes longer than --timeout (30 s) is named, and that peer is left out at that
# size. Exit status: 0, or 1 where that happened; 2 usage; 3 it could not run.
set -euo pipefail
here=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd)
root=$(dirname -- "$here")
# shellcheck source=scripts/setup.sh
source "$root/scripts/setup.sh"
# shellcheck source=bench/peers/common.sh
source "$here/peers/common.sh"
for file in hawser ucx libfabric openmpi iperf3; do
  # shellcheck source=/dev/null
  source "$here/peers/$file.sh"
done

hawser=$root/build/release/tools/hawser/hawser
only=ucx,libfabric,openmpi,iperf3
sizes=4K,64K,1M,16M,64M
latency_sizes=8,4K
repeats=5
duration_ms=200
congestion=reno
window=32
timeout_s=30
quiet_s=3
json=
install=
given=("$@")

usage() {
  sed -n 's/^# \{0,1\}//; 2,/^set /{/^set /d;p}' "${BASH_SOURCE[0]}"
}

parse_options() {
  while [[ $# -gt 0 ]]; do
    case $1 in
      --install) install=1 ;;
      --help | -h) usage; exit 0 ;;
      --hawser | --only | --sizes | --latency-sizes | --repeats | --duration-ms | --congestion | --window | \
        --timeout | --quiet | --json)
        [[ $# -ge 2 ]] || { echo "peers.sh: $1 wants a value" >&2; exit 2; }
        set_option "$1" "$2"
        shift ;;
      *) echo "peers.sh: no option $1; see --help" >&2; exit 2 ;;
    esac
    shift
  done
  local number
  for number in "$repeats" "$duration_ms" "$window" "$timeout_s" "$quiet_s"; do
    [[ $number =~ ^[1-9][0-9]{0,5}$ ]] || { echo "peers.sh: '$number' is no number above 0" >&2; exit 2; }
  done
}

set_option() {
  case $1 in
    --hawser) hawser=$2 ;;
    --only) only=$2 ;;
    --sizes) sizes=$2 ;;
    --latency-sizes) latency_sizes=$2 ;;
    --repeats) repeats=$2 ;;
    --duration-ms) duration_ms=$2 ;;
    --congestion) congestion=$2 ;;
    --window) window=$2 ;;
    --timeout) timeout_s=$2 ;;
    --quiet) quiet_s=$2 ;;
    --json) json=$2 ;;
  esac
}

check_peers() {
  local peer
  for peer in ${only//,/ }; do
    declare -F "${peer}_needs" >/dev/null || { echo "peers.sh: no peer '$peer'" >&2; exit 2; }
  done
}

# Before there is a namespace: that has no way out.
install_all() {
  local peer
  local -a needs
  for peer in ${only//,/ }; do
    mapfile -t needs < <("${peer}_needs")
    hawser_setup "${PEERS_NEEDS[@]}" "${needs[@]}"
  done
}

# Again, in a network namespace of our own: it is gone when this process is, whatever ends it.
enter_namespace() {
  [[ $congestion != kernel && -z ${HAWSER_PEERS_INSIDE-} ]] || return 0
  local how=(unshare --net)
  [[ $EUID -eq 0 ]] || how=(unshare --map-root-user --net)
  if "${how[@]}" true 2>/dev/null; then
    HAWSER_PEERS_INSIDE=1 exec "${how[@]}" -- "$0" "${given[@]}"
  fi
  echo "peers.sh: no network namespace for us: the kernel's congestion control stays" >&2
  congestion=kernel
}

prepare_network() {
  if [[ -n ${HAWSER_PEERS_INSIDE-} ]]; then
    ip link set lo up
    echo "$congestion" 2>/dev/null >/proc/sys/net/ipv4/tcp_congestion_control ||
      hawser_die "peers.sh: no congestion control '$congestion' in a network namespace; there may be: $(
        cat /proc/sys/net/ipv4/tcp_allowed_congestion_control)"
    fact "congestion control" "$congestion for all, set in a network namespace of the run"
  else
    fact "congestion control" \
      "$(cat /proc/sys/net/ipv4/tcp_congestion_control), the kernel's default: not set for this run"
  fi
  fact "tcp_rmem, tcp_wmem" "$(tr '\t' ' ' </proc/sys/net/ipv4/tcp_rmem); $(tr '\t' ' ' </proc/sys/net/ipv4/tcp_wmem)"
}

# Two CPUs of different cores.
choose_cpus() {
  local -a cpus
  mapfile -t cpus < <(lscpu --parse=CPU,CORE,SOCKET | awk -F, '!/^#/ && !seen[$2 "," $3]++ { print $1 }' |
    while read -r cpu; do taskset -c "$cpu" true 2>/dev/null && echo "$cpu"; done)
  [[ ${#cpus[@]} -ge 2 ]] || hawser_die "peers.sh: wants two cores, one for each side"
  client_cpu=${cpus[0]}
  server_cpu=${cpus[1]}
  fact "CPUs" "client on $client_cpu, server on $server_cpu"
}

# Fills `contenders`: hawser, and of the wanted peers those that are there.
find_contenders() {
  local peer
  local -a missing needs
  contenders=(hawser)
  for peer in ${only//,/ }; do
    mapfile -t needs < <("${peer}_needs")
    mapfile -t missing < <(hawser_missing "${needs[@]}")
    if [[ ${#missing[@]} -gt 0 ]]; then
      fact "$peer" "left out: needs the packages ${missing[*]} (--install gets them)"
    elif ! "${peer}_prepare" >"$work/log" 2>&1; then
      fact "$peer" "left out: it could not be prepared: $(tail -n 1 "$work/log")"
    else
      fact "$peer" "$("${peer}_version")"
      contenders+=("$peer")
    fi
  done
}

declare -A dropped=()
failures=0
noisy=0

why_it_failed() {
  case $1 in
    124 | 137) echo "it took longer than $timeout_s s" ;;
    *) echo "status $1: $(tail -n 1 "$work/log")" ;;
  esac
}

# sample CONTENDER TRAFFIC BYTES ROUND: appends "traffic,bytes,round,name,figure" lines.
sample() {
  local contender=$1 traffic=$2 bytes=$3 round=$4 status=0 name figure
  [[ -z ${dropped["$contender $traffic $bytes"]-} ]] || return 0
  "${contender}_offers" "$traffic" "$bytes" || return 0
  await_quiet
  "${contender}_run" "$traffic" "$bytes" >"$work/figures" 2>"$work/log" || status=$?
  if [[ $status -ne 0 ]]; then
    dropped["$contender $traffic $bytes"]=1
    failures=$((failures + 1))
    fact "failed" "$contender, $traffic of $bytes bytes: $(why_it_failed "$status")"
    return 0
  fi
  while read -r name figure; do
    printf '%s,%s,%s,%s,%s\n' "$traffic" "$bytes" "$round" "$name" "$figure" >>"$work/samples.csv"
  done <"$work/figures"
}

# sample_all TRAFFIC BYTES ROUND: each contender once, each round beginning with another one.
sample_all() {
  local i count=${#contenders[@]}
  for ((i = 0; i < count; ++i)); do sample "${contenders[(i + $3) % count]}" "$@"; done
}

run_rounds() {
  local round size bytes
  for ((round = 0; round < repeats; ++round)); do
    echo "round $((round + 1)) of $repeats" >&2
    for size in ${sizes//,/ }; do
      bytes=$(bytes_of "$size")
      sample_all stream "$bytes" "$round"
    done
    for size in ${latency_sizes//,/ }; do
      bytes=$(bytes_of "$size")
      sample_all latency "$bytes" "$round"
    done
  done
}

describe_run() {
  fact "machine" "$(uname -sr), $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), $(nproc) CPUs"
  fact "rounds" "$repeats, one sample of each contender per size, of about $duration_ms ms (iperf3: whole seconds)"
  fact "window" "$window messages for libfabric and OpenMPI (within 2 MiB, but two), $window sends for UCX; hawser: as many as its transport takes"
  fact "load before" "$(cut -d ' ' -f 1-3 /proc/loadavg)"
}

parse_options "$@"
check_peers
for size in ${sizes//,/ } ${latency_sizes//,/ }; do bytes_of "$size" >/dev/null; done
[[ -z $install ]] || install_all
mapfile -t missing < <(hawser_missing "${PEERS_NEEDS[@]}")
[[ ${#missing[@]} -eq 0 ]] || hawser_die "peers.sh: needs the packages ${missing[*]} (--install gets them)"
[[ -x $hawser ]] || hawser_die "peers.sh: no program $hawser: build hawser, or give --hawser"
enter_namespace

work=$(mktemp -d)
trap 'end_peers; rm -rf "$work"' EXIT
: >"$work/samples.csv"
: >"$work/facts.tsv"
describe_run
choose_cpus
prepare_network
fact "hawser" "$(hawser_version)"
find_contenders
run_rounds
fact "load after" "$(cut -d ' ' -f 1-3 /proc/loadavg); $noisy samples began while others used these CPUs"
python3 "$here/peers/table.py" "$work/samples.csv" "$work/facts.tsv" ${json:+--json "$json"} || exit 3
[[ $failures -eq 0 ]]

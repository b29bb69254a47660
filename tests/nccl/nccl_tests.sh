#!/bin/bash
# NVIDIA's nccl-tests over hawser's plugin, data checked: two MPI ranks, which NCCL takes for two
# hosts (see README.md), so that all traffic passes the network plugin. Needs a GPU, libnccl.so.2,
# OpenMPI, and nccl-tests built with MPI=1.
#
#   tests/nccl/nccl_tests.sh BUILD_DIR NCCL_TESTS_DIR [OUT_DIR]
#
# BUILD_DIR holds src/nccl/libnccl-net-hawser.so, NCCL_TESTS_DIR all_reduce_perf and its like.
# One line for each program: passed or failed, and bus bandwidth. All output is kept in OUT_DIR.
#
# From the environment:
#   NETWORKS         hawser; "hawser Socket" runs every program over NCCL's own transport, too
#   PROGRAMS         all_reduce all_gather sendrecv alltoall
#   ARGUMENTS        of each program, before "-c 1": -b 8 -e 128M -f 4 -w 1 -n 5
#   GPUS             one: all ranks on GPU 0; each: a GPU a rank; unset: each if there are enough
#   RANKS            2
#   TIMEOUT_S        120, for each program
#   LIBNCCL          libnccl.so.2 to use; unset: what the loader finds
#   IFNAME           lo
#   MPIRUN           mpirun
#   MPIRUN_ARGUMENTS further ones, such as "--mca pml ob1"
set -euo pipefail

usage="usage: nccl_tests.sh BUILD_DIR NCCL_TESTS_DIR [OUT_DIR]"
build=$(cd "${1:?$usage}" && pwd)
programs_dir=$(cd "${2:?$usage}" && pwd)
out=${3:-$(mktemp -d)}
mkdir -p "$out"
out=$(cd "$out" && pwd)

read -ra networks <<< "${NETWORKS:-hawser}"
read -ra programs <<< "${PROGRAMS:-all_reduce all_gather sendrecv alltoall}"
read -ra arguments <<< "${ARGUMENTS:--b 8 -e 128M -f 4 -w 1 -n 5}"
read -ra mpirun <<< "${MPIRUN:-mpirun}"
read -ra mpirun_arguments <<< "${MPIRUN_ARGUMENTS:-}"
ranks=${RANKS:-2}
plugin=$build/src/nccl/libnccl-net-hawser.so

die() {
  echo "nccl_tests.sh: $*" >&2
  exit 1
}

count_gpus() {
  nvidia-smi -L 2>/dev/null | grep -c '^GPU ' || true
}

# Both ranks on one GPU take turns on it, which caps the figures; data is checked all the same.
choose_gpus() {
  local available
  available=$(count_gpus)
  gpus=${GPUS:-}
  if [[ -z $gpus ]]; then
    gpus=one
    if ((available >= ranks)); then gpus=each; fi
  fi
  case $gpus in
    one) gpu_settings=(NCCL_TESTS_DEVICE=0) ;;
    each) gpu_settings=(NCCL_P2P_DISABLE=1 NCCL_SHM_DISABLE=1) ;;
    *) die "GPUS is one or each, not $gpus" ;;
  esac
  echo "$ranks ranks, $(if [[ $gpus == one ]]; then echo "one GPU for all"; else
    echo "one GPU each"; fi) ($available here), interface ${IFNAME:-lo}; $(uname -r), $(nproc) CPUs"
}

settings_of() {
  case $1 in
    hawser) settings=(NCCL_NET_PLUGIN="$plugin" NCCL_NET=hawser) ;;
    Socket) settings=(NCCL_NET_PLUGIN=none NCCL_NET=Socket) ;;
    *) die "no network $1" ;;
  esac
}

use_libnccl() {
  if [[ -z ${LIBNCCL:-} ]]; then return; fi
  mkdir -p "$out/lib"
  ln -sfn "$(realpath "$LIBNCCL")" "$out/lib/libnccl.so.2"
  export LD_LIBRARY_PATH=$out/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
}

check_prerequisites() {
  [[ -f $plugin ]] || die "no $plugin; build the target nccl-net-hawser"
  command -v "${mpirun[0]}" > /dev/null || die "no ${mpirun[0]}; set MPIRUN"
  local program missing
  for program in "${programs[@]}"; do
    program=$programs_dir/${program}_perf
    [[ -x $program ]] || die "no $program"
    missing=$(ldd "$program" | awk '/not found/ { print $1 }' | tr '\n' ' ')
    [[ -z $missing ]] || die "$program lacks $missing(LIBNCCL, LD_LIBRARY_PATH)"
  done
}

# Each rank has its own NCCL_HOSTID, NCCL log, and time limit: if mpirun alone is ended, its ranks
# hold the GPU for some seconds more.
run_ranks() {
  local program=$1 output=$2 log=$3 limit_s=${TIMEOUT_S:-120}
  # The child's shell expands these.
  # shellcheck disable=SC2016
  local as_rank='rank=${OMPI_COMM_WORLD_RANK:-${PMI_RANK:?neither OpenMPI nor a PMI started this}}
    export NCCL_HOSTID=hawser-$rank NCCL_DEBUG_FILE=$NCCL_DEBUG_FILE.$rank; exec timeout -k 5 "$@"'
  env "${settings[@]}" "${gpu_settings[@]}" NCCL_SOCKET_IFNAME="${IFNAME:-lo}" \
    NCCL_DEBUG=INFO NCCL_DEBUG_FILE="$log" \
    OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 \
    timeout -k 5 $((limit_s + 20)) \
    "${mpirun[@]}" --oversubscribe --bind-to none "${mpirun_arguments[@]}" -np "$ranks" \
    bash -c "$as_rank" rank "$limit_s" "$programs_dir/${program}_perf" "${arguments[@]}" -c 1 \
    < /dev/null > "$output" 2> "$output.stderr"
}

# Prints what is wrong with a table of nccl-tests, or nothing. A row has #wrong out of place and in
# place; where a program does not check the latter (send and receive), it is N/A.
table_errors() {
  awk '
    /^# Out of bounds values/ { summary = $0 }
    /^ *[0-9]+ +[0-9]+ / {
      ++rows
      if (NF != 13) print "a row of " NF " columns: " $0
      else if ($9 != "0" || ($13 != "0" && $13 != "N/A")) print "wrong data: " $0
    }
    END {
      if (!rows) print "no rows"
      if (summary !~ /Out of bounds values *: 0 OK$/) print "no \"Out of bounds values : 0 OK\""
    }' "$1"
}

# NCCL says in its log which transport each channel uses, in each rank.
log_errors() {
  local log=$1 network=$2 rank other
  for ((rank = 0; rank < ranks; ++rank)); do
    if ! grep -qs "via NET/$network/" "$log.$rank"; then
      echo "rank $rank does not say \"via NET/$network\""
      continue
    fi
    other=$(sed -nE 's|.*Channel .* via ([A-Z0-9]+(/[A-Za-z]+)?).*|\1|p' "$log.$rank" |
      grep -vx "NET/$network" | sort -u | tr '\n' ' ' || true)
    if [[ -n $other ]]; then echo "rank $rank uses other transports, too: $other"; fi
  done
}

# Average over all rows, both ways of running, and the last row's, out of place.
bandwidths() {
  awk '
    /^# Avg bus bandwidth/ { average = $6 }
    /^ *[0-9]+ +[0-9]+ / && NF == 13 { bytes = $1; last = $8 }
    END { printf "%.3f GB/s average, %s GB/s with %s bytes\n", average, last, bytes }' "$1"
}

run_one() {
  local network=$1 program=$2
  local output=$out/$network-$program.txt log=$out/$network-$program.log errors="" code=0
  settings_of "$network"
  rm -f "$log".*
  run_ranks "$program" "$output" "$log" || code=$?
  if ((code == 124 || code == 137)); then
    errors="no end within ${TIMEOUT_S:-120} s"
  elif ((code != 0)); then
    errors="exit code $code"
  fi
  errors+=${errors:+$'\n'}$(table_errors "$output"; log_errors "$log" "$network")
  # An exit code alone leaves an empty second line.
  errors=${errors%$'\n'}
  if [[ -z $errors ]]; then
    printf '%-7s %-11s passed  %s\n' "$network" "$program" "$(bandwidths "$output")"
    return 0
  fi
  printf '%-7s %-11s FAILED  %s\n' "$network" "$program" "$(head -1 <<< "$errors")"
  {
    echo "$errors"
    tail -n 15 "$output"
    tail -n 15 "$output.stderr"
    grep -hE "WARN|NET/" "$log".* 2>/dev/null | tail -n 15 || true
    echo "all of it: $output, $output.stderr, $log.*"
  } | sed 's/^/  | /' >&2
  return 1
}

use_libnccl
check_prerequisites
choose_gpus
failed=0
for program in "${programs[@]}"; do
  for network in "${networks[@]}"; do
    run_one "$network" "$program" || failed=$((failed + 1))
  done
done
if ((failed)); then
  echo "$failed failed" >&2
  exit 1
fi

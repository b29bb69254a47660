#!/bin/bash
# Stock NCCL over hawser's plugin and over its own Socket transport, side by side in one go: two
# ranks on one GPU over loopback (see README.md), runs of all configurations interleaved, medians,
# one table. Needs a GPU and libnccl.so.2.
#
#   tests/nccl/compare.sh BUILD_DIR [OUT_DIR]
#
# BUILD_DIR holds src/nccl/libnccl-net-hawser.so and tests/nccl/nccl_pair; without a nccl_pair
# there, it is compiled here. REPEATS (3), SECONDS_EACH (0.3), MAX_BYTES (268435456), LIBNCCL (looked
# for) and CONFIGURATIONS (all) are read from the environment.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${1:?usage: compare.sh BUILD_DIR [OUT_DIR]}" && pwd)
out=${2:-$(mktemp -d)}
mkdir -p "$out"
out=$(cd "$out" && pwd)
repeats=${REPEATS:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

find_libnccl() {
  if [[ -n ${LIBNCCL:-} ]]; then echo "$LIBNCCL"; return; fi
  ldconfig -p | sed -n 's/.*libnccl\.so\.2 .*=> //p' | head -1
}

# Two physical copies: the loader keeps them apart, each with its own state.
copy_libnccl() {
  local from
  from=$(find_libnccl)
  [[ -n $from ]] || { echo "compare.sh: no libnccl.so.2; set LIBNCCL" >&2; exit 1; }
  mkdir -p "$work/a" "$work/b"
  cp -L "$from" "$work/a/libnccl.so.2"
  cp -L "$from" "$work/b/libnccl.so.2"
}

find_program() {
  program=$build/tests/nccl/nccl_pair
  if [[ ! -x $program ]]; then
    program=$work/nccl_pair
    g++ -std=c++20 -O2 -rdynamic -o "$program" "$here"/*.cc -ldl -pthread
  fi
}

plugin=$build/src/nccl/libnccl-net-hawser.so
tuning=(NCCL_P2P_NET_CHUNKSIZE=524288 NCCL_MIN_NCHANNELS=4 NCCL_MAX_NCHANNELS=4
        NCCL_MIN_P2P_NCHANNELS=4 NCCL_MAX_P2P_NCHANNELS=4)
socket=(NCCL_NET_PLUGIN=none NCCL_NET=Socket)
hawser=(NCCL_NET_PLUGIN="$plugin" NCCL_NET=hawser)

settings_of() {
  case $1 in
    hawser) settings=("${hawser[@]}") ;;
    hawser-tuned) settings=("${hawser[@]}" "${tuning[@]}") ;;
    socket) settings=("${socket[@]}") ;;
    socket-4x1) settings=("${socket[@]}" NCCL_SOCKET_NTHREADS=4 NCCL_NSOCKS_PERTHREAD=1) ;;
    socket-best) settings=("${socket[@]}" "${tuning[@]}" NCCL_SOCKET_NTHREADS=4
                           NCCL_NSOCKS_PERTHREAD=4) ;;
    *) echo "compare.sh: no configuration $1" >&2; exit 1 ;;
  esac
}
configurations=${CONFIGURATIONS:-hawser socket socket-4x1 socket-best hawser-tuned}

# NCCL says in its log which network each channel uses; a run over another one is no result.
check_network() {
  local log=$1 name=$2
  if ! grep -q "via NET/$name" "$log"; then
    echo "compare.sh: this run did not use NET/$name; NCCL's log:" >&2
    grep -E "NET|WARN" "$log" | tail -20 >&2
    exit 1
  fi
}

run_one() {
  local label=$1 log=$work/nccl.log
  settings_of "$label"
  local name=Socket
  [[ $label == hawser* ]] && name=hawser
  rm -f "$log"
  env "${settings[@]}" NCCL_SOCKET_IFNAME="${IFNAME:-lo}" NCCL_DEBUG=INFO NCCL_DEBUG_FILE="$log" \
    timeout 300 "$program" --label "$label" --libraries "$work/a/libnccl.so.2" \
    "$work/b/libnccl.so.2" --seconds-each "${SECONDS_EACH:-0.3}" \
    --max-bytes "${MAX_BYTES:-268435456}" >> "$out/samples.csv" || {
      echo "compare.sh: $label failed; the end of NCCL's log:" >&2
      tail -40 "$log" >&2
      cp "$log" "$out/failed-$label.log"
      exit 1
    }
  check_network "$log" "$name"
  cp "$log" "$out/nccl-$label.log"
}

describe_machine() {
  echo "kernel $(uname -r), $(nproc) CPUs, tcp_congestion_control $(
    cat /proc/sys/net/ipv4/tcp_congestion_control 2>/dev/null || echo unknown)"
  grep -m1 "model name" /proc/cpuinfo | sed 's/.*: //' || true
  echo "two NCCL ranks in one process on one GPU, loopback; $repeats interleaved runs of each"
}

copy_libnccl
find_program
: > "$out/samples.csv"
describe_machine | tee "$out/machine.txt"
for ((i = 0; i < repeats; ++i)); do
  for label in $configurations; do run_one "$label"; done
done
"$program" --table "$out/samples.csv" | tee "$out/table.txt"

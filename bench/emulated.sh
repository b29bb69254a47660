#!/usr/bin/env bash
# What unpacking costs end to end: `hawser perf` through the emulated TCPX, both sides on this machine,
# every unpack mode of host and GPU memory in turn. The emulator's own copies are in all figures.
#   bench/emulated.sh [BUILD [TURNS]]     build/release, 3
set -euo pipefail
build=$(readlink -f -- "${1:-build/release}")
turns=${2:-3}
export HAWSER_EMU_FRAGMENTS=${HAWSER_EMU_FRAGMENTS:-scattered}
export HAWSER_SOCKET_IFNAME=${HAWSER_SOCKET_IFNAME:-=lo}
threads=$(($(nproc) / 2 < 8 ? ($(nproc) + 1) / 2 : 8))

rate() { # MEMORY MODE
  HAWSER_EMU_BOUNCE=$1 HAWSER_UNPACK=$2 timeout 120 "$build/tools/hawser/hawser" perf --loopback --over net --memory "$1" \
    --plugin "$build/tests/emu/libnccl-net-tcpx-emu.so" --port-base 0 --mode stream --sizes 16M --channels 8 \
    --threads "$threads" --repeats 3 --duration-ms 300 --bare-sockets 0 2>/dev/null |
    awk '/^ *16 MiB /{print $3}'
}

modes=("host none" "host host")
if nvidia-smi -L >/dev/null 2>&1; then modes+=("cuda none" "cuda kernel" "cuda d2d" "cuda host"); fi
declare -A figures
for ((turn = 0; turn < turns; turn++)); do
  for mode in "${modes[@]}"; do
    # shellcheck disable=SC2086
    got=$(rate $mode)
    [[ -n $got ]] || { echo "$mode: hawser perf failed" >&2; exit 1; }
    figures[$mode]+="$got "
  done
done
printf '%-24s %10s   %s\n' 'memory, unpack' 'GB/s' "of host none (16 MiB messages, 8 channels, $threads threads a side, medians of $turns turns)"
median() { tr ' ' '\n' <<<"$1" | sed '/^$/d' | sort -g | awk '{v[NR]=$1} END{print v[int((NR + 1) / 2)]}'; }
base=$(median "${figures[host none]}")
for mode in "${modes[@]}"; do
  value=$(median "${figures[$mode]}")
  printf '%-24s %10s   %s\n' "$mode" "$value" "$(awk -v a="$value" -v b="$base" 'BEGIN{printf "%.2f", a / b}')"
done

# shellcheck shell=bash
# libfabric's tcp provider, connected endpoints. Debian has none of its streaming benchmarks, only a
# ping-pong: fabric_pair.cc is ours. See common.sh.
# shellcheck disable=SC2154  # the variables of peers.sh

libfabric_needs() { printf '%s\n' rdma/fabric.h=libfabric-dev "g++=g++"; }
libfabric_version() { echo "$(package_version libfabric1), fabric_pair, provider tcp, FI_EP_MSG"; }
libfabric_prepare() { compile_pair fabric_pair g++ -- -lfabric; }
libfabric_offers() { true; }

libfabric_run() {
  local traffic=$1 bytes=$2 port
  port=$(free_port)
  local -a job=("$port" "$traffic" "$bytes" "$(messages_for "$traffic" "$bytes")" "$window")
  with_server "$port" "$work/fabric_pair" server "${job[@]}" -- "$work/fabric_pair" client "${job[@]}" \
    >"$work/libfabric.out" || return
  echo "libfabric $(cat "$work/libfabric.out")"
}

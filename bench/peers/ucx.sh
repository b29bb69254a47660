# shellcheck shell=bash
# UCX over its tcp transport: ucx_perftest's tag matching, its own single buffer. See common.sh.
# shellcheck disable=SC2154  # the variables of peers.sh

ucx_needs() { echo ucx_perftest=ucx-utils; }
ucx_version() { echo "$(package_version ucx-utils), ucx_perftest tag_bw and tag_lat, UCX_TLS=tcp"; }
ucx_prepare() { true; }
ucx_offers() { true; }

ucx_run() {
  local traffic=$1 bytes=$2 test=tag_bw port messages
  if [[ $traffic == latency ]]; then test=tag_lat; fi
  port=$(free_port)
  messages=$(messages_for "$traffic" "$bytes")
  # It sends what it has never written, which is one page of zeros, read from the cache: fill it.
  local -x GLIBC_TUNABLES=glibc.malloc.perturb=165
  local -x UCX_TLS=tcp UCX_NET_DEVICES=lo
  with_server "$port" ucx_perftest -p "$port" -- ucx_perftest 127.0.0.1 -p "$port" -t "$test" -s "$bytes" \
    -n "$messages" -w "$((messages / 8 + 1))" -O "$window" -f -v >"$work/ucx.csv" || return
  python3 "$here/peers/figure.py" "ucx-$traffic" "$work/ucx.csv"
}

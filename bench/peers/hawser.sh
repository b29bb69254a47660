# shellcheck shell=bash
# hawser itself, and the bare sockets that it measures in the same breath. See common.sh.
# shellcheck disable=SC2154  # the variables of peers.sh

hawser_version() { echo "$("$hawser" version), hawser perf --loopback --idle spin"; }
hawser_offers() { true; }

hawser_run() {
  local traffic=$1 bytes=$2 mode=stream
  if [[ $traffic == latency ]]; then mode=pingpong; fi
  rm -f "$work/hawser.json"
  timeout -k 2 "$timeout_s" "$hawser" perf --loopback --cpus "$client_cpu" --server-cpus "$server_cpu" --idle spin \
    --mode "$mode" --sizes "$bytes" --repeats 1 --duration-ms "$duration_ms" --json "$work/hawser.json" \
    >/dev/null || return
  python3 "$here/peers/figure.py" hawser "$work/hawser.json"
}

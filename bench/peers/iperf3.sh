# shellcheck shell=bash
# iperf3: streams only, blocks of up to 1 MiB, whole seconds, no warm-up. See common.sh.
# shellcheck disable=SC2154  # the variables of peers.sh

IPERF3_MOST_BYTES=1048576

iperf3_needs() { echo iperf3=iperf3; }
iperf3_version() { echo "$(package_version iperf3), one stream, -N, messages of up to 1 MiB"; }
iperf3_prepare() { true; }
iperf3_offers() { [[ $1 == stream && $2 -le $IPERF3_MOST_BYTES ]]; }

iperf3_run() {
  local bytes=$2 port
  port=$(free_port)
  with_server "$port" iperf3 -s -1 -B 127.0.0.1 -p "$port" -- iperf3 -c 127.0.0.1 -p "$port" -N -l "$bytes" \
    -t "$(((duration_ms + 999) / 1000))" --json >"$work/iperf3.json" || return
  python3 "$here/peers/figure.py" iperf3 "$work/iperf3.json"
}

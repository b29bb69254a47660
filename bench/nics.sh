#!/usr/bin/env bash
# Measures how a link uses several NICs: two network namespaces, four veth pairs shaped by htb.
#
#   bench/nics.sh [--links PROGRAM] [--repeats N] [--seconds S] [--channels N] [--mbit N]
#                 [--only CASES]
#
# Cases: equal (four NICs of --mbit, 2000 unless told otherwise), unequal (one of them a quarter of that),
# change (equal, then one NIC's rate falls to a quarter in mid-run and rises again), idle (64 links of 16
# channels over loopback). Each figure is the median of the repeats; it is payload over the sum of the rates,
# which count Ethernet headers too: with the MTU of 9000 at most 0.993. On a machine whose CPUs cannot do it,
# less --mbit shows how the data is spread. Needs root, and a build with HAWSER_BUILD_BENCH. Exit status: 0,
# or 1 where a run failed; 3 it could not run.
set -euo pipefail
here=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd)
links=$here/../build/release/bench/links/links
repeats=5
seconds=3
channels=0
mbit=2000
only=equal,unequal,change,idle
nics=hw0,hw1,hw2,hw3

while [[ $# -gt 0 ]]; do
  case $1 in
    --links) links=$2 ;;
    --repeats) repeats=$2 ;;
    --seconds) seconds=$2 ;;
    --channels) channels=$2 ;;
    --mbit) mbit=$2 ;;
    --only) only=$2 ;;
    *) sed -n 's/^# \{0,1\}//; 2,/^set /{/^set /d;p}' "${BASH_SOURCE[0]}"; exit 2 ;;
  esac
  shift 2
done
[[ -x $links ]] || { echo "nics.sh: no program $links: build with HAWSER_BUILD_BENCH, or give --links" >&2; exit 3; }
[[ $EUID -eq 0 ]] || { echo "nics.sh: network namespaces need root" >&2; exit 3; }

a=hwnics-$$-a
b=hwnics-$$-b
remove() {
  ip netns pids "$b" 2>/dev/null | xargs -r kill 2>/dev/null || true
  ip netns del "$a" 2>/dev/null || true
  ip netns del "$b" 2>/dev/null || true
}
trap remove EXIT

make_namespaces() {
  local i ns
  for ns in "$a" "$b"; do
    ip netns add "$ns"
    ip -n "$ns" link set lo up
    ip netns exec "$ns" sh -c 'echo reno >/proc/sys/net/ipv4/tcp_congestion_control'
  done
  for i in 0 1 2 3; do
    ip -n "$a" link add "hw$i" type veth peer name "hw$i" netns "$b"
    ip -n "$a" addr add "10.78.$i.1/24" dev "hw$i"
    ip -n "$b" addr add "10.78.$i.2/24" dev "hw$i"
    for ns in "$a" "$b"; do ip -n "$ns" link set "hw$i" mtu 9000 up; done
  done
}

# shape NIC MBIT: both ends.
shape() {
  local ns
  for ns in "$a" "$b"; do
    if tc -n "$ns" class show dev "hw$1" | grep -q htb; then
      tc -n "$ns" class change dev "hw$1" parent 1: classid 1:1 htb rate "$2mbit" burst 256k cburst 256k quantum 60000
    else
      tc -n "$ns" qdisc add dev "hw$1" root handle 1: htb default 1
      tc -n "$ns" class add dev "hw$1" parent 1: classid 1:1 htb rate "$2mbit" burst 256k cburst 256k quantum 60000
      tc -n "$ns" qdisc add dev "hw$1" parent 1:1 pfifo limit 500
    fi
  done
}

# write_once OPTIONS...: one server and one client; the client's lines.
write_once() {
  ip netns exec "$b" timeout 60 "$links" serve --address 10.78.0.2 --devices $nics --channels "$channels" &
  local server=$!
  ip netns exec "$a" timeout 60 "$links" write --address 10.78.0.2 --devices $nics --channels "$channels" "$@"
  wait "$server"
}

# throughput NAME SUM_MBIT: the median of the repeats.
throughput() {
  local i
  for ((i = 0; i < repeats; ++i)); do write_once --seconds "$seconds"; done |
    sort -n | awk -v mbit="$2" -v name="$1" '
      BEGIN { sum = mbit / 1000 }
      { line[NR] = $0; rate[NR] = $1 }
      END {
        middle = int((NR + 1) / 2)
        printf "%s: %.3f of %.1f Gb/s (%.3f to %.3f): %s\n", name, rate[middle] * 8 / sum, sum, rate[1] * 8 / sum,
          rate[NR] * 8 / sum, line[middle]
      }'
}

change() {
  { sleep 3 && shape 3 $((mbit / 4)) && sleep 2 && shape 3 "$mbit"; } &
  local changing=$!
  echo "change: hw3 falls to a quarter after about 2 s of lines, and rises 2 s later"
  write_once --seconds 6 --every-ms 500
  wait "$changing"
}

make_namespaces
for nic in 0 1 2 3; do shape "$nic" "$mbit"; done
if [[ ,$only, == *,equal,* ]]; then throughput equal $((4 * mbit)); fi
if [[ ,$only, == *,change,* ]]; then change; fi
if [[ ,$only, == *,unequal,* ]]; then
  shape 3 $((mbit / 4))
  throughput unequal $((3 * mbit + mbit / 4))
fi
if [[ ,$only, == *,idle,* ]]; then
  ip netns exec "$a" "$links" idle --devices lo --channels 16 --links 64 --seconds 5
fi

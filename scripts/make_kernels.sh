#!/usr/bin/env bash
# Makes src/gpu/kernels/NAME_ptx.h of each NAME.cu: PTX for compute capability 7.0 and drivers from
# CUDA 9.0 on, which every driver translates for its GPU. They are committed, so that building hawser
# takes no CUDA compiler; this takes clang++ with its NVPTX target (Debian's has it), no CUDA toolkit.
# nvcc could not: it knows neither so old a GPU nor a PTX for drivers older than itself.
#   scripts/make_kernels.sh           makes them
#   scripts/make_kernels.sh --check   0: what is committed is what would be made; 1: it is not;
#                                     3: cannot tell, for want of the compiler that made it
# Where ptxas is found (PATH, /usr/local/cuda/bin), it must take the PTX for each GPU it knows from
# 7.0 on. CLANGXX names another clang++.
set -euo pipefail
root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)
cd "$root/src/gpu/kernels"
shared=copy_tile.cuh  # what all of them include
clangxx=${CLANGXX:-clang++}
PATH=$PATH:/usr/local/cuda/bin

hash_of_source() { cat "$shared" "$1.cu" | sha256sum | cut -d ' ' -f 1; }
compiler() { "$clangxx" --version | head -n 1; }

# Without the compiler's comments, which stand on lines of their own.
ptx() {
  "$clangxx" -x cuda --cuda-device-only --cuda-gpu-arch=sm_70 -Xclang -target-feature -Xclang +ptx60 \
    -nocudainc -nocudalib -Wno-unknown-cuda-version -std=c++17 -O3 -Wall -Wextra -Werror -S "$1.cu" -o - |
    sed -e '/^[[:space:]]*\/\//d' -e '/^[[:space:]]*$/d'
}

assemble() {
  command -v ptxas >/dev/null || { echo "no ptxas here: the PTX was not tried on it" >&2; return 0; }
  local gpu
  for gpu in $(ptxas --help | grep -o "'sm_[0-9]*'" | tr -d "'" | sort -u -V); do
    [[ ${gpu#sm_} -lt 70 ]] || ptxas -arch="$gpu" "$1" -o /dev/null
  done
}

camel_case() { sed -E 's/(^|_)([a-z])/\U\2/g' <<<"$1"; }

generate() {
  local name
  name=$(camel_case "$1")
  cat <<END
// Generated from $1.cu and $shared by scripts/make_kernels.sh: change those, then run this.
#pragma once

namespace hawser {

inline constexpr char k${name}SourceSha256[] =
    "$(hash_of_source "$1")";
inline constexpr char k${name}Compiler[] = "$(compiler)";
inline constexpr char k${name}Ptx[] = R"ptx(
$(cat "$2")
)ptx";

}  // namespace hawser
END
}

check_origin() {
  grep -q "$(hash_of_source "$1")" "$1_ptx.h" ||
    { echo "$1_ptx.h was not made from this $1.cu: run scripts/make_kernels.sh" >&2; exit 1; }
  command -v "$clangxx" >/dev/null ||
    { echo "no $clangxx here: $1_ptx.h was not made again, to compare" >&2; exit 3; }
  grep -qF "\"$(compiler)\"" "$1_ptx.h" ||
    { echo "$1_ptx.h was made by another compiler than $(compiler)" >&2; exit 3; }
}

[[ $# -eq 0 || "$*" == --check ]] || { echo "usage: $0 [--check]" >&2; exit 2; }
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
for source in *.cu; do
  name=${source%.cu}
  if [[ $# -eq 1 ]]; then check_origin "$name"; fi
  ptx "$name" >"$made/ptx"
  assemble "$made/ptx"
  generate "$name" "$made/ptx" >"$made/${name}_ptx.h"
  if [[ $# -eq 1 ]]; then
    cmp "$made/${name}_ptx.h" "${name}_ptx.h"
  else
    cp "$made/${name}_ptx.h" .
  fi
done

#!/usr/bin/env bash
# Makes src/gpu/kernels/copy_blocks_ptx.h of copy_blocks.cu: PTX for compute capability 7.0 and
# drivers from CUDA 9.0 on, which every driver translates for its GPU. It is committed, so that
# building hawser takes no CUDA compiler; this takes clang++ with its NVPTX target (Debian's has it),
# no CUDA toolkit. nvcc could not: it knows neither so old a GPU nor a PTX for drivers older than itself.
#   scripts/make_kernels.sh           makes it
#   scripts/make_kernels.sh --check   0: what is committed is what would be made; 1: it is not;
#                                     3: cannot tell, for want of the compiler that made it
# Where ptxas is found (PATH, /usr/local/cuda/bin), it must take the PTX for each GPU it knows from
# 7.0 on. CLANGXX names another clang++.
set -euo pipefail
root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)
cd "$root/src/gpu/kernels"
source=copy_blocks.cu
header=copy_blocks_ptx.h
clangxx=${CLANGXX:-clang++}
PATH=$PATH:/usr/local/cuda/bin

hash_of_source() { sha256sum "$source" | cut -d ' ' -f 1; }
compiler() { "$clangxx" --version | head -n 1; }

# Without the compiler's comments, which stand on lines of their own.
ptx() {
  "$clangxx" -x cuda --cuda-device-only --cuda-gpu-arch=sm_70 -Xclang -target-feature -Xclang +ptx60 \
    -nocudainc -nocudalib -Wno-unknown-cuda-version -std=c++17 -O3 -Wall -Wextra -Werror -S "$source" -o - |
    sed -e '/^[[:space:]]*\/\//d' -e '/^[[:space:]]*$/d'
}

assemble() {
  command -v ptxas >/dev/null || { echo "no ptxas here: the PTX was not tried on it" >&2; return 0; }
  local gpu
  for gpu in $(ptxas --help | grep -o "'sm_[0-9]*'" | tr -d "'" | sort -u -V); do
    [[ ${gpu#sm_} -lt 70 ]] || ptxas -arch="$gpu" "$1" -o /dev/null
  done
}

generate() {
  cat <<END
// Generated from $source by scripts/make_kernels.sh: change that, then run this.
#pragma once

namespace hawser {

inline constexpr char kCopyBlocksSourceSha256[] =
    "$(hash_of_source)";
inline constexpr char kCopyBlocksCompiler[] = "$(compiler)";
inline constexpr char kCopyBlocksPtx[] = R"ptx(
$(cat "$1")
)ptx";

}  // namespace hawser
END
}

check() {
  grep -q "$(hash_of_source)" "$header" ||
    { echo "$header was not made from this $source: run scripts/make_kernels.sh" >&2; exit 1; }
  command -v "$clangxx" >/dev/null ||
    { echo "no $clangxx here: $header was not made again, to compare" >&2; exit 3; }
  grep -qF "\"$(compiler)\"" "$header" ||
    { echo "$header was made by another compiler than $(compiler)" >&2; exit 3; }
}

[[ $# -eq 0 || "$*" == --check ]] || { echo "usage: $0 [--check]" >&2; exit 2; }
if [[ $# -eq 1 ]]; then check; fi
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
ptx >"$made/ptx"
assemble "$made/ptx"
generate "$made/ptx" >"$made/$header"
if [[ $# -eq 1 ]]; then
  cmp "$made/$header" "$header"
else
  cp "$made/$header" "$header"
fi

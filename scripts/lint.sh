#!/usr/bin/env bash
# Checks formatting and runs clang-tidy over the library and the tools; the packages clang-format and
# clang-tidy must be there. Fails on any finding.
set -euo pipefail
root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)
cd "$root"
for tool in clang-format clang-tidy; do
  command -v "$tool" >/dev/null || { echo "lint needs $tool: apt-get install $tool" >&2; exit 3; }
done
scripts/build.sh release
git ls-files '*.c' '*.cc' '*.h' '*.cu' | xargs clang-format --dry-run -Werror
git ls-files 'src/*.cc' 'tools/*.cc' | xargs -P "$(nproc)" -n 4 clang-tidy --quiet -p build/release

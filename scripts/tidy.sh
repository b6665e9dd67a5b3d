#!/bin/bash
# What `make tidy` runs: the checks of .clang-tidy over every file of src/ and the headers that it includes, or over the
# files named. JOBS sets how many at a time. Needs clang-tidy.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/configure.sh analyze
python3 scripts/analyze.py tidy "$@"

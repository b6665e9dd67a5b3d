#!/bin/bash
# What `make bench` runs: packages, the benchmark build, the micro benchmarks, then Forebay beside nginx and HAProxy on one
# cached answer. All on loopback. The Markdown table at the end is for docs/performance.md.
#   ROUNDS=5 SECONDS_EACH=5 CONNECTIONS=50 scripts/bench.sh [FILTER of the micro benchmarks]
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install-deps.sh bench

scripts/configure.sh bench
cmake --build build/bench -j "${JOBS:-$(nproc)}"

echo "== micro benchmarks =="
build/bench/tests/bench/forebay_micro ${1:+--benchmark_filter="$1"} --benchmark_counters_tabular=true

echo
echo "== side by side =="
python3 tests/bench/compare.py build/bench/forebay \
  --rounds "${ROUNDS:-5}" --seconds "${SECONDS_EACH:-5}" --connections "${CONNECTIONS:-50}"

echo
echo "== kinds of hits =="
python3 tests/bench/kinds.py build/bench/forebay \
  --rounds "${ROUNDS:-5}" --seconds "${SECONDS_EACH:-5}" --connections "${CONNECTIONS:-50}"

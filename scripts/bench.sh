#!/bin/bash
# What `make bench` runs: packages, the benchmark build, the micro benchmarks, then Forebay beside nginx and HAProxy on one
# cached answer. All on loopback. The Markdown table at the end is for docs/performance.md.
#   ROUNDS=5 SECONDS_EACH=5 CONNECTIONS=50 scripts/bench.sh [FILTER of the micro benchmarks]
set -euo pipefail
cd "$(dirname "$0")/.."

# What is installed for comparison is not to be started as a service of this machine (Debian asks policy-rc.d).
policy=/usr/sbin/policy-rc.d
if [ "$(id -u)" -eq 0 ] && [ ! -e $policy ]; then
  trap 'rm -f $policy' EXIT
  printf '#!/bin/sh\nexit 101\n' >$policy
  chmod 755 $policy
fi
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

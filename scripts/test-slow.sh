#!/bin/bash
# What `make test-slow` runs: `make test` again and again beside busy loops, to find tests that depend on the speed of the
# machine. It stops at the first run that fails, and always ends the loops.
#   RUNS=3        how often
#   LOOPS=4       busy loops (by default twice the cores)
#   LOAD_NICE=19  how nice the loops are; at 0 they take their whole share from the tests, which slows them far more
set -uo pipefail
cd "$(dirname "$0")/.."
runs=${RUNS:-3} loops=${LOOPS:-$((2 * $(nproc)))} load_nice=${LOAD_NICE:-19}

# Each loop ends by itself when this script is gone, however it went.
busy=()
trap 'for p in "${busy[@]}"; do kill "$p" 2>/dev/null; done' EXIT
trap 'exit 130' INT TERM HUP
for ((i = 0; i < loops; i++)); do
  nice -n "$load_nice" bash -c 'while kill -0 "$1" 2>/dev/null; do for ((n = 0; n < 200000; n++)); do :; done; done' busy $$ &
  busy+=($!)
done

for ((run = 1; run <= runs; run++)); do
  echo "== run $run of $runs beside $loops busy loops at nice $load_nice"
  scripts/test.sh || { echo "run $run of $runs failed"; exit 1; }
done
echo "$runs runs passed"

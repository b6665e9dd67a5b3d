#!/bin/sh
# Runs the fuzz targets under libFuzzer, one after the other, and ends with a table: executions, edges and features
# covered, inputs in the corpus. fuzz.sh [SECONDS of each, 600] [TARGET...]. Corpora stay in build/fuzz/corpus; an input
# that fails stays in build/fuzz/failures, and ends the run.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-600}
[ $# -eq 0 ] || shift
scripts/configure.sh fuzz
cmake --build build/fuzz -j "${JOBS:-$(nproc)}" --target libfuzzer_targets
[ $# -gt 0 ] || set -- $(ls tests/fuzz/seeds)
mkdir -p build/fuzz/corpus build/fuzz/failures build/fuzz/logs
table=build/fuzz/table.txt
: >$table
for name in "$@"; do
  mkdir -p build/fuzz/corpus/$name
  dictionary=
  [ ! -f tests/fuzz/dictionaries/$name.dict ] || dictionary=-dict=tests/fuzz/dictionaries/$name.dict
  log=build/fuzz/logs/$name.log
  echo "$name: $seconds s"
  if ! build/fuzz/tests/fuzz/libfuzzer_$name build/fuzz/corpus/$name tests/fuzz/seeds/$name $dictionary \
    -max_total_time="$seconds" -timeout=25 -rss_limit_mb=4096 -print_final_stats=1 \
    -artifact_prefix=build/fuzz/failures/$name- >$log 2>&1; then
    tail -40 $log >&2
    echo "fuzz: $name has failed; see $log and build/fuzz/failures" >&2
    exit 1
  fi
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' $log)
  covered=$(sed -n 's/.* cov: \([0-9]*\) ft: \([0-9]*\) .*/\1 \2/p' $log | tail -1)
  printf '%s %s %s %s\n' $name "$executions" "$covered" "$(ls build/fuzz/corpus/$name | wc -l)" >>$table
done
{ echo "target executions edges features corpus"; cat $table; } | awk '{ printf "%-20s %12s %8s %9s %7s\n", $1, $2, $3, $4, $5 }'

#!/bin/bash
# What `make test` runs: packages, a build with ASan and UBSan, every test, and one summary as the last line.
set -uo pipefail
cd "$(dirname "$0")/.."
build=build/asan
results=$build/results

fail() {
  echo "$1" >&2
  echo "0 passed, 1 failed"
  exit 1
}

scripts/install-deps.sh tests origins || fail "the packages that are missing could not be installed"
scripts/configure.sh asan || fail "the build could not be configured"
cmake --build $build -j "${JOBS:-$(nproc)}" || fail "the build failed"

rm -rf $results
mkdir -p $results
# Each test executable writes its cases here; ctest writes what is no GoogleTest (layers, fuzz seeds). The servers of
# tests/origins were installed above: a missing one fails.
FOREBAY_ORIGINS=required GTEST_OUTPUT="json:$PWD/$results/" ctest --test-dir $build --output-on-failure --no-tests=error \
  -j $((2 * ${JOBS:-$(nproc)})) --output-junit "$PWD/$results/ctest.xml"
status=$?
python3 scripts/summary.py $results $status

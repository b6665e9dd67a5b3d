#!/bin/bash
# What `make analyze` runs: clang's thread-safety analysis over every file of src/. Needs clang.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/configure.sh analyze
python3 scripts/analyze.py threads

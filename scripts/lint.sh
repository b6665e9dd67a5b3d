#!/bin/bash
# What is checked without a build: the layers, and the format of every source. Needs python3 and clang-format.
set -euo pipefail
cd "$(dirname "$0")/.."

echo "== layers"
python3 tests/layers/layers_test.py .

echo "== format"
find src include tests \( -name '*.cpp' -o -name '*.hpp' \) -print0 | xargs -0 clang-format --dry-run -Werror

#!/bin/bash
# Checks without a build: the layers, the lines of the docs, and the format of every source. Needs python3 and clang-format.
set -euo pipefail
cd "$(dirname "$0")/.."

echo "== layers"
python3 tests/layers/layers_test.py .

echo "== docs"
python3 tests/deploy/docs_check.py lines

echo "== format"
find src include tests \( -name '*.cpp' -o -name '*.hpp' \) -print0 | xargs -0 clang-format --dry-run -Werror

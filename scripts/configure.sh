#!/bin/sh
# Configures build/PRESET once, through ccache where there is one. CMake itself looks after changes later.
set -eu
cd "$(dirname "$0")/.."
preset=$1
[ -f "build/$preset/build.ninja" ] && exit 0
if command -v ccache >/dev/null 2>&1; then
  exec cmake --preset "$preset" -DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_C_COMPILER_LAUNCHER=ccache
fi
exec cmake --preset "$preset"

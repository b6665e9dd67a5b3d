#!/bin/sh
# Configures build/PRESET once, through ccache where there is one. CMake itself looks after changes later.
set -eu
cd "$(dirname "$0")/.."
preset=$1
[ -f "build/$preset/build.ninja" ] && exit 0
if command -v ccache >/dev/null 2>&1; then
  # Precompiled headers: what of them a source uses is not known to ccache, so it looks at the whole.
  ccache="/usr/bin/env;CCACHE_SLOPPINESS=pch_defines,time_macros;ccache"
  exec cmake --preset "$preset" "-DCMAKE_CXX_COMPILER_LAUNCHER=$ccache" "-DCMAKE_C_COMPILER_LAUNCHER=$ccache"
fi
exec cmake --preset "$preset"

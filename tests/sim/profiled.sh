#!/usr/bin/env bash
# Builds sim_run for long runs, a third faster than the release build: for this very processor, and guided by the profile of
# a short run (g++'s -fprofile-use). Takes about three minutes; the program is build/profiled/tests/sim/sim_run.
#
#   tests/sim/profiled.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$PWD/build/profiled
jobs=${JOBS:-$(nproc)}
flags="-O2 -g1 -march=native -flto=$jobs"
export CCACHE_DISABLE=1  # it shortens the paths by which the second build finds the profile of the first

# with FLAGS: the objects of both builds stand at the same place, by which their profiles are found.
with() {
  cmake --preset release -B "$build" --log-level=NOTICE -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON \
    -DCMAKE_EXE_LINKER_FLAGS="-static-libstdc++ -static-libgcc" -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="$flags $*" >/dev/null
  cmake --build "$build" --target sim_run -j "$jobs"
}

rm -rf "$build"
with "-fprofile-generate=$build/profile"
"$build/tests/sim/sim_run" 1 300 >/dev/null
with "-fprofile-use=$build/profile -fprofile-partial-training -Wno-missing-profile"

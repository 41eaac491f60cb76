#!/usr/bin/env bash
# The benchmarks, on this machine (bench/README.md).
#
#   bench/run.sh [N...]     contacts of WELCOME-5 (default: 100000)
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset release --log-level=NOTICE >/dev/null
cmake --build build/release -j "$(nproc)" --target turnout welcome5 decide_bench
program=$PWD/build/release/turnout
folder=$(mktemp -d "${TMPDIR:-/tmp}/turnout-bench-XXXXXX")
trap 'rm -rf "$folder"' EXIT
build/release/bench/decide_bench --benchmark_min_time=0.2
bench/decide/run.py build/release/bench/decide_bench
for n in "${@:-100000}"; do
  for track in hops whole; do
    for peers in 1 3; do
      build/release/bench/welcome5 --turnout "$program" --database "sqlite:$folder" --n "$n" --peers "$peers" --track "$track"
      # The connection string is only known once the server runs.
      # shellcheck disable=SC2016
      scripts/with-postgres.sh bash -c 'build/release/bench/welcome5 --turnout "$1" --database "$TURNOUT_TEST_PG" --n "$2" \
        --peers "$3" --track "$4"' bench "$program" "$n" "$peers" "$track"
    done
  done
done

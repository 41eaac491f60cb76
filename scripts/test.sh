#!/usr/bin/env bash
# The whole suite in stages, one after the other; a stage that fails does not keep the next from running, unless it is a
# build: then there is nothing to run.
#
#   scripts/test.sh short|long
#
# The last line says `N passed, M failed` and counts single test cases (scripts/count_tests.py). The exit
# status is 0 only when nothing failed. The stages' logs and results stay in build/results/.
set -uo pipefail
cd "$(dirname "$0")/.."
length=${1:-short}
jobs=${JOBS:-$(nproc)}
results=$PWD/build/results
rm -rf "$results"
mkdir -p "$results"

trap 'trap - INT TERM; kill 0' INT TERM  # what runs in the background, too

# stage NAME COMMAND...: runs it, keeps its log, and notes its exit status for the count. The log is a file and no pipe, so
# that a process which outlives the command does not keep the stage from ending.
stage() {
  local name=$1 began=$SECONDS status=0 log=$results/$1/log command shown
  shift
  mkdir -p "$results/$name"
  echo "== $name"
  : >"$log"
  TURNOUT_RESULTS="$results/$name" "$@" >"$log" 2>&1 &
  command=$!
  tail -n +1 -f -s 0.2 --pid="$command" "$log" &
  shown=$!
  wait "$command" || status=$?
  wait "$shown"
  echo "$status" >"$results/$name/status"
  echo "== $name: $([ $status = 0 ] && echo passed || echo FAILED) after $((SECONDS - began)) s"
  return "$status"
}

finish() {
  echo
  /usr/bin/python3 scripts/count_tests.py "$results"
  exit
}

# suite NAME PRESET LABELS [WRAPPER...]: the ctest tests with those labels, counted case by case.
suite() {
  local name=$1 preset=$2 labels=$3
  shift 3
  stage "$name" env GTEST_OUTPUT="json:$results/$name/" "$@" \
    ctest --test-dir "build/$preset" -L "$labels" -j "$jobs" --output-on-failure --no-tests=error \
    --output-junit "$results/$name/ctest.xml"
}

build() {
  local preset=$1
  shift
  cmake --preset "$preset" --log-level=NOTICE >/dev/null && cmake --build "build/$preset" -j "$jobs" --target "$@"
}

# All suites run under the address and undefined-behaviour sanitizers. The development build is made and tested in the long run
# only: it is what everybody works with all day.
stage build-asan build asan tests_unit tests_sim tests_db template_oracle turnout || finish
suite unit asan unit
# This keeps one processor busy, the others wait for much of their time.
(stage model tests/model/run.sh "$length") >"$results/model.out" 2>&1 &
suite sim asan sim
suite db asan db scripts/with-postgres.sh
wait
cat "$results/model.out"
stage template-oracle tests/template/oracle/run.sh build/asan
stage edit-client tests/edit/client/run.sh build/asan
stage tools tests/tools/run.sh

stage build-release build release turnout sim_run || finish
# Real processes wait for most of their time, so the simulation takes what they leave.
(stage simulation nice -n 19 tests/sim/run.py build/release/tests/sim/sim_run --cycles 2400000 --jobs "$jobs") \
  >"$results/simulation.out" 2>&1 &
if [ -x tests/faults/run.sh ]; then stage faults tests/faults/run.sh "$length"; fi
stage demo env DATABASE=sqlite scripts/demo.sh
wait
cat "$results/simulation.out"
if [ "$length" = long ]; then
  stage build-dev build dev all || finish
  suite dev dev 'unit|sim'
  stage demo-postgresql env DATABASE=postgresql scripts/demo.sh
  stage sim-long tests/sim/run.py build/release/tests/sim/sim_run --cycles 24000000 --first 1000001 --jobs "$jobs"
fi

finish

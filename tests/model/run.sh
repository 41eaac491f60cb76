#!/usr/bin/env bash
# Checks the model of the peer group with Spin (README.md says what that covers).
#
#   tests/model/run.sh [short|long]     long: larger instances, some minutes more
#
# Prints a line for each check: what was explored, how deep, and in what time; ends with `N passed, M failed`,
# and writes the two numbers for scripts/count_tests.py when TURNOUT_RESULTS names a folder. Asks nothing.
# JOBS says how many checks run at once (default: the number of processors; the largest takes 1.3 GB).
# A check that fails keeps its folder and says how to see the trail.
set -euo pipefail
model=$(cd "$(dirname "$0")" && pwd)/group.pml
length=${1:-short}
jobs=${JOBS:-$(nproc)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
began=$SECONDS

for tool in spin gcc; do
  command -v "$tool" >/dev/null || { echo "model: $tool is missing; scripts/setup.sh test installs it" >&2; exit 1; }
done

# Every step is one atomic change of global state: partial order reduction would find nothing to leave out.
safety="-DSAFETY -DNOREDUCE -DMEMLIM=4000"
liveness="-DNFAIR=3 -DNOREDUCE -DMEMLIM=4000"

# The instances; group.pml says what the parts are.
ledger_3_2="-DPEERS=3 -DTRACKS=2 -DCLAIMS=0 -DWINDOW=1 -DPAUSES=0 -DWRITES=0"
ledger_3_1="-DPEERS=3 -DTRACKS=1 -DCLAIMS=0 -DWINDOW=2"
whole_2_1="-DPEERS=2 -DTRACKS=1 -DWINDOW=2 -DCOUNTERS=1"
whole_2_2="-DPEERS=2 -DTRACKS=2 -DWINDOW=1 -DVERDICT=1"
whole_3_2="-DPEERS=3 -DTRACKS=2 -DWINDOW=2 -DCOUNTERS=1 -DVERDICT=1"
challenge="-DPEERS=2 -DTRACKS=1 -DLEDGER=0 -DWRITES=0 -DCOUNTERS=1 -DVERDICT=1"
rounds_3_1="-DLIVE -DPEERS=3 -DTRACKS=1 -DWINDOW=3 -DCOUNTERS=1"
rounds_3_2="-DLIVE -DPEERS=3 -DTRACKS=2 -DWINDOW=3 -DCOUNTERS=1"
rounds_2_2="-DLIVE -DPEERS=2 -DTRACKS=2 -DWINDOW=3 -DCOUNTERS=1"

# The properties, as Spin prints the assertion that fails.
g1='assertion violated .*(>epoch\[|\]==0\))'
g2='assertion violated \(?\(?(write_epoch|owner_of\[\(\(0\*).*(==epoch\[0\]|==writer)'
g12='assertion violated .*quiet\['
arbitration='assertion violated .*says\['
witness='assertion violated'
owned='acceptance cycle'

# explore FOLDER SPIN-DEFINES CC-OPTIONS PAN-ARGUMENTS [SECONDS]: the search's output is left in FOLDER/out.
explore() {
  local folder=$1 defines=$2 compile=$3 arguments=$4 seconds=${5:-0}
  mkdir -p "$folder"
  cd "$folder"
  # shellcheck disable=SC2086  # words on purpose, here and below
  spin -a $defines "$model" >spin.log 2>&1 </dev/null
  # shellcheck disable=SC2086
  gcc -w $compile -o pan pan.c >gcc.log 2>&1 </dev/null
  # shellcheck disable=SC2086  # an interrupted search prints what it did until then
  timeout -s INT "$seconds" ./pan $arguments >out 2>&1 </dev/null || true
  rm -f pan pan.?
}

# holds NAME WHAT SPIN-DEFINES CC-DEFINES PAN-ARGUMENTS [SECONDS]: nothing is found. With SECONDS the search may
# end before it is complete; else it must be.
holds() {
  local name=$1 what=$2 folder=$work/$1 verdict=passed states depth time
  explore "$folder" "$3" "-O2 $4" "$5" "${6:-0}" || true
  local out=$folder/out
  grep -q 'errors: 0$' "$out" 2>/dev/null || verdict=FAILED
  if grep -q 'max search depth too small' "$out" && [ -z "${6:-}" ]; then verdict=FAILED; fi
  if grep -Eq 'interrupted|out of memory|memory limit' "$out" && [ -z "${6:-}" ]; then verdict=FAILED; fi
  states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' "$out" 2>/dev/null)
  depth=$(sed -n 's/.*depth reached \([0-9]*\).*/\1/p' "$out" 2>/dev/null)
  time=$(sed -n 's/^pan: elapsed time \([0-9.e+]*\).*/\1/p' "$out" 2>/dev/null)
  report "$verdict" "$name" "$what: ${states:-?} states, depth ${depth:-?}, ${time:-?} s" "$3"
}

# finds NAME PROPERTY SPIN-DEFINES CC-DEFINES PAN-ARGUMENTS: the search must find that PROPERTY is violated.
finds() {
  local name=$1 property=$2 folder=$work/$1 verdict=passed depth
  explore "$folder" "$3" "-O1 $4" "$5" 60 || true
  grep -Eq "pan:[0-9]+: ${!property}" "$folder/out" 2>/dev/null || verdict=FAILED
  depth=$(sed -n 's/^pan:.*(at depth \([0-9]*\)).*/\1/p' "$folder/out" 2>/dev/null | head -n 1)
  report "$verdict" "$name" "$property refuted at depth ${depth:-?}" "$3"
}

# report VERDICT NAME TEXT DEFINES
report() {
  printf '%-6s %-34s %s\n' "$1" "$2" "$3"
  if [ "$1" = FAILED ]; then
    tail -n 5 "$work/$2"/*.log "$work/$2/out" 2>/dev/null || true
    local kept
    kept=$(mktemp -d)
    cp -r "$work/$2/." "$kept/"
    echo "       trail: spin -k $kept/group.pml.trail -p -g $4 $model"
    touch "$work/failed.$2"
  else
    touch "$work/passed.$2"
  fi
}

# Starts a check when one of the places is free.
running=0
start() {
  if [ "$running" -ge "$jobs" ]; then
    wait -n || true
    running=$((running - 1))
  fi
  "$@" &
  running=$((running + 1))
}

deep="-E -m3000000"
short="-E -m20000" # finds a fault by a short way
loops="-a -f -m2000000"

seconds=20
memory=31
if [ "$length" = long ]; then
  seconds=600
  memory=33
  start holds owned-3-peers-1-track-2-faults "every fair run, 2 faults" "$rounds_3_1 -DFAULTS=2" "$liveness" "$loops -w25"
fi
start holds G1-G2-G12-3-peers-2-tracks "every order" "$ledger_3_2" "$safety" "$deep -w26"
start holds whole-3-peers-2-tracks "bitstate, $seconds s of it" "$whole_3_2" "$safety -DBITSTATE" \
  "-E -m200000 -w$memory -k3" "$seconds"
start holds G1-G2-G12-3-peers-1-track "every order, with pauses" "$ledger_3_1" "$safety" "$deep -w24"
start holds whole-2-peers-1-track "every order, with claims" "$whole_2_1" "$safety" "$deep -w24"
start holds arbitration-any-counts "every order" "$challenge" "$safety" "$deep -w24"
start holds owned-3-peers-1-track "every fair run, 1 fault" "$rounds_3_1 -DFAULTS=1" "$liveness" "$loops -w24"
start holds owned-3-peers-1-track-silent "every fair run, 1 fault" "$rounds_3_1 -DFAULTS=1 -DGONE_SEEN=0" \
  "$liveness" "$loops -w24"
start holds owned-2-peers-2-tracks "every fair run, 2 faults" "$rounds_2_2 -DFAULTS=2" "$liveness" "$loops -w24"
start holds owned-3-peers-2-tracks "every fair run, no fault" "$rounds_3_2 -DFAULTS=0" "$liveness" "$loops -w24"

# Each property can fail: a fault planted in the model is found.
mutant() { start finds "mutant-$1" "$2" "$3 -DMUTANT_$1" "$4" "$5"; }
mutant CAS_UNCOMPARED g1 "$whole_2_1" "$safety" "$short"
mutant EPOCH_NOT_RAISED g1 "$ledger_3_1" "$safety" "$short"
mutant COMMIT_UNFENCED g2 "$ledger_3_1" "$safety" "$short"
mutant CHECK_THEN_WRITE g2 "$ledger_3_1" "$safety" "$short"
mutant STAMP_IGNORED g12 "$whole_2_1" "$safety" "$short"
mutant OLD_READING g12 "$ledger_3_1" "$safety" "$short"
mutant CONNECTION_ONLY g12 "$ledger_3_1" "$safety" "$short"
mutant TIE_KEPT arbitration "$challenge" "$safety" "$short"
mutant TIE_WITHDRAWN arbitration "$challenge" "$safety" "$short"
mutant NAME_FIRST arbitration "$challenge" "$safety" "$short"
mutant COUNT_NOW arbitration "$whole_2_2 -DWRITES=0 -DPAUSES=0" "$safety" "-E -m24"
mutant REFUSED_WRITE_UNHEARD owned "$rounds_2_2 -DFAULTS=2" "$liveness" "$loops"
mutant CLAIMS_NEVER_LAPSE owned "$rounds_3_1 -DFAULTS=1" "$liveness" "$loops"
mutant REFUSAL_FORGOTTEN owned "$rounds_3_1 -DFAULTS=1" "$liveness" "$loops"

# What makes the properties worth checking does happen.
reached() { start finds "reached-$1" witness "$2 -DWITNESS_$1" "$safety" "$short"; }
reached REFUSED_COMMIT "$ledger_3_1"
reached COMMIT_AFTER_DEATH "$ledger_3_1"
reached TAKEN_FROM_PAUSED "$ledger_3_1"
reached TAKEN_WHILE_STAMPING "$ledger_3_1"
reached REFUSED_TAKE "$whole_2_1"
reached BOTH_VERDICTS "$challenge"
wait

passed=$(find "$work" -maxdepth 1 -name 'passed.*' | wc -l)
failed=$(find "$work" -maxdepth 1 -name 'failed.*' | wc -l)
if [ -n "${TURNOUT_RESULTS:-}" ]; then echo "$passed $failed" >"$TURNOUT_RESULTS/count"; fi
echo "model: $((SECONDS - began)) s"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]

#!/usr/bin/env bash
# Real servers and real faults: killed at random moments (kills.py), replaced by another version one by one (upgrade.py),
# owners stopped or cut off and coming back (takeovers.py), all that befalls servers (nemesis.py), slow lines and NAT (wan.py),
# strangers at the door (strangers.py), keys and certificates replaced under them (credentials.py).
#
#   tests/faults/run.sh [short|long|takeovers|HOURS]
#
#     short      a few of each (default)
#     long       50 of each, 100 take-overs
#     takeovers  500 take-overs at a cycle of 250 ms, three groups side by side
#     a number   the nemesis for so many hours, most of them on PostgreSQL
#
# TURNOUT names the program (default: build/release/turnout), SEED repeats a run. What failed is named again at the end.
set -uo pipefail
cd "$(dirname "$0")/../.."
program=${TURNOUT:-$PWD/build/release/turnout}
seed=${SEED:-$(date +%s)}
failed=()
passed=0
run() {
  if "$@"; then
    passed=$((passed + 1))
  else
    failed+=("$*")
    echo "FAILED: $*"
  fi
}
kills() {
  run /usr/bin/python3 tests/faults/kills.py --turnout "$program" --database sqlite --kills "$1" --seed "$seed"
  run scripts/with-postgres.sh /usr/bin/python3 tests/faults/kills.py --turnout "$program" --database postgresql \
    --kills "$1" --seed "$seed"
}
upgrade() {
  run /usr/bin/python3 tests/faults/upgrade.py --turnout "$program" --database sqlite --seed "$seed" --rounds "$1"
  run scripts/with-postgres.sh /usr/bin/python3 tests/faults/upgrade.py --turnout "$program" --database postgresql \
    --seed "$seed" --rounds "$1"
}
# nemesis HOW_LONG_ON_SQLITE... -- HOW_LONG_ON_POSTGRESQL...
nemesis() {
  local sqlite=()
  while [ "$1" != -- ]; do sqlite+=("$1"); shift; done
  shift
  run /usr/bin/python3 tests/faults/nemesis.py --turnout "$program" --database sqlite --seed "$seed" "${sqlite[@]}"
  in_network nemesis.py --database postgresql "$@"
}
in_network() {
  local test=$1
  shift
  run env TURNOUT_PG_TCP=10.88.0.254 TURNOUT_PG_DISK=1 tests/faults/in-network.sh scripts/with-postgres.sh /usr/bin/python3 \
    "tests/faults/$test" --turnout "$program" --seed "$seed" "$@"
}
door() {
  run /usr/bin/python3 tests/faults/credentials.py --turnout "$program"
  run /usr/bin/python3 tests/faults/strangers.py --turnout "$program" --seconds "$1"
}
wan() {
  in_network wan.py "$@"
}
case ${1:-short} in
  short)
    kills 6
    upgrade 1
    in_network takeovers.py --takeovers 8 --groups 2
    nemesis --faults 6 -- --faults 12
    door 4
    wan --rounds 3 ;;
  long)
    kills 50
    upgrade 10
    in_network takeovers.py --takeovers 100 --groups 2
    nemesis --faults 50 -- --faults 50 --peers 5
    door 60
    wan --cycle 15s --minutes 20 ;;
  takeovers)
    in_network takeovers.py --takeovers 500 --cycle 250ms --groups 3 ;;
  *)
    minutes=$(/usr/bin/python3 -c 'import sys; print(float(sys.argv[1]) * 60)' "$1")
    nemesis --minutes "$(/usr/bin/python3 -c "print($minutes * 0.25)")" -- \
      --minutes "$(/usr/bin/python3 -c "print($minutes * 0.75)")" --peers 5 ;;
esac
for command in "${failed[@]}"; do echo "FAILED: $command"; done
if [ -n "${TURNOUT_RESULTS:-}" ]; then echo "$passed ${#failed[@]}" >"$TURNOUT_RESULTS/count"; fi
echo "$passed passed, ${#failed[@]} failed"
[ "${#failed[@]}" = 0 ]

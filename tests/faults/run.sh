#!/usr/bin/env bash
# Real servers, killed at random moments (kills.py says what is checked).
#
#   tests/faults/run.sh [short|long]     short: 8 kills on each database (default); long: 50 on each
#
# TURNOUT names the program (default: build/release/turnout), SEED repeats a run.
set -uo pipefail
cd "$(dirname "$0")/../.."
program=${TURNOUT:-$PWD/build/release/turnout}
kills=8
[ "${1:-short}" = long ] && kills=50
seed=${SEED:-$(date +%s)}
failed=0
passed=0
run() {
  if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}
run /usr/bin/python3 tests/faults/kills.py --turnout "$program" --database sqlite --kills "$kills" --seed "$seed"
run scripts/with-postgres.sh /usr/bin/python3 tests/faults/kills.py --turnout "$program" --database postgresql \
  --kills "$kills" --seed "$seed"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]

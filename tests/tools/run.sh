#!/usr/bin/env bash
# Tests of the project's own tools (scripts/, tests/faults/), by Python's unittest. Writes what passed and failed for
# scripts/count_tests.py when TURNOUT_RESULTS names a folder.
set -euo pipefail
cd "$(dirname "$0")"
exec /usr/bin/python3 run.py

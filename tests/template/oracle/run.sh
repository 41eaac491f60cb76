#!/usr/bin/env bash
# Compares our Liquid with liquidjs, case by case (cases.json; differences.json says what may differ).
#
#   tests/template/oracle/run.sh [BUILD]      BUILD: folder of a build that has template_oracle (default: build/dev)
#
# The first run fetches liquidjs as package-lock.json pins it, and needs the network for that; without it the run
# fails. Ends with `N passed, M failed`.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
build=${1:-build/dev}
program=$(cd "$root" && realpath -m "$build")/tests/template_oracle

[ -x "$program" ] || { echo "oracle: $program is missing; build the target template_oracle" >&2; exit 1; }

"$root/scripts/npm_ci.sh" "$here"
cd "$here"
exec env TZ=UTC node compare.mjs "$program"

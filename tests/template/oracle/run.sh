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

for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "oracle: $tool is missing; scripts/setup.sh test installs it" >&2; exit 1; }
done
[ -x "$program" ] || { echo "oracle: $program is missing; build the target template_oracle" >&2; exit 1; }

cd "$here"
# What npm installed last is noted in node_modules/.package-lock.json; it is older than a changed lock.
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  if ! npm ci --ignore-scripts --loglevel=error >&2; then
    echo "oracle: liquidjs could not be fetched (npm ci); it is needed to compare with" >&2
    exit 1
  fi
  touch node_modules/.package-lock.json
fi
exec env TZ=UTC node compare.mjs "$program"

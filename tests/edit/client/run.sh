#!/usr/bin/env bash
# Drives `turnout lsp` with the protocol's reference client, and reads the example tracks with the engine that editors read
# TextMate grammars with.
#
#   tests/edit/client/run.sh [BUILD]      BUILD: folder of a build that has the program (default: build/dev)
#
# The first run fetches both as package-lock.json pins them, and needs the network for that; without it the run fails.
# Ends with `N passed, M failed`.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
build=${1:-build/dev}
program=$(cd "$root" && realpath -m "$build")/turnout

for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "client: $tool is missing; scripts/setup.sh test installs it" >&2; exit 1; }
done
[ -x "$program" ] || { echo "client: $program is missing; build the target turnout" >&2; exit 1; }

cd "$here"
# What npm installed last is noted in node_modules/.package-lock.json; it is older than a changed lock.
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  if ! npm ci --ignore-scripts --loglevel=error >&2; then
    echo "client: the client could not be fetched (npm ci)" >&2
    exit 1
  fi
  touch node_modules/.package-lock.json
fi
exec env -u TURNOUT_SERVER node run.mjs "$program" "$root"

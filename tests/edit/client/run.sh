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

[ -x "$program" ] || { echo "client: $program is missing; build the target turnout" >&2; exit 1; }

"$root/scripts/npm_ci.sh" "$here"
cd "$here"
exec env -u TURNOUT_SERVER node run.mjs "$program" "$root"

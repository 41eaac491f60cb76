#!/usr/bin/env bash
# The main job, live: three peers, 45,211 contacts, the track's owner killed half-way, the totals checked.
#
#   DATABASE=sqlite|postgresql scripts/demo.sh [OPTION...]      options: scripts/demo.py --help
set -euo pipefail
cd "$(dirname "$0")/.."
case "${DATABASE:-sqlite}" in
  sqlite) exec scripts/demo.py "$@" ;;
  postgresql | postgres)
    # The connection string is only known once the server runs.
    # shellcheck disable=SC2016
    exec scripts/with-postgres.sh bash -c 'exec scripts/demo.py --database "$TURNOUT_TEST_PG" "$@"' demo "$@" ;;
  *) echo "demo: DATABASE is sqlite or postgresql, not '$DATABASE'" >&2; exit 2 ;;
esac

#!/usr/bin/env bash
# Installs the npm packages that a test's package-lock.json pins, unless they are there.
#
#   scripts/npm_ci.sh FOLDER
#
# The first run needs the network; without it this fails.
set -euo pipefail
cd "$1"
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "$1: $tool is missing; scripts/setup.sh test installs it" >&2; exit 1; }
done
# What npm installed last is noted in node_modules/.package-lock.json; it is older than a changed lock.
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  if ! npm ci --ignore-scripts --loglevel=error >&2; then
    echo "$1: its packages could not be fetched (npm ci)" >&2
    exit 1
  fi
  touch node_modules/.package-lock.json
fi

#!/usr/bin/env bash
# Runs a command with mounts of its own; options of unshare(1) may come before it. Needs root.
#
#   tests/faults/own-mounts.sh [-n] COMMAND [ARGUMENT...]
set -euo pipefail
# A root that is no mount point (chroot) cannot be made private.
propagation=unchanged
if awk '$5 == "/" { found = 1 } END { exit !found }' /proc/self/mountinfo; then propagation=private; fi
exec unshare -m --propagation "$propagation" "$@"

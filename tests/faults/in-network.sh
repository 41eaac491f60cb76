#!/usr/bin/env bash
# Runs a command in a network namespace made for it, with a bridge for the hosts of network.py, and with mounts of its
# own. Needs root or sudo.
#
#   tests/faults/in-network.sh COMMAND [ARGUMENT...]
set -euo pipefail
if [ "${TURNOUT_IN_NETWORK:-}" != 1 ]; then
  export TURNOUT_IN_NETWORK=1
  own_mounts=$(dirname "$0")/own-mounts.sh
  if [ "$(id -u)" = 0 ]; then exec "$own_mounts" -n "$0" "$@"; else exec sudo -E "$own_mounts" -n "$0" "$@"; fi
fi
ip link set lo up
ip link add hub type bridge
ip addr add 10.88.0.254/24 dev hub
ip link set hub up
exec "$@"

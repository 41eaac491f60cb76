#!/usr/bin/env bash
# Runs a command beside a PostgreSQL 15 of its own, and takes it away afterwards.
#
#   scripts/with-postgres.sh COMMAND [ARGUMENT...]
#
# The cluster lives in a temporary folder, listens on a Unix socket there (and, with TURNOUT_PG_TCP=1, on a
# free loopback port, for tests that cut connections; with TURNOUT_PG_TCP=ADDRESS at that address of a test
# network, for its hosts), and keeps PostgreSQL's own durability (fsync on). With TURNOUT_PG_DISK=1 its data are
# on a file system of their own in memory, for tests that fill it (tests/faults/disk.py): for root, where mounts
# are the caller's own. The command finds a connection string of the superuser in TURNOUT_TEST_PG and the folder
# of the cluster in TURNOUT_TEST_PG_DATA. The exit status is the command's.
set -euo pipefail
[ $# -gt 0 ] || { echo "usage: $0 COMMAND [ARGUMENT...]" >&2; exit 2; }

bin=${TURNOUT_PG_BIN:-/usr/lib/postgresql/15/bin}
if [ ! -x "$bin/initdb" ]; then
  echo "with-postgres: there is no $bin/initdb; run scripts/setup.sh test" >&2
  exit 1
fi

# PostgreSQL refuses to run as root, so root hands the cluster to the user that the package made.
as_owner=()
if [ "$(id -u)" = 0 ]; then as_owner=(runuser -u postgres --); fi

# In /tmp whatever TMPDIR says: a socket's path may have 107 bytes only.
folder=$(mktemp -d /tmp/turnout-pg-XXXXXX)
child=""
clean_up() {
  trap '' INT TERM HUP
  if [ -n "$child" ] && kill -0 "$child" 2>/dev/null; then
    kill -TERM "$child" 2>/dev/null || true
    wait "$child" 2>/dev/null || true
  fi
  if [ -f "$folder/data/postmaster.pid" ]; then
    "${as_owner[@]}" "$bin/pg_ctl" -D "$folder/data" -m immediate -w -t 30 stop >/dev/null 2>&1 || true
  fi
  cd /
  if [ -n "${TURNOUT_PG_DISK:-}" ]; then umount -l "$folder/data" 2>/dev/null || true; fi
  rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 129' HUP
# Ctrl-C is for the command, which decides what it means and may still end well.
trap 'if [ -n "$child" ]; then kill -INT "$child" 2>/dev/null; else exit 130; fi' INT
trap 'exit 143' TERM

here=$PWD
cd "$folder"
if [ "$(id -u)" = 0 ]; then chown postgres: "$folder"; fi
chmod 711 "$folder"
if [ -n "${TURNOUT_PG_DISK:-}" ]; then
  "${as_owner[@]}" mkdir -m 700 "$folder/data"
  mount -t tmpfs -o "size=8G,mode=700,uid=$(id -u postgres),gid=$(id -g postgres)" tmpfs "$folder/data"
fi
if ! "${as_owner[@]}" "$bin/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 \
  >initdb.log 2>&1; then
  cat initdb.log >&2
  exit 1
fi
port=5432
listen=""
if [ -n "${TURNOUT_PG_TCP:-}" ]; then
  port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  listen=$TURNOUT_PG_TCP
  if [ "$listen" = 1 ]; then listen=127.0.0.1; else echo "host all all $listen/24 trust" >>"$folder/data/pg_hba.conf"; fi
fi
"${as_owner[@]}" tee -a "$folder/data/postgresql.conf" >/dev/null <<CONF
listen_addresses = '$listen'
port = $port
unix_socket_directories = '$folder'
max_connections = 200
shared_buffers = '256MB'
max_wal_size = '4GB'
logging_collector = off
timezone = 'UTC'
CONF
if ! "${as_owner[@]}" "$bin/pg_ctl" -D "$folder/data" -l "$folder/data/server.log" -w -t 60 start \
  >start.log 2>&1; then
  cat start.log "$folder/data/server.log" >&2
  exit 1
fi
if [ -n "$listen" ]; then
  export TURNOUT_TEST_PG="postgresql://postgres@$listen:$port/postgres"
else
  export TURNOUT_TEST_PG="postgresql:///postgres?host=$folder&user=postgres&port=$port"
fi
export TURNOUT_TEST_PG_DATA=$folder/data

# In the background, so that a signal reaches this script at once and not only when the command has ended.
cd "$here"
"$@" <&0 &
child=$!
status=0
wait "$child" || status=$?
while kill -0 "$child" 2>/dev/null; do  # a signal ended the wait, not the command
  status=0
  wait "$child" || status=$?
done
child=""
if [ "${TURNOUT_PG_KEEP_LOG:-}" != "" ]; then cp "$folder/data/server.log" "$TURNOUT_PG_KEEP_LOG"; fi
exit "$status"

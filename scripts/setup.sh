#!/usr/bin/env bash
# Installs the Debian packages that Turnout needs and that are not there yet.
#
#   scripts/setup.sh [GROUP...]       groups: build test tidy demo demo-postgresql all (default: build test)
#
# Asks nothing, needs root or sudo only when something is missing, and leaves no PostgreSQL server or
# cluster behind: tests and demos start their own (scripts/with-postgres.sh).
set -euo pipefail

build="g++ cmake ninja-build ccache mold pkg-config
  libboost1.81-dev libssl-dev libprotobuf-dev protobuf-compiler libpq-dev libsqlite3-dev
  libcurl4-openssl-dev libre2-dev libcctz-dev libical-dev tzdata libtomlplusplus-dev libcli11-dev libspdlog-dev
  libfmt-dev nlohmann-json3-dev libsodium-dev prometheus-cpp-dev"
demo="python3 python3-aiosmtpd python3-aiohttp"
postgresql="postgresql-15"
# Node.js from elsewhere brings npm along, and Debian's packages cannot stand beside it.
node="nodejs npm"
if command -v node >/dev/null && command -v npm >/dev/null; then node=""; fi
test="libgtest-dev libgmock-dev libbenchmark-dev librapidcheck-dev python3-jsonschema python3-dateutil $demo $postgresql iproute2 iptables openssl spin gcc $node"
tidy="clang-19 clang-tidy-19 clang-format-19 libclang-rt-19-dev python3"

wanted=""
for group in "${@:-default}"; do
  case $group in
    default) wanted+=" $build $test" ;;
    build) wanted+=" $build" ;;
    test) wanted+=" $test" ;;
    tidy) wanted+=" $tidy" ;;
    demo) wanted+=" $demo" ;;
    demo-postgresql) wanted+=" $demo $postgresql" ;;
    all) wanted+=" $build $test $tidy" ;;
    *) echo "setup: there is no group '$group'; take build, test, tidy, demo, demo-postgresql or all" >&2
       exit 2 ;;
  esac
done

# One look at dpkg's list, which takes a few milliseconds, so that a second run costs nothing.
missing=$(
  # shellcheck disable=SC2086  # the list is words on purpose
  printf '%s\n' $wanted | sort -u |
    comm -23 - <(dpkg-query -W -f '${db:Status-Abbrev}${binary:Package}\n' 2>/dev/null |
      sed -n 's/^ii *//; t ok; d; :ok; s/:.*//; p' | sort -u)
)
[ -n "$missing" ] || exit 0
echo "setup: installing $(printf '%s' "$missing" | tr '\n' ' ')"

as_root=""
if [ "$(id -u)" != 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "setup: the packages above are missing; run this as root, or install sudo" >&2
    exit 1
  fi
  as_root="sudo"
fi

apt_install() {
  # shellcheck disable=SC2086
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
    -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
quietly() {
  if ! "$@" >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    echo "setup: '$1' failed; its last lines stand above" >&2
    exit 1
  fi
}

quietly $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q -o DPkg::Lock::Timeout=300

# Debian's postgresql-15 makes and starts a cluster when it is installed. We want the programs only, so a
# drop-in file says so for as long as the installation lasts.
if grep -qx postgresql-15 <<<"$missing"; then
  quietly apt_install postgresql-common
  no_cluster=/etc/postgresql-common/createcluster.d/turnout-setup.conf
  $as_root mkdir -p "$(dirname $no_cluster)"
  echo "create_main_cluster = false" | $as_root tee $no_cluster >/dev/null
  trap 'rm -f "$log"; $as_root rm -f $no_cluster; $as_root rmdir "$(dirname $no_cluster)" 2>/dev/null || true' EXIT
fi
# shellcheck disable=SC2086
quietly apt_install $missing
echo "setup: done"

#!/usr/bin/env bash
# The house rules that a machine can check; each part runs even when one before it found something.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=""
part() {
  local name=$1 began=$SECONDS
  shift
  if "$@"; then
    echo "tidy: $name ok ($((SECONDS - began)) s)"
  else
    echo "tidy: $name FAILED ($((SECONDS - began)) s)"
    failed+=" $name"
  fi
}

formatted() {
  git ls-files -co --exclude-standard '*.h' '*.cc' | while read -r f; do [ -e "$f" ] && echo "$f"; done |
    xargs -r clang-format-19 --dry-run -Werror
}

# clang-tidy reads files that the build makes (the peers' wire format, the migrations), so those are made first. The preset
# has no precompiled headers, which could hide a missing #include.
linted() {
  cmake --preset tidy --log-level=NOTICE >/dev/null || return 1
  local made
  made=$(ninja -C build/tidy -t targets all 2>/dev/null | sed -n 's/^\(.*\(\.pb\.h\|_migrations\.cc\)\): .*/\1/p')
  # shellcheck disable=SC2086
  if [ -n "$made" ]; then ninja -C build/tidy $made >/dev/null || return 1; fi
  /usr/bin/python3 scripts/clang_tidy.py --build build/tidy
}

part includes /usr/bin/python3 scripts/check_includes.py src
part rules /usr/bin/python3 scripts/check_rules.py .
part pictures /usr/bin/python3 scripts/draw_scenarios.py --check
part format formatted
part clang-tidy linted

if [ -n "$failed" ]; then
  echo "tidy: failed:$failed"
  exit 1
fi
echo "tidy: all clean"

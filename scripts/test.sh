#!/usr/bin/env bash
# Installs what is missing, builds, and runs the tests.
#   scripts/test.sh          the ci tier: everything quick in release, the unit tests under ASan +
#                            UBSan as well
#   scripts/test.sh --full   everything: also the long runs on real clusters
set -euo pipefail
cd "$(dirname "$0")/.."

full=no
case "${1:-}" in
  '') ;;
  --full) full=yes ;;
  *) echo "usage: scripts/test.sh [--full]" >&2; exit 2 ;;
esac

passed=0
failed=0

# Runs ctest in one build and adds up its tests from its own report.
run_tests() {
  local build=$1 label=$2 report
  report="$build/ctest-$label.log"
  echo "== ctest: $build, $label"
  ctest --test-dir "$build" --label-regex "$label" --output-on-failure --parallel "$(nproc)" \
    2>&1 | tee "$report" || true
  local count_failed count_all
  count_all=$(sed -nE 's/.*tests passed, [0-9]+ tests failed out of ([0-9]+).*/\1/p' "$report")
  count_failed=$(sed -nE 's/.*tests passed, ([0-9]+) tests failed out of [0-9]+.*/\1/p' "$report")
  if [ -z "$count_all" ]; then
    echo "no test ran in $build with label $label" >&2
    failed=$((failed + 1))
    return
  fi
  failed=$((failed + count_failed))
  passed=$((passed + count_all - count_failed))
}

build() {
  local preset=$1 log
  log="build/$preset/build.log"
  shift
  cmake --preset "$preset" >/dev/null
  echo "== build: $preset"
  if ! cmake --build "build/$preset" "$@" >"$log" 2>&1; then
    grep -E -A 20 'FAILED|error' "$log" | tail -60
    return 1
  fi
  tail -1 "$log"
}

scripts/install_packages.sh

build release
run_tests build/release '^ci$'
build asan --target unit_tests
run_tests build/asan '^unit$'
if [ "$full" = yes ]; then run_tests build/release '^full$'; fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

#!/usr/bin/env bash
# Installs what is missing, builds, and runs the tests.
#   scripts/test.sh          the ci tier in release
#   scripts/test.sh --full   everything: also the unit tests under ASan + UBSan and under TSan, and
#                            the real-cluster fault tests
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
  local preset=$1
  shift
  cmake --preset "$preset" >/dev/null
  echo "== build: $preset"
  cmake --build "build/$preset" "$@" | tail -1
}

scripts/install_packages.sh

build release
run_tests build/release '^ci$'
if [ "$full" = yes ]; then
  build asan --target unit_tests
  run_tests build/asan '^unit$'
  build tsan --target unit_tests
  run_tests build/tsan '^unit$'
  run_tests build/release '^full$'
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

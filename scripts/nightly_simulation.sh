#!/usr/bin/env bash
# Runs the simulators of the metadata and of the chunk plane over seeds they have not seen, for so
# many seconds (default: one hour), half of it each; every seed that breaks a promise is a line on
# the standard output. Exit code 1 if there was one.
#   scripts/nightly_simulation.sh [SECONDS] [FIRST_SEED]
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-3600}
first=${2:-$(date +%s)000000}

cmake --preset release >/dev/null
cmake --build build/release --target cairn_simulation chunk_simulation >/dev/null
failed=0
for simulator in cairn_simulation chunk_simulation; do
  "build/release/bin/$simulator" --first "$first" --seeds 1000000000 \
    --threads "$(nproc)" --time-limit "$((seconds / 2))" || failed=1
done
exit "$failed"

#!/usr/bin/env bash
# Runs the simulator over seeds it has not seen, for so many seconds (default: one hour); every seed
# that breaks a promise is a line on the standard output. Exit code 1 if there was one.
#   scripts/nightly_simulation.sh [SECONDS] [FIRST_SEED]
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-3600}
first=${2:-$(date +%s)000000}

cmake --preset release >/dev/null
cmake --build build/release --target cairn_simulation >/dev/null
exec build/release/bin/cairn_simulation --first "$first" --seeds 1000000000 \
  --threads "$(nproc)" --time-limit "$seconds"

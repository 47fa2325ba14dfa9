#!/usr/bin/env bash
# From a fresh checkout to a mounted file system: installs the packages that are missing, builds,
# starts a local cluster of separate processes (3 metaservers, 3 chunkservers, 3 copies), mounts it,
# copies a real tree in, compares it, and says what to try next.
#   scripts/quickstart.sh [DIRECTORY]    default: ~/.local/state/cairn/quickstart
set -euo pipefail
cd "$(dirname "$0")/.."

case "${1:-}" in
  -*) echo "usage: scripts/quickstart.sh [DIRECTORY]" >&2; exit 2 ;;
esac
directory=${1:-${XDG_STATE_HOME:-$HOME/.local/state}/cairn/quickstart}
mount_point=$directory/mnt

scripts/install_packages.sh --runtime
cmake --preset release >/dev/null
echo "building (some minutes the first time) ..."
cmake --build build/release --target cairn cairn-metaserver cairn-chunkserver cairn-fuse | tail -1

export PATH="$PWD/build/release/bin:$PATH"
cairn dev up --dir "$directory" --chunk 3 --copies 3 --mount "$mount_point"

echo
echo "copying the C++ headers of this machine in, and comparing:"
target=$mount_point/include
rm -rf "$target"
cp -a /usr/include/c++ "$target"
diff -r --no-dereference /usr/include/c++ "$target"
echo "  $(find "$target" -type f | wc -l) files," \
     "$(du -sh --apparent-size "$target" | cut -f1): equal"
echo
cairn status --dir "$directory"
cat <<EOF

Mounted at $mount_point. With PATH=$PWD/build/release/bin:\$PATH, try:
  cairn where $target/12/iostream        which chunkservers hold a file
  cairn dev kill chunk 2 --dir $directory     kill -9 one of them; go on reading and writing
  cairn health --dir $directory               what is wrong, in words
  cairn dev start chunk 2 --dir $directory    watch it catch up
  cairn dev down --wipe --dir $directory      the end: no process, no mount, no files
EOF

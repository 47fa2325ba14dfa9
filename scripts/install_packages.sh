#!/usr/bin/env bash
# Installs the Debian packages that are missing; asks the network only when one is. Needs root or
# sudo for that. Starts no service.
#   scripts/install_packages.sh            what building, running and testing take
#   scripts/install_packages.sh --runtime  what building and running take
set -euo pipefail

build="g++ cmake ninja-build ccache mold pkg-config
  libfuse3-dev libgrpc++-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc
  libleveldb-dev libisal-dev libspdlog-dev libfmt-dev libcli11-dev libtomlplusplus-dev
  libasio-dev libexpected-dev libabsl-dev libssl-dev libgtest-dev libgmock-dev
  libbenchmark-dev python3"
runtime="fuse3 ca-certificates"
tests="sqlite3 git procps fio iproute2 nftables openssl"

case ${1:-} in
  "") wanted="$build $runtime $tests" ;;
  --runtime) wanted="$build $runtime" ;;
  *)
    echo "usage: scripts/install_packages.sh [--runtime]" >&2
    exit 2
    ;;
esac

missing=()
for package in $wanted; do
  state=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)
  [ "${state:0:2}" = ii ] || missing+=("$package")
done
[ "${#missing[@]}" -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "these packages are missing and only root can install them: ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

echo "installing: ${missing[*]}"
# A package that brings a service must not start it here: while this file stands, none is started.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod 755 "$policy"
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${missing[@]}"

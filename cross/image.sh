#!/bin/sh
# cross/image.sh arm64|armhf - makes the container image that `cross` uses with podman, from Debian packages alone: for machines that
# cannot reach cross's published images. As root, on Debian bookworm; takes the package servers that apt is set up with.
set -eu
cd "$(dirname "$0")/.."
. cross/targets.sh
target_names "${1:-arm64}"
here=$(dpkg --print-architecture)
sh .dev/setup podman runc mmdebstrap
sources=/etc/apt/sources.list.d/debian.sources
[ -e "$sources" ] || { echo "image: $sources is missing: this script reads the package servers from there" >&2; exit 3; }
uris=$(awk '/^URIs:/{print $2; exit}' "$sources")
security=$(awk '/^URIs:/{u=$2} /^Suites:.*security/{print u; exit}' "$sources")
list=$(mktemp)
trap 'rm -f "$list"' EXIT
printf 'deb %s bookworm main\ndeb %s bookworm-updates main\ndeb %s bookworm-security main\n' \
  "$uris" "$uris" "$security" > "$list"
packages="rustc-web,cargo-web,libstd-rust-web-dev:$here,libstd-rust-web-dev:$debian,gcc,libc6-dev,gcc-$gnu,g++-$gnu"
packages="$packages,libc6-dev-$debian-cross,linux-libc-dev:$debian,libclang-dev,clang,make,cmake,pkg-config,ca-certificates"
mmdebstrap --quiet --mode=root --variant=minbase "--architectures=$here,$debian" \
  --aptopt='APT::Install-Recommends "false"' "--include=$packages" \
  --customize-hook='rm -rf "$1"/etc/apt/sources.list* "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*' \
  bookworm - "$list" |
  podman import \
    --change "ENV CARGO_TARGET_${upper}_LINKER=$gnu-gcc" \
    --change "ENV CC_$lower=$gnu-gcc" --change "ENV CXX_$lower=$gnu-g++" --change "ENV AR_$lower=$gnu-ar" \
    --change "ENV BINDGEN_EXTRA_CLANG_ARGS_$lower=--target=$gnu --sysroot=/ -I/usr/$gnu/include" \
    - "localhost/castgate-cross-$debian"

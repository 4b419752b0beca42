#!/bin/sh
# cross/package.sh arm64|armhf|amd64 - builds castgate for the target and packs it: target/debian/castgate_VERSION_ARCH.deb.
#   CASTGATE_BINARY=FILE   packs this program instead of building one
# Needs cargo-deb (`cargo install cargo-deb --locked`).
set -eu
cd "$(dirname "$0")/.."
. cross/targets.sh
[ $# -gt 0 ] || { echo "usage: cross/package.sh arm64|armhf|amd64" >&2; exit 2; }
target_names "$1"
cargo deb --version >/dev/null 2>&1 || { echo "package: cargo-deb is missing: cargo install cargo-deb --locked" >&2; exit 3; }
binary=${CASTGATE_BINARY:-}
if [ -z "$binary" ]; then
  sh cross/build.sh "$target"
  for folder in target target-debian; do
    built=$folder/$target/dist/castgate
    if [ -e "$built" ] && { [ -z "$binary" ] || [ "$built" -nt "$binary" ]; }; then binary=$built; fi
  done
fi
# cargo-deb looks for what it packs below target/TARGET/release.
place=target/$target/release
mkdir -p "$place" target/package target/debian
[ "$binary" -ef "$place/castgate" ] || cp "$binary" "$place/castgate"
"$gnu-strip" "$place/castgate" 2>/dev/null || strip "$place/castgate"
glibc=$(readelf -V "$place/castgate" | grep -o 'GLIBC_2\.[0-9]*' | sort -uV | tail -1)
[ "$(printf 'GLIBC_2.35\n%s\n' "$glibc" | sort -V | tail -1)" = GLIBC_2.35 ] ||
  { echo "package: the program needs $glibc, and Cargo.toml promises 2.35 in \`depends\`" >&2; exit 3; }
# Page and completions are the same everywhere: the program itself writes them, by emulation where it must.
run="$place/castgate"
if [ "$debian" != "$(dpkg --print-architecture)" ]; then
  run="$qemu -L /usr/$gnu $place/castgate"
fi
rm -rf target/package/man
$run man --out target/package/man
$run completions bash > target/package/castgate.bash
$run completions zsh > target/package/_castgate
$run completions fish > target/package/castgate.fish
cargo deb --no-build --no-strip --target "$target" --output target/debian/

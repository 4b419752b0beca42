#!/bin/sh
# cross/linker.sh TARGET CARGO ARGUMENT... - cargo with Debian's cross compiler and Debian's own Rust, whose packages bring the
# standard library of the target. Installs what is missing. Programs of the target run under qemu.
#   CASTGATE_STD=source   compiles the standard library too, for an archive that has no package of it
set -eu
cd "$(dirname "$0")/.."
. cross/targets.sh
target_names "$1"
shift
std=${CASTGATE_STD:-package}
sudo=""
[ "$(id -u)" = 0 ] || sudo=sudo
install() {
  echo "cross: installing the compiler and the Rust library for $debian" >&2
  $sudo apt-get update -qq
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends rustc-web cargo-web \
    "gcc-$gnu" "g++-$gnu" "libc6-dev-$debian-cross" libclang-dev clang qemu-user-static "$@" >/dev/null
}
has() { [ -d "$1" ] && command -v "$gnu-gcc" >/dev/null 2>&1; }
if [ "$std" = source ]; then
  has /usr/lib/rustlib/src/rust/library || install rust-web-src
  # Debian's compiler is a stable one, which takes this on request only. Panics unwind, as in the packaged library.
  export RUSTC_BOOTSTRAP=1
  set -- -Z build-std=std,panic_unwind "$@"
elif ! has "/usr/lib/rustlib/$target"; then
  $sudo dpkg --add-architecture "$debian"
  install "libstd-rust-web-dev:$(dpkg --print-architecture)" "libstd-rust-web-dev:$debian" "linux-libc-dev:$debian"
fi
# Debian's toolchain, since only that has the target's library here.
export RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target-debian}"
export "CARGO_TARGET_${upper}_LINKER=$gnu-gcc" "CC_$lower=$gnu-gcc" "CXX_$lower=$gnu-g++" "AR_$lower=$gnu-ar"
# The kernel's headers as the target has them, for reading the camera's interface.
export "BINDGEN_EXTRA_CLANG_ARGS_$lower=--target=$gnu --sysroot=/ -I/usr/$gnu/include"
[ -z "$qemu" ] || export "CARGO_TARGET_${upper}_RUNNER=$qemu -L /usr/$gnu"
exec /usr/bin/cargo "$@" --target "$target"

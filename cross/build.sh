#!/bin/sh
# cross/build.sh TARGET [CARGO ARGUMENT...] - builds castgate for arm64, armhf or amd64 into target/TARGET/dist.
#   CASTGATE_CROSS=docker   in cross's own image for the target, with the Dockerfile beside this script
#   CASTGATE_CROSS=podman   in an image made from Debian packages alone (cross/image.sh makes it when it is not there)
#   CASTGATE_CROSS=linker   with Debian's cross compiler, without containers
# Without the variable: docker where cross and docker are, else podman where cross and podman are, else linker.
set -eu
cd "$(dirname "$0")/.."
. cross/targets.sh
[ $# -gt 0 ] || { echo "usage: cross/build.sh arm64|armhf|amd64 [CARGO ARGUMENT...]" >&2; exit 2; }
target_names "$1"
shift
has() { command -v "$1" >/dev/null 2>&1; }
cross=${CROSS:-cross}
way=${CASTGATE_CROSS:-}
if [ -z "$way" ]; then
  if [ "$debian" = amd64 ] && [ "$(uname -m)" = x86_64 ]; then way=native
  elif has "$cross" && has docker; then way=docker
  elif has "$cross" && has podman; then way=podman
  else way=linker; fi
fi
echo "build: $target by $way" >&2
case "$way" in
  native)
    exec cargo build --profile dist --locked --target "$target" "$@" ;;
  docker)
    exec "$cross" build --profile dist --locked --target "$target" "$@" ;;
  podman)
    image=localhost/castgate-cross-$debian
    podman image exists "$image" || sh cross/image.sh "$debian"
    export CROSS_CONTAINER_ENGINE=podman "CROSS_TARGET_${upper}_IMAGE=$image"
    # The image brings its own toolchain.
    export CROSS_CUSTOM_TOOLCHAIN=1
    sed '/^dockerfile/d' Cross.toml > target/Cross.podman.toml
    CROSS_CONFIG=target/Cross.podman.toml exec "$cross" build --profile dist --locked --target "$target" "$@" ;;
  linker)
    exec sh cross/linker.sh "$target" build --profile dist --locked "$@" ;;
  *)
    echo "CASTGATE_CROSS=$way is not one of docker, podman and linker" >&2
    exit 2 ;;
esac

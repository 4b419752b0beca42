# Names of a target in the words of Rust, Debian and GNU. Read by the other scripts here; sets nothing outside them.
# shellcheck shell=sh disable=SC2034 # the reading script uses them
target_names() {
  case "$1" in
    arm64 | aarch64 | aarch64-unknown-linux-gnu)
      target=aarch64-unknown-linux-gnu debian=arm64 gnu=aarch64-linux-gnu qemu=qemu-aarch64-static ;;
    armhf | armv7 | armv7-unknown-linux-gnueabihf)
      target=armv7-unknown-linux-gnueabihf debian=armhf gnu=arm-linux-gnueabihf qemu=qemu-arm-static ;;
    amd64 | x86_64 | x86_64-unknown-linux-gnu)
      target=x86_64-unknown-linux-gnu debian=amd64 gnu=x86_64-linux-gnu qemu= ;;
    *)
      echo "unknown target '$1'; known are arm64, armhf and amd64" >&2
      return 2 ;;
  esac
  # As cargo spells it in the names of its variables.
  upper=$(echo "$target" | tr 'a-z-' 'A-Z_') lower=$(echo "$target" | tr '-' '_')
}

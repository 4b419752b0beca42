#!/bin/bash
# tests/vm/boot.sh [-o OVERLAY] [-t SECONDS] MACHINE SHARE COMMAND... - boots the virtual machine, runs the command in it and ends with
# its exit code. SHARE is /share there. With -o what is written to the disk is kept in OVERLAY; without, it is forgotten.
# Exit codes besides: 124 took too long, 125 the machine ended without an answer.
set -u
overlay='' limit=600
while getopts o:t: option; do
  case $option in o) overlay=$OPTARG ;; t) limit=$OPTARG ;; *) exit 2 ;; esac
done
shift $((OPTIND - 1))
machine=$1 share=$2
shift 2
mkdir -p "$share/.vm" && rm -f "$share/.vm/code"
printf '%s\n' "$*" > "$share/.vm/command"
# Without AVX: emulated, the plain instructions are twice as fast.
case $(cat "$machine/arch") in
  arm64) qemu=(qemu-system-aarch64 -M virt -cpu cortex-a72) console=ttyAMA0 ;;
  *) qemu=(qemu-system-x86_64 -M q35 -cpu Nehalem) console=ttyS0 ;;
esac
drive="file=$machine/root.img,if=none,id=disk,format=raw,snapshot=on"
if [ -n "$overlay" ]; then
  [ -e "$overlay" ] || qemu-img create -q -f qcow2 -F raw -b "$(realpath "$machine/root.img")" "$overlay"
  drive="file=$overlay,if=none,id=disk,format=qcow2,cache=writeback"
fi
timeout -k 5 "$limit" "${qemu[@]}" -accel tcg,thread=multi -smp 2 -m 768 -nodefaults -no-user-config -display none -no-reboot \
  -kernel "$machine/vmlinuz" -initrd "$machine/initrd.img" \
  -append "console=$console quiet loglevel=4 panic=-1 mitigations=off systemd.show_status=0 net.ifnames=0" \
  -drive "$drive" -device virtio-blk-pci,drive=disk -device virtio-rng-pci \
  -serial "file:$share/.vm/console.log" -device virtio-serial-pci -chardev stdio,id=out,signal=off -device virtconsole,chardev=out \
  -virtfs "local,path=$share,mount_tag=share,security_model=none,multidevs=remap" < /dev/null
ended=$?
case $ended in 124 | 137) echo "vm: took longer than $limit s" >&2; exit 124 ;; esac
[ -s "$share/.vm/code" ] && exit "$(cat "$share/.vm/code")"
exit 125

#!/bin/bash
# tests/vm/build.sh amd64|arm64 FOLDER - makes the virtual machine from Debian packages: kernel with `vivid`, the modules `gpio-sim` and
# `v4l2loopback` compiled for it, and a root disk with systemd, udev and mosquitto. As root, on Debian 12; takes the package servers
# that apt is set up with. About a minute for amd64, four for arm64.
set -euo pipefail
arch=${1:?amd64 or arm64} folder=${2:?folder}
here=$(cd "$(dirname "$0")" && pwd)
case $arch in
  amd64) emulator=qemu-system-x86 make_for=() strip=strip ;;
  arm64) emulator=qemu-system-arm make_for=(ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu-) strip=aarch64-linux-gnu-strip ;;
  *) echo "vm: amd64 or arm64, not $arch" >&2; exit 2 ;;
esac
export DEBIAN_FRONTEND=noninteractive
say() { echo "vm: $*" >&2; }
mkdir -p "$folder/work"
folder=$(cd "$folder" && pwd) work=$folder/work

# The kernel and qemu are those of the backports, which nothing else is taken from.
sources=/etc/apt/sources.list.d/debian.sources
uri=$(awk '/^URIs:/{print $2; exit}' "$sources")
security=$(awk '/^URIs:/{u=$2} /^Suites:.*security/{print u; exit}' "$sources")
if ! grep -rqs bookworm-backports /etc/apt/sources.list.d; then
  printf 'Types: deb\nURIs: %s\nSuites: bookworm-backports\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n' \
    "$uri" > /etc/apt/sources.list.d/bookworm-backports.sources
fi
say "packages of this machine"
[ "$arch" = amd64 ] || dpkg --add-architecture "$arch"
{
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends -t bookworm-backports "$emulator" qemu-utils
  apt-get install -y -qq --no-install-recommends mmdebstrap cpio e2fsprogs kmod xz-utils gcc make libelf1
  if [ "$arch" = arm64 ]; then
    apt-get install -y -qq --no-install-recommends gcc-aarch64-linux-gnu arch-test
    apt-get install -y -qq --no-install-recommends -t bookworm-backports qemu-user-static
  fi
} > "$work/apt.log" 2>&1 || { tail -20 "$work/apt.log" >&2; exit 1; }
if [ "$arch" = arm64 ] && [ ! -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ]; then
  # Where no service registers it: the root disk's programs are run while it is made.
  [ -e /proc/sys/fs/binfmt_misc/register ] || mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
  grep -hv '^#' /usr/lib/binfmt.d/qemu-aarch64*.conf | head -1 > /proc/sys/fs/binfmt_misc/register
fi

version=$(apt-cache depends -t bookworm-backports "linux-image-$arch:$arch" | sed -n 's/.*Depends: linux-image-//p' | head -1)
version=${version%:*} abi=${version%-"$arch"} series=$(echo "$version" | cut -d. -f1,2)
say "kernel $version"
mkdir -p "$work/debs" && cd "$work/debs"
apt-get download -qq -t bookworm-backports "linux-image-$version:$arch" "linux-headers-$version:$arch" "linux-headers-$abi-common" \
  "linux-kbuild-$abi:amd64" "linux-source-$series" v4l2loopback-dkms "busybox-static:$arch" 2> /dev/null
rm -rf "$work/kernel" "$work/busybox" && mkdir -p "$work/kernel" "$work/source"
for package in linux-image-"$version"_* linux-headers-"$version"_* linux-headers-"$abi"-common_* linux-kbuild-"$abi"_* v4l2loopback-dkms_*; do
  dpkg-deb -x "$package" "$work/kernel"
done
dpkg-deb -x "$(ls busybox-static_*_"$arch".deb | tail -1)" "$work/busybox"
# Debian builds neither gpio-sim nor its interrupts: both are compiled as one module.
dpkg-deb --fsys-tarfile linux-source-"$series"_* | tar -xO "./usr/src/linux-source-$series.tar.xz" |
  tar -xJ -C "$work/source" "linux-source-$series/drivers/gpio/gpio-sim.c" "linux-source-$series/kernel/irq/irq_sim.c"
headers=$work/kernel/usr/src/linux-headers-$version
sed -i "s# /usr/src/# $work/kernel/usr/src/#" "$headers/Makefile"
[ ! -e "$headers/.kernelvariables" ] || sed -i "s#/usr/src/#$work/kernel/usr/src/#g" "$headers/.kernelvariables"
say "modules gpio-sim and v4l2loopback"
gpio=$work/gpio-sim loopback=$(echo "$work"/kernel/usr/src/v4l2loopback-*)
rm -rf "$gpio" && mkdir -p "$gpio"
cp "$work/source/linux-source-$series/drivers/gpio/gpio-sim.c" "$gpio/gpio_sim_main.c"
# A module may not look interrupts up by itself.
sed 's/handle_simple_irq(irq_to_desc(irqnum))/generic_handle_irq(irqnum)/' \
  "$work/source/linux-source-$series/kernel/irq/irq_sim.c" > "$gpio/irq_sim.c"
printf 'obj-m := gpio-sim.o\ngpio-sim-y := gpio_sim_main.o irq_sim.o\n' > "$gpio/Kbuild"
for module in "$gpio" "$loopback"; do
  make -s -C "$headers" M="$module" "${make_for[@]}" CONFIG_DEBUG_INFO_BTF_MODULES= modules > "$work/make.log" 2>&1 ||
    { tail -20 "$work/make.log" >&2; exit 1; }
done

say "root disk"
root=$work/root
printf 'deb %s bookworm main\ndeb %s bookworm-updates main\ndeb %s bookworm-security main\n' "$uri" "$uri" "$security" > "$work/apt.list"
packages=systemd-sysv,systemd,udev,kmod,dbus,adduser,iproute2,procps,mosquitto,mosquitto-clients
rm -rf "$root"
mmdebstrap --quiet --mode=root --variant=minbase --architectures="$arch" --aptopt='APT::Install-Recommends "false"' \
  --include="$packages" bookworm "$root" - < "$work/apt.list" > "$work/mmdebstrap.log" 2>&1 ||
  { tail -20 "$work/mmdebstrap.log" >&2; exit 1; }
rm -rf "$root"/etc/apt/sources.list* "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*
modules=$root/usr/lib/modules
mkdir -p "$modules"
cp -a "$(ls -d "$work"/kernel/lib/modules/"$version" "$work"/kernel/usr/lib/modules/"$version" 2> /dev/null | head -1)" "$modules/"
# Drivers of hardware that the machine does not have.
(cd "$modules/$version/kernel" && rm -rf sound drivers/{gpu,infiniband,net/wireless,net/ethernet,scsi,iio,hwmon,mtd,staging,bluetooth,md,ata,nvme} \
  fs/{xfs,btrfs,ocfs2,gfs2,ceph,smb,nfs,nfsd,f2fs,jfs,reiserfs,bcachefs})
mkdir -p "$modules/$version/updates"
cp "$gpio/gpio-sim.ko" "$loopback/v4l2loopback.ko" "$modules/$version/updates/"
$strip -g "$modules/$version"/updates/*.ko
depmod -b "$root/usr" "$version" 2> /dev/null || depmod -b "$root" "$version"
systemctl --root="$root" mask systemd-timesyncd systemd-networkd-wait-online apt-daily.timer apt-daily-upgrade.timer \
  e2scrub_all.timer fstrim.timer getty@tty1 serial-getty@ttyS0 serial-getty@ttyAMA0 serial-getty@hvc0 systemd-hwdb-update ldconfig mosquitto > /dev/null 2>&1 || true
: > "$root/etc/machine-id"
echo castgate-vm > "$root/etc/hostname"
install -m 755 "$here/guest/command" "$root/usr/local/sbin/vm-command"
install -m 644 "$here/guest/command.service" "$root/etc/systemd/system/vm-command.service"
mkdir -p "$root/share" "$root/etc/systemd/system/multi-user.target.wants"
ln -sf ../vm-command.service "$root/etc/systemd/system/multi-user.target.wants/"
ln -sf /lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
rm -f "$folder/root.img"
# With a journal: a power cut is one of the scenarios.
mke2fs -q -t ext4 -L root -d "$root" "$folder/root.img" 1400M 2> /dev/null

say "boot files"
early=$work/early
rm -rf "$early" && mkdir -p "$early"/{bin,proc,sys,dev,new,modules}
cp "$work/busybox/bin/busybox" "$early/bin/"
for name in sh mount switch_root insmod sleep cat; do ln -s busybox "$early/bin/$name"; done
: > "$early/modules/order"
add_module() {
  local file=$1 each name
  for each in $(sed -n "s#^$file: *##p" "$modules/$version/modules.dep" | tr ' ' '\n' | tac) "$file"; do
    name=$(basename "${each%.xz}")
    grep -qx "$name" "$early/modules/order" && continue
    case $each in
      *.xz) xz -dc "$modules/$version/$each" > "$early/modules/$name" ;;
      *) cp "$modules/$version/$each" "$early/modules/$name" ;;
    esac
    echo "$name" >> "$early/modules/order"
  done
}
for wanted in crypto/crc32c_generic drivers/block/virtio_blk fs/ext4/ext4; do
  file=$(sed -n "s#^\(kernel/$wanted\.ko[.xz]*\):.*#\1#p" "$modules/$version/modules.dep")
  [ -z "$file" ] || add_module "$file"
done
install -m 755 "$here/guest/early" "$early/init"
(cd "$early" && find . | cpio -o -H newc 2> /dev/null | gzip -1 > "$folder/initrd.img")
cp "$work/kernel/boot/vmlinuz-$version" "$folder/vmlinuz"
rm -rf "$work"
echo "$arch" > "$folder/arch"
say "made: kernel $version, $folder"

# What the scenarios share; runs in the virtual machine, in the folder that the host sees as the scenario's own.
# shellcheck shell=sh
set -eu
OUT=/share/out
CHIP_NAME=sim
GATE=3 SENSOR=5 CONFIRM=6 READY=7 FAULT=8
CONFIG=/etc/castgate/castgate.yaml

say() { echo "  $*"; }
die() { echo "FAIL: $*"; journalctl -u castgate --no-pager -o short-monotonic | tail -40; exit 1; }

# Waits up to so many seconds for a command to succeed.
within() {
  seconds=$1; shift
  end=$(($(cut -d. -f1 /proc/uptime) + seconds))
  until "$@" > /dev/null 2>&1; do
    [ "$(cut -d. -f1 /proc/uptime)" -lt "$end" ] || return 1
    sleep 0.2
  done
}

camera_up() { modprobe v4l2loopback devices=1 video_nr=20 card_label=belt exclusive_caps=1 max_buffers=4; }

gpio_up() {
  mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config
  modprobe gpio-sim
  bank=/sys/kernel/config/gpio-sim/line/bank
  [ -d "$bank" ] || {
    mkdir -p "$bank"
    echo 16 > "$bank/num_lines"
    echo $CHIP_NAME > "$bank/label"
    for line in $GATE:GATE $SENSOR:SENSOR $CONFIRM:CONFIRM $READY:READY $FAULT:FAULT; do
      mkdir "$bank/line${line%%:*}"
      echo "${line#*:}" > "$bank/line${line%%:*}/name"
    done
  }
  echo 1 > /sys/kernel/config/gpio-sim/line/live
  chip_folder
}
gpio_down() { echo 0 > /sys/kernel/config/gpio-sim/line/live; }

# Where the simulated lines are pulled and read.
chip_folder() { CHIP=$(dirname "$(ls -d /sys/devices/platform/gpio-sim.*/gpiochip*/sim_gpio0 | head -1)"); }
gate_line() { cat "$CHIP/sim_gpio$GATE/value"; }

install_package() {
  dpkg -i /share/castgate.deb > "$OUT/dpkg.log" 2>&1 || { cat "$OUT/dpkg.log"; die "the package does not install"; }
}

# The line of the scenario as the daemon's configuration; further text is appended.
configure() {
  cat /share/line.yaml > "$CONFIG"
  cat "$@" /dev/null >> "$CONFIG"
}

start() { systemctl restart castgate || die "castgate does not start"; }
main_pid() { systemctl show -p MainPID --value castgate; }
restarts() { systemctl show -p NRestarts --value castgate; }
status_line() { systemctl show -p StatusText --value castgate; }
is_active() { [ "$(systemctl show -p ActiveState --value castgate)" = active ]; }
log_has_twice() { [ "$(journalctl -u castgate --no-pager -o cat | grep -c -- "$1")" -ge 2 ]; }
log_has() { journalctl -u castgate --no-pager -o cat | grep -q -- "$1"; }
# What of the daemon must not grow: threads, open files, memory in KiB.
weigh() {
  pid=$(main_pid)
  echo "$(ls "/proc/$pid/task" | wc -l) threads, $(ls "/proc/$pid/fd" | wc -l) files, $(awk '/VmRSS/{print $2}' "/proc/$pid/status") KiB"
}
# Whether the second weight is the first one, but for a thread, a file and a tenth of the memory.
steady() { echo "$1 $2" | awk '{ exit !($7 <= $1 + 1 && $9 <= $3 + 1 && $11 <= $5 * 1.1) }' || die "it has grown from $1 to $2"; }

broker_up() {
  printf 'listener 1883 127.0.0.1\nallow_anonymous true\npersistence false\n' > /run/broker.conf
  mosquitto -c /run/broker.conf > "$OUT/broker.log" 2>&1 &
  BROKER=$!
  within 10 mosquitto_pub -h 127.0.0.1 -t check -m 1 || { cat "$OUT/broker.log"; die "no broker"; }
}
# Everything that castgate says of parts, kept across a broker that goes.
listen() {
  while :; do mosquitto_sub -h 127.0.0.1 -i judge -c -q 1 -t 'castgate/vm/part' >> "$OUT/parts.jsonl" 2> /dev/null; sleep 0.2; done &
}

# The kernel's own stamps of every level that the gate's line is given.
trace_gate() {
  tracing=/sys/kernel/tracing
  mountpoint -q $tracing || mount -t tracefs none $tracing
  echo mono > $tracing/trace_clock
  echo 1 > $tracing/events/gpio/gpio_value/enable
  : > $tracing/trace
}
save_trace() { grep gpio_value /sys/kernel/tracing/trace > "$OUT/trace.txt" || true; }

# Runs the belt with so many parts; in the background with `&`.
belt() { /share/vm-feed /share/belt.yaml /dev/video20 "$CHIP" $SENSOR $CONFIRM $GATE "$1" "$OUT/${2:-truth.jsonl}"; }

# The package without the demonstration line, for which the emulated processor is too slow.
install_stopped() {
  printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
  chmod +x /usr/sbin/policy-rc.d
  install_package
}

line_up() {
  camera_up; gpio_up; install_stopped
  broker_up; listen
  configure "$@"
}

# Starts castgate and, in the background as `feed`, the belt with so many parts; returns when parts can be cleared.
run_line() {
  systemctl start castgate --no-block
  belt "$1" &
  feed=$!
  within 60 log_has 'ready: the first frame' || die "not ready"
}

# Whether castgate runs, as another process than this one.
runs_anew() {
  pid=$(main_pid)
  [ "$pid" != 0 ] && [ "$pid" != "$1" ] && is_active
}

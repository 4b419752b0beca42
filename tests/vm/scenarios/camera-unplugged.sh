# A camera is unplugged and plugged in again, over and over: it is opened again each time, and nothing piles up.
. /share/lib.sh
modprobe vivid n_devs=1 vid_cap_nr=0 node_types=0x1 num_inputs=1 input_types=0
gpio_up; install_stopped
cat > "$CONFIG" <<Y
line: {name: vm}
camera: {kind: v4l, device: /dev/v4l/by-path/platform-vivid.0-video-index0, width: 320, height: 180, rate: 10fps, lost_after: 300ms}
position: {source: speed}
sensor: {kind: none}
confirm: {kind: none}
line_stop: {consecutive_rejects: 100, reject_rate: 100%}
decide: {trigger: vision, inference: 1ms, stale_after: 3s}
Y
start
first=$(weigh)
say "before: $first"
rounds=${ROUNDS:-1000}
n=0
while [ $n -lt "$rounds" ]; do
  n=$((n + 1))
  echo vivid.0 > /sys/bus/platform/drivers/vivid/unbind
  echo vivid.0 > /sys/bus/platform/drivers/vivid/bind
  # Until it has been opened again: what is still open of the one that went is marked as deleted.
  end=$(($(cut -d. -f1 /proc/uptime) + 20))
  until [ "$(ls -l "/proc/$(main_pid)/fd" | grep -c 'video[0-9]*$')" -gt 0 ]; do
    [ "$(cut -d. -f1 /proc/uptime)" -lt $end ] || die "round $n: the camera is not opened again"
    sleep 0.05
  done
  # What the first rounds warm up stays.
  [ $n != 10 ] || first=$(weigh)
  case $n in 10 | 100 | 500 | "$rounds") say "after $n: $(weigh)" ;; esac
done
within 10 sh -c "journalctl -u castgate -o cat --no-pager | tail -3 | grep -q 'is back'" || die "not back"
[ "$(restarts)" = 0 ] || die "castgate was restarted"
last=$(weigh)
{ echo "after 10: $first"; echo "after $n: $last"; } > "$OUT/weights"
steady "$first" "$last"

# castgate starts before the kernel knows any camera; the camera falls silent under the running line and speaks again: it is told as
# lost, and as back.
. /share/lib.sh
gpio_up; install_stopped
broker_up; listen
configure
! grep -q video4linux /proc/devices || die "the kernel knows cameras already"
systemctl start castgate --no-block
within 30 log_has 'the camera is lost' || die "the loss is not told"
camera_up
run_line "${PARTS:-24}"
sleep 6
# The belt stands still with its camera.
kill -STOP "$(pidof vm-feed)"
within 30 log_has_twice 'the camera is lost' || die "the loss is not told"
say "lost: $(status_line)"
kill -CONT "$(pidof vm-feed)"
within 30 log_has_twice 'the camera is back after' || die "the camera does not come back"
wait $feed
sleep 3
journalctl -u castgate -o cat --no-pager | grep camera > "$OUT/log"
[ "$(restarts)" = 0 ] || die "castgate was restarted"

# The camera's module is unloaded and loaded again under the running line: parts in between are rejected, those afterwards judged.
. /share/lib.sh
line_up
systemctl start castgate --no-block
belt "${PARTS:-24}" &
feed=$!
within 20 log_has 'ready: the first frame' || die "not ready"
sleep 6
# The belt's writer lets go of the device for a moment.
kill -STOP $feed
within 10 log_has 'the camera is lost' || die "the loss is not told"
say "lost: $(status_line)"
kill -CONT $feed
within 15 log_has 'the camera is back after' || die "the camera does not come back"
wait $feed
sleep 3
journalctl -u castgate -o cat --no-pager | grep camera > "$OUT/log"
[ "$(restarts)" = 0 ] || die "castgate was restarted"

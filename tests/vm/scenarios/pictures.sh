# Each frame is one picture of a casting: what castgate says of it is what `castgate inspect` says of the file.
. /share/lib.sh
camera_up; gpio_up; install_stopped
broker_up; listen
cp /share/pictures.yaml "$CONFIG"
trace_gate
systemctl start castgate --no-block
within 30 log_has 'the camera is lost' || die 'castgate does not wait for the camera'
/share/vm-feed /share/film.yaml /dev/video20 "$CHIP" $SENSOR $CONFIRM $GATE 0 "$OUT/truth.jsonl"
sleep 4
journalctl -u castgate -o cat --no-pager | tail -20 > "$OUT/log"
[ "$(restarts)" = 0 ] || die "castgate was restarted"

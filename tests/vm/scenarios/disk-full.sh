# The disk is full: histories are lost and told as lost, the line goes on.
. /share/lib.sh
line_up
mount -t tmpfs -o size=300k,mode=0755 none /var/lib/castgate
chown castgate:castgate /var/lib/castgate
trace_gate
run_line "${PARTS:-12}"
dd if=/dev/zero of=/var/lib/castgate/ballast bs=4k 2> /dev/null || true
df /var/lib/castgate | tail -1
wait $feed
sleep 3
save_trace
is_active || die "castgate ended"
journalctl -u castgate -o cat --no-pager | grep -iE 'store|disk|full|space' | head -5
[ "$(restarts)" = 0 ] || die "castgate was restarted"

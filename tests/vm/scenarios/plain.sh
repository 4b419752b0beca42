# A plain run: every part gets its verdict, each gate edge lies in its window, every message arrives.
. /share/lib.sh
line_up
trace_gate
systemctl start castgate --no-block
belt "${PARTS:-200}"
say "$(status_line)"
sleep 3
save_trace
journalctl -u castgate -o cat --no-pager | tail -20 > "$OUT/log"
is_active || die "castgate does not run"
[ "$(restarts)" = 0 ] || die "castgate was restarted"

# The clock is stepped an hour on and back: nothing on the line goes by it.
. /share/lib.sh
line_up
trace_gate
run_line "${PARTS:-16}"
sleep 4
date -s "@$(($(date +%s) + 3600))" > /dev/null
sleep 7
date -s "@$(($(date +%s) - 3600))" > /dev/null
wait $feed
sleep 3
save_trace
is_active || die "castgate ended"
[ "$(restarts)" = 0 ] || die "castgate was restarted"

# castgate hangs: the watchdog ends it, and it is back.
. /share/lib.sh
line_up
run_line 40
sleep 3
old=$(main_pid)
from=$(cut -d' ' -f1 /proc/uptime)
kill -STOP "$old"
within 60 runs_anew "$old" || die "not back"
say "ready again after $(awk -v a="$from" '{printf "%.1f", $1-a}' /proc/uptime) s, result of the first: watchdog"
journalctl -u castgate --no-pager -o cat | grep -i watchdog | head -2
kill $feed
[ "$(restarts)" -ge 1 ] || die "no restart"

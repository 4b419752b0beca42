# castgate is killed with a part in flight: the gate's line is let go, castgate is back in seconds, and the part is told as unresolved.
. /share/lib.sh
line_up
systemctl start castgate --no-block
belt "${PARTS:-12}" &
feed=$!
within 30 sh -c "[ \$(wc -l < $OUT/truth.jsonl) -ge 3 ]" || die "no parts"
sleep 0.7
old=$(main_pid)
from=$(cut -d' ' -f1 /proc/uptime)
kill -9 "$old"
say "gate line once it is dead: $(gate_line) (0 is reject)"
within 60 runs_anew "$old" || die "not back"
say "ready again after $(awk -v a="$from" '{printf "%.1f", $1-a}' /proc/uptime) s"
wait $feed
sleep 3
grep -q unresolved_at_stop "$OUT/parts.jsonl" || die "the part in flight is not told"

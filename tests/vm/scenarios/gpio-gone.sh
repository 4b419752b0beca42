# The GPIO chip goes and comes back: castgate ends with a clear error, and works again when the chip is there.
. /share/lib.sh
line_up
run_line 400
sleep 2
gpio_down
within 30 log_has 'the chip is gone' || die "the loss is not told"
kill $feed || true
gpio_up
belt 6 again.jsonl
within 60 is_active || die "castgate does not come back"
say "restarts: $(restarts)"
journalctl -u castgate -o cat --no-pager | grep -i chip | sort | uniq -c | head -5 > "$OUT/log"

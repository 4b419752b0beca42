# The power goes without warning, with parts on the belt; after the next boot castgate runs by itself and tells the parts in flight.
. /share/lib.sh
camera_up; gpio_up
if [ ! -e /etc/castgate/cut ]; then
  install_stopped
  broker_up; listen
  configure
  systemctl start castgate --no-block
  belt 400 &
  within 30 sh -c "[ \$(wc -l < $OUT/truth.jsonl) -ge 4 ]" || die "no parts"
  touch /etc/castgate/cut
  # What a careful person syncs is on the disk; everything later is the power cut's.
  sync
  sleep 2
  cp "$OUT/parts.jsonl" "$OUT/before.jsonl" 2> /dev/null || true
  echo again > /share/.vm/cut
  sync /share/.vm/cut "$OUT/truth.jsonl"
  echo b > /proc/sysrq-trigger
  sleep 60
fi
broker_up; listen
belt 8 after.jsonl
within 60 is_active || die "castgate does not run after the power cut"
sleep 3
castgate why --config "$CONFIG" 2> /dev/null | tail -5 || true
grep -q unresolved_at_stop "$OUT/parts.jsonl" || die "the parts in flight are not told"

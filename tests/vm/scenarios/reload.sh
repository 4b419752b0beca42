# A good configuration is taken over while parts are on the belt, a bad one is refused.
. /share/lib.sh
line_up
trace_gate
run_line "${PARTS:-12}"
sed -i 's/^line: {name: vm,/line: {name: vm, log_level: debug,/' "$CONFIG"
systemctl reload castgate || die "a good configuration is refused"
within 30 log_has 'changed are line.log_level' || die "the change is not told"
sleep 3
echo 'gate: {nonsense: 1}' >> "$CONFIG"
if systemctl reload castgate; then die "a bad configuration is taken"; fi
is_active || die "a bad configuration ended castgate"
wait $feed
sleep 3
save_trace
[ "$(restarts)" = 0 ] || die "castgate was restarted"

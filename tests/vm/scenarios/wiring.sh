# The commands of commissioning on kernel devices: the gate moves as often as it is told, every edge of a sensor is told, the camera gives
# a picture, and pictures of parts are taken for teaching.
. /share/lib.sh
camera_up; gpio_up; install_stopped; configure

trace_gate
castgate gate pulse --config "$CONFIG" --times 5 --length 100ms --every 400ms > "$OUT/pulse" 2>&1 || die "gate pulse: $(cat "$OUT/pulse")"
save_trace
[ "$(gate_line)" = 0 ] || die "the gate's line is left high"
say "$(grep -c 'set 0' "$OUT/trace.txt") times low, $(grep -c 'set 1' "$OUT/trace.txt") times high"
[ "$(grep -c 'set 1' "$OUT/trace.txt")" = 5 ] || [ "$(grep -c 'set 1' "$OUT/trace.txt")" = 6 ] || die "five pulses were asked for"
castgate gate safe --config "$CONFIG" || die "gate safe"
# Driven high only: the line is let go for a reject, and a resistor makes it low.
sed 's/line: GATE,/line: GATE, drive: open_source,/' "$CONFIG" > /run/open.yaml
echo pull-down > "$CHIP/sim_gpio$GATE/pull"
castgate gate pulse --config /run/open.yaml --times 3 --length 300ms --every 800ms > "$OUT/open" 2>&1 &
pulse=$!
levels=$(for _ in $(seq 40); do gate_line; sleep 0.05; done | sort -u | tr -d '\n')
wait $pulse || die "gate pulse, open source: $(cat "$OUT/open")"
[ "$levels" = 01 ] || die "an open source gives the levels '$levels'"

castgate sensor watch --config "$CONFIG" --for 8s > "$OUT/watch" 2>&1 &
watch=$!
sleep 3
for _ in 1 2 3; do
  echo pull-up > "$CHIP/sim_gpio$SENSOR/pull"; sleep 0.4
  echo pull-down > "$CHIP/sim_gpio$SENSOR/pull"; sleep 0.4
done
wait $watch || die "sensor watch: $(cat "$OUT/watch")"
sed 's/^/    /' "$OUT/watch"
castgate gate watch --config "$CONFIG" --for 5s > "$OUT/confirm" 2>&1 &
watch=$!
sleep 2
echo pull-up > "$CHIP/sim_gpio$CONFIRM/pull"; sleep 0.4
echo pull-down > "$CHIP/sim_gpio$CONFIRM/pull"
wait $watch || die "gate watch: $(cat "$OUT/confirm")"
sed 's/^/    /' "$OUT/confirm"
grep -q confirm "$OUT/confirm" || die "gate watch tells nothing of the confirm sensor"

# Of what lies on this belt nobody is told.
belt 14 belt.jsonl &
feed=$!
sleep 3
castgate camera snap --config "$CONFIG" --out "$OUT/snap.png" || die "camera snap"
timeout -s INT 4 castgate camera focus --config "$CONFIG" > "$OUT/focus" 2>&1 || true
grep -q ' of ' "$OUT/focus" || die "camera focus: $(cat "$OUT/focus")"
castgate teach --config "$CONFIG" --label ok --parts 3 --only-take --data "$OUT/taught" > "$OUT/teach" 2>&1 || die "teach: $(cat "$OUT/teach")"
tail -3 "$OUT/teach" | sed 's/^/    /'
[ "$(find "$OUT/taught" -name '*.png' | wc -l)" = 3 ] || die "three parts were to be taken: $(find "$OUT/taught" -type f)"
wait $feed

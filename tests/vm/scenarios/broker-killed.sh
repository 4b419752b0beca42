# The broker is killed for ten seconds: the line goes on, and what it said meanwhile arrives afterwards.
. /share/lib.sh
line_up
trace_gate
systemctl start castgate --no-block
belt "${PARTS:-20}" &
feed=$!
sleep 8
kill -9 "$BROKER"
sleep 10
broker_up
wait $feed
sleep 5
save_trace

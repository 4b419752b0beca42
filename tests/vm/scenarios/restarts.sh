# A hundred restarts of the service with real devices: each becomes ready, the last weighs what the first did.
. /share/lib.sh
line_up
belt 100000 &
start
sleep 2
first=$(weigh)
n=0 slowest=0 sum=0
while [ $n -lt "${RESTARTS:-100}" ]; do
  n=$((n + 1))
  systemctl stop castgate
  from=$(cut -d' ' -f1 /proc/uptime)
  start
  took=$(awk -v a="$from" '{printf "%d", ($1-a)*1000}' /proc/uptime)
  sum=$((sum + took))
  [ "$took" -le "$slowest" ] || slowest=$took
done
sleep 2
last=$(weigh)
{ echo "first $first"; echo "last $last"; echo "start to READY: mean $((sum / n)) ms, slowest $slowest ms of $n"; } | tee "$OUT/weights"
steady "$first" "$last"

# The package: installs and runs the demonstration line with no output driven, upgrades keeping configuration and state, goes away.
. /share/lib.sh
gpio_up
install_package
# The emulated processor is too slow for the demonstration's belt, and castgate refuses that: a slower one.
sed -i 's/^  speed: 0.5m\/s/  speed: 0.1m\/s/; s/^  rate: 20fps/  rate: 2fps/; s/^  lost_after: 1s/  lost_after: 2s/; s/^  stale_after: 500ms/  stale_after: 3s/' "$CONFIG"
start
within 60 is_active || die "the demonstration line does not run"
say "$(status_line)"
grep -q GATE /sys/kernel/debug/gpio 2> /dev/null && die "a line is held" || true
id castgate
systemd-analyze security castgate --no-pager | tail -1 | tee "$OUT/security"
systemd-analyze security castgate --no-pager > "$OUT/security.txt"
echo '# mine' >> "$CONFIG"
within 10 test -e /var/lib/castgate/parts.db || die "no histories"
dpkg -i /share/castgate.deb > /dev/null 2>&1 || die "the upgrade fails"
grep -q '# mine' "$CONFIG" || die "the upgrade lost the configuration"
within 60 is_active || die "not running after the upgrade"
castgate --version
man_page=/usr/share/man/man1/castgate.1.gz; [ -s $man_page ] || die "no manual"
dpkg -r castgate > /dev/null 2>&1 || die "removal fails"
[ -e "$CONFIG" ] && [ -e /var/lib/castgate/parts.db ] || die "removal took configuration or state"
! is_active || die "still running"
dpkg -P castgate > /dev/null 2>&1 || die "purge fails"
[ ! -e "$CONFIG" ] && [ ! -e /var/lib/castgate ] || die "purge left something"

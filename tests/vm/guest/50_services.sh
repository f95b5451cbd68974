#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The tests of tests/services that need no API server, on this kernel, with cards of macvlan and of ipvlan; without those
# of full maps, which are the same on all.

export TANDEM_TOOLS=/t/bin TANDEM_SERVICES_BIN=/t/bin/tandem-services
rc=0
# part NAME [KIND]: each of its lines says which it is
part() {
	local up from
	read -r from _ </proc/uptime
	bash "/t/tests/services/$1.sh" "${@:2}" 2>&1 | sed -E "/ Killed  /d; s/^(ok|not ok|skip) /&$*: /"
	[ "${PIPESTATUS[0]}" = 0 ] || rc=1
	read -r up _ </proc/uptime
	echo "# $*: $(echo "$up - $from" | bc) s"
}
export FULL=no
for kind in macvlan ipvlan l3 l3s; do part byhand $kind; done
part rights
part mounts
part others ipvlan
for kind in ipvlan macvlan; do
	part ends $kind
	part ways $kind
done
exit $rc

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# State files as earlier versions have written them (tests/data/state, each with the bytes of its version): DEL takes one as it
# is for what it names, and of a sandbox that lives CHECK and DEL need no more than such a file has.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-apiserver.sh"
contract_node
apiserver_start

NET100='{"cidr":"192.168.100.50/24","mac":"0a:00:00:00:00:32","gateway":"192.168.100.1","mode":"bridge","linkType":"macvlan","routes":[{"dst":"172.16.18.0/24","iface":"eth1"}]}'
asks() { conf "$(primary)" '{"io.kubernetes.cri.pod-annotations":{"tandem-cni.io/subnet":"vlan100"}}'; }

for data in "$TESTS_ROOT"/tests/data/state/*; do
	version=$(basename "$data")
	# ------------------------------------------------------------------------- a sandbox that lives
	new_pod
	POD_UID=$(cat /proc/sys/kernel/random/uuid) POD_NAME=web-$version
	record "$POD_NAME" "$POD_UID" "$NET100"
	cni ADD "$(asks)"
	succeeded "$version: ADD"
	keys=$(tail -n +2 "$data" | jq -c keys)
	state_edit "with_entries(select(.key | IN(${keys}[])))"
	same "$version: the keys of its file" "$keys" "$(tail -n +2 "$(state_file)" | jq -c keys)"
	cni CHECK "$(asks)"
	succeeded "$version: CHECK"
	cni DEL "$(asks)"
	succeeded "$version: DEL"
	same "$version: nothing left" "" "$(leftovers)"
	drop_pod
	# ------------------------------------------------------------------------- the file, to the byte
	new_pod
	CID=$(tail -n +2 "$data" | jq -r .containerID)
	cp "$data" "$(state_file)"
	cni DEL "$(asks)"
	succeeded "$version: the file itself, DEL"
	same "$version: the file itself is read and gone" "" "$(leftovers)"
	same "$version: it was not set aside as damaged" 0 "$(find "$DIR/state" -name '*.corrupt' | wc -l)"
	drop_pod
done

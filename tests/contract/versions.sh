#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The oldest versions of the specification, and a conf without any, which is 0.1.0: results as the reference bridge
# plugin prints them in that version, for a pod without a card, with one, and with nothing else.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-apiserver.sh"
contract_node
apiserver_start

NET='{"cidr":"192.168.100.50/24","mac":"0a:00:00:00:00:32","gateway":"192.168.100.1","routes":[{"dst":"172.16.18.0/24"}]}'
# old VERSION [DELEGATE [MORE-ANNOTATIONS]]: our conf in that version, "" = none
old() {
	conf "${2:-$(primary)}" '{"io.kubernetes.cri.pod-annotations":{'"${3:-}"'}}' | tr -d '\n' |
		jq -c --arg v "$1" 'if $v == "" then del(.cniVersion) elif $v == "empty" then .cniVersion = "" else .cniVersion = $v end'
}
# What differs from pod to pod.
masked() { sed -E 's,10\.42\.0\.[0-9]+/24,ADDRESS/24,' | jq -cS .; }

new_pod
for version in 0.1.0 0.2.0; do
	bridge=$(primary | tr -d '\n' | jq -c --arg v $version '.plugins[0] + {name, cniVersion: $v}')
	for verb in ADD DEL; do
		printf '%s' "$bridge" | env -i PATH="$PATH" CNI_COMMAND=$verb CNI_CONTAINERID="$CID" CNI_NETNS="$NETNS" \
			CNI_IFNAME=eth0 CNI_PATH="$CNI_PLUGINS" nsenter --net=/run/netns/"$NODE" "$CNI_PLUGINS/bridge" >"$DIR/$verb.$version"
	done
done
drop_pod
same "the reference plugin" \
	'{"cniVersion":"0.2.0","dns":{},"ip4":{"gateway":"10.42.0.1","ip":"ADDRESS/24","routes":[{"dst":"10.42.0.0/16"},{"dst":"0.0.0.0/0","gw":"10.42.0.1"}]}}' \
	"$(masked <"$DIR/ADD.0.2.0")"

for version in 0.1.0 0.2.0 "" empty; do
	name=${version:-without a version}
	case $version in 0.2.0) golden=$DIR/ADD.0.2.0 told=0.2.0 ;; *) golden=$DIR/ADD.0.1.0 told=0.1.0 ;; esac
	new_pod
	cni ADD "$(old "$version")"
	succeeded "$name: ADD"
	same "$name: as the reference plugin has it" "$(masked <"$golden")" "$(masked <<<"$OUT")"
	cni CHECK "$(old "$version")"
	says "$name: there is no CHECK" 1 "CHECK needs cniVersion 0.4.0 or later, the conf has $told"
	same "$name: an error in its version" $told "$(jq -r .cniVersion <<<"$OUT")"
	cni DEL "$(old "$version")"
	silent "$name: DEL"
	same "$name: leaves nothing" "" "$(leftovers)"

	POD_NAME=old POD_UID=$(cat /proc/sys/kernel/random/uuid)
	record old "$POD_UID" "$NET"
	cni ADD "$(old "$version" "" '"tandem-cni.io/subnet":"vlan100"')"
	same "$name: with a card the result is the primary's alone" "$(masked <"$golden")" "$(masked <<<"$OUT")"
	same "$name: and the card is there" 192.168.100.50 "$(ip -n "$POD" -j -4 addr show eth1 | jq -r '.[0].addr_info[].local')"
	cni DEL "$(old "$version")"
	same "$name: its DEL leaves nothing" "" "$(leftovers)"

	cni ADD "$(old "$version" "" '"tandem-cni.io/subnet":"vlan100","tandem-cni.io/interface":"eth0"')"
	same "$name: the result of an only card" \
		'{"cniVersion":"'$told'","ip4":{"ip":"192.168.100.50/24","gateway":"192.168.100.1","routes":[{"dst":"172.16.18.0/24","gw":"192.168.100.1"}]},"dns":{}}' "$OUT"
	cni DEL "$(old "$version")"
	same "$name: nothing is left of that" "" "$(leftovers)"
	drop_pod
done

new_pod
cni ADD "$(old 0.2.0 "$(primary | sed 's/0\.3\.1/0.2.0/')")"
same "a primary that is as old" "$(masked <"$DIR/ADD.0.2.0")" "$(masked <<<"$OUT")"
cni DEL "$(old 0.2.0)"
same "leaves nothing" "" "$(leftovers)"
drop_pod

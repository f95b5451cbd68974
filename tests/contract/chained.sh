#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The plugin behind another one in the runtime's own list: what that one has made is passed through, by way of the
# primary or, where the card is the pod's only one, by ourselves. Results to the letter, in two versions.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-apiserver.sh"
contract_node
apiserver_start

NET='{"cidr":"192.168.100.50/24","mac":"0a:00:00:00:00:32","gateway":"192.168.100.1","routes":[{"dst":"172.16.18.0/24"}]}'

# The plugin before us: the reference bridge. Its result in $DIR/before; 1.1.0 with what that version has more.
before() { # before VERB VERSION
	primary | tr -d '\n' | jq -c --arg v "${2/1.1.0/1.0.0}" '.plugins[0] + {name, cniVersion: $v}' |
		env -i PATH="$PATH" CNI_COMMAND="$1" CNI_CONTAINERID="$CID" CNI_NETNS="$NETNS" CNI_IFNAME=eth0 \
			CNI_PATH="$CNI_PLUGINS" nsenter --net=/run/netns/"$NODE" "$CNI_PLUGINS/bridge" |
		jq -c --arg v "$2" '.cniVersion = $v | if $v == "1.1.0" then del(.dns) |
			.interfaces[2].mtu = 1450 | .interfaces[2].pciID = "0000:00:1f.6" |
			.routes += [{dst: "10.9.0.0/16", gw: "10.42.0.7", mtu: 1400, advmss: 1360, priority: 7, table: 9, scope: 0}]
			else . end' >"$DIR/before"
}
# chained CONF: as the runtime hands it over to the second of a list
chained() { printf '%s' "$1" | jq -c --slurpfile r "$DIR/before" '. + {prevResult: $r[0]}'; }
asks() { # asks DELEGATE [MORE-ANNOTATIONS]
	conf "$1" '{"io.kubernetes.cri.pod-annotations":{"tandem-cni.io/subnet":"vlan100"'"${2:-}"'}}'
}
sorted() { jq -S . <<<"$1"; }
new_uid() { POD_UID=$(cat /proc/sys/kernel/random/uuid); }

# A primary for chains that keeps what it was given, and one that changes it.
plugin passes <<EOF_PLUGIN
#!/bin/sh
jq -c '.prevResult' >"$DIR/passed.\$CNI_COMMAND"
[ "\$CNI_COMMAND" != ADD ] || cat "$DIR/passed.ADD"
EOF_PLUGIN
plugin changes <<'EOF_PLUGIN'
#!/bin/sh
[ "$CNI_COMMAND" = ADD ] || exit 0
jq -c '.prevResult | .dns = {nameservers: ["10.43.0.10"]}'
EOF_PLUGIN

for VERSION in 0.4.0 1.1.0; do
	new_pod
	before ADD $VERSION
	delegate='{"cniVersion":"'$VERSION'","name":"cbr0","type":"passes"}'
	cni ADD "$(chained "$(conf "$delegate")")"
	succeeded "$VERSION: ADD behind another plugin"
	same "$VERSION: the primary is handed its result" "$(sorted "$(cat "$DIR/before")")" "$(sorted "$(cat "$DIR/passed.ADD")")"
	same "$VERSION: the runtime, too" "$(sorted "$(cat "$DIR/before")")" "$(sorted "$OUT")"
	cni DEL "$(chained "$(conf "$delegate")")"
	silent "$VERSION: DEL"
	same "$VERSION: the primary is handed the result once more" "$(sorted "$(cat "$DIR/before")")" "$(sorted "$(cat "$DIR/passed.DEL")")"
	same "$VERSION: what the other one has made stays" eth0 "$(ip -n "$POD" -j link show type veth | jq -r '.[].ifname')"

	delegate='{"cniVersion":"'$VERSION'","name":"cbr0","plugins":[{"type":"passes"},{"type":"changes"}]}'
	cni ADD "$(chained "$(conf "$delegate")")"
	same "$VERSION: what the primary changes is changed, and nothing else" \
		"$(jq -S '.dns = {nameservers: ["10.43.0.10"]}' "$DIR/before")" "$(sorted "$OUT")"
	cni DEL "$(chained "$(conf "$delegate")")"

	new_uid
	POD_NAME=second-${VERSION//./-}
	record "$POD_NAME" "$POD_UID" "$NET"
	delegate='{"cniVersion":"'$VERSION'","name":"cbr0","type":"passes"}'
	cni ADD "$(chained "$(asks "$delegate")")"
	same "$VERSION: a card beside what is there: the result is passed through" "$(sorted "$(cat "$DIR/before")")" "$(sorted "$OUT")"
	same "$VERSION: and the card is there" 192.168.100.50/24 "$(ip -n "$POD" -j -4 addr show eth1 | jq -r '.[0].addr_info[] | "\(.local)/\(.prefixlen)"')"
	cni DEL "$(chained "$(asks "$delegate")")"
	silent "$VERSION: its DEL"
	before DEL $VERSION
	same "$VERSION: nothing is left of any" "" "$(leftovers)"

	# The other one's link is no eth0: the card gets that name.
	primary='{"cniVersion":"'$VERSION'","interfaces":[{"name":"net1","mac":"0a:58:0a:09:00:02","sandbox":"'$NETNS'"}],
		"ips":[{"interface":0,"address":"10.9.0.2/24","gateway":"10.9.0.1"}],"routes":[{"dst":"10.9.0.0/16","gw":"10.9.0.1"}],
		"dns":{"nameservers":["10.9.0.1"]}}'
	jq -c 'if .cniVersion == "0.4.0" then .ips[0].version = "4" else . end' <<<"$primary" >"$DIR/before"
	cni ADD "$(chained "$(asks '{"cniVersion":"0.4.0","name":"cbr0","type":"none"}' ',"tandem-cni.io/interface":"eth0"')")"
	succeeded "$VERSION: ADD of an only card behind another plugin"
	same "$VERSION: its own comes after the other's" "$(jq -S --arg ns "$NETNS" '
		.interfaces += [{name: "eth0", mac: "0a:00:00:00:00:32", sandbox: $ns}] |
		.ips += [{interface: 1, address: "192.168.100.50/24", gateway: "192.168.100.1"} +
			(if .cniVersion == "0.4.0" then {version: "4"} else {} end)] |
		.routes += [{dst: "172.16.18.0/24", gw: "192.168.100.1"}]' "$DIR/before")" "$(sorted "$OUT")"
	cni DEL "$(chained "$(asks '{"cniVersion":"0.4.0","name":"cbr0","type":"none"}' ',"tandem-cni.io/interface":"eth0"')")"
	silent "$VERSION: its DEL, too"
	same "$VERSION: nothing is left of that" "" "$(leftovers)"
	drop_pod
done

# --- a folder of the network's name -----------------------------------------------------------------

# It is the runtime that runs what lies there, after us: our list has the name and the folder of the primary's.
mkdir "$DIR/net.d" "$DIR/net.d/cbr0"
plugin witness <<EOF_PLUGIN
#!/bin/sh
echo "\$CNI_COMMAND" >>"$DIR/ran"
[ "\$CNI_COMMAND" != ADD ] || jq -c .prevResult
EOF_PLUGIN
: >"$DIR/ran"
echo '{"type":"witness"}' >"$DIR/net.d/cbr0/10-witness.conf"
VERSION=0.4.0
new_pod
for inlined in '' '"loadOnlyInlinedPlugins":true,' '"loadOnlyInlinedPlugins":false,'; do
	primary | sed "s/\"name\"/$inlined&/" >"$DIR/net.d/10-primary.conflist"
	cni ADD "$(conf | tr -d '\n' | jq -c --arg f "$DIR/net.d/10-primary.conflist" 'del(.delegate) | .delegateFile = $f')"
	succeeded "a folder beside delegateFile (${inlined:-default})"
	cni DEL "$(conf)"
	same "its plugins are not run by us" "" "$(cat "$DIR/ran")"
	same "nothing is left" "" "$(leftovers)"
done
drop_pod

new_pod
VERSION=1.1.0
echo '{"cniVersion":"1.1.0","ips":[{"address":"none"}]}' >"$DIR/before"
cni ADD "$(chained "$(conf '{"cniVersion":"0.4.0","name":"cbr0","type":"passes"}')")"
refused "a prevResult that is none" 6 "prevResult"
drop_pod

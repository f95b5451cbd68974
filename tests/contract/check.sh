#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# CHECK: right after ADD, as CRI-O calls it, and after each thing that can be taken from under a pod; the
# primary's plugins as libcni runs them; without a state file and with one of an older version.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-apiserver.sh"
contract_node
apiserver_start

NET100='{"cidr":"192.168.100.50/24","mac":"0a:00:00:00:00:32","gateway":"192.168.100.1","mode":"bridge","linkType":"macvlan","routes":[{"dst":"172.16.18.0/24","iface":"eth1"}]}'
NET120='{"cidr":"192.168.120.2/24","mac":"0a:00:00:00:01:02","gateway":"192.168.120.1","podDefaultGateway":{"enable":true,"serviceCidr":"10.43.0.0/16"}}'
NET22='{"cidr":"192.168.22.3/24","mac":"0a:00:00:00:02:03","gateway":"192.168.22.1","routes":[{"dst":"0.0.0.0/0","gw":"192.168.22.1","iface":"eth0"}]}'

# The primary at a version that knows CHECK; bridge's own takes a route without a gateway for missing.
checked() { primary | sed 's/0\.3\.1/0.4.0/; s,{"dst":"10.42.0.0/16"},{"dst":"10.42.0.0/16"\,"gw":"10.42.0.1"},'; }
asks() { # asks [MORE-ANNOTATIONS [DELEGATE]]
	conf "${2:-$(checked)}" '{"io.kubernetes.cri.pod-annotations":{"tandem-cni.io/subnet":"vlan100"'"${1:-}"'}}'
}
pod() { # pod NAME SPEC: a fresh pod with a record
	new_pod
	POD_NAME=$1
	POD_UID=$(cat /proc/sys/kernel/random/uuid)
	record "$POD_NAME" "$POD_UID" "$2"
}
# with_prev CONF: as the runtime calls CHECK and DEL, with the result of the ADD
with_prev() { tr -d '\n' <<<"$1" | jq -c --argjson r "${RESULT:-null}" '. + {prevResult: $r}'; }
in_pod() { ip netns exec "$POD" sh -c "$1"; }
# missing NAME AWAY BACK TEXT: AWAY makes CHECK fail with TEXT, BACK makes it pass again
missing() {
	in_pod "$2" || fail "$1" "cannot do: $2"
	cni CHECK "$(with_prev "$CONF")"
	says "$1" 101 "$4"
	in_pod "$3" || fail "$1" "cannot do: $3"
	cni CHECK "$(with_prev "$CONF")"
	silent "$1: passes when it is back"
}
no_requests() {
	requests
	same "$1" 0 "$REQUESTS"
}

# --- picture (a) ------------------------------------------------------------------------------------

pod check-a "$NET100"
CONF=$(asks)
cni ADD "$CONF"
succeeded "(a) ADD"
RESULT=$OUT
own=$(ip -n "$POD" -j -4 addr show eth0 | jq -r '.[0].addr_info[0].local')
requests
cni CHECK "$(with_prev "$CONF")"
silent "(a) CHECK right after ADD"
no_requests "(a) CHECK costs no request"
missing "(a) a custom route" 'ip route del 172.16.18.0/24' 'ip route add 172.16.18.0/24 via 192.168.100.1' \
	"route 172.16.18.0/24 via 192.168.100.1 dev eth1 is missing"
missing "(a) a rule" "ip rule del pref 1000" "ip rule add pref 1000 from $own lookup 2000" \
	"rule 1000 from $own lookup 2000 is missing"
missing "(a) a route of table 2000" "ip route del default table 2000" \
	"ip route add default via 10.42.0.1 table 2000" "route default via 10.42.0.1 dev eth0 table 2000 is missing"
missing "(a) the MTU" "ip link set eth1 mtu 1400" "ip link set eth1 mtu 1500" "mtu is 1400 instead of 1500"
in_pod 'ip route add 203.0.113.0/24 via 192.168.100.1; ip addr add 192.168.100.77/24 dev eth1; ip rule add pref 5000 lookup 77'
cni CHECK "$(with_prev "$CONF")"
silent "(a) what the app has added is fine"
cni CHECK "$(with_prev "$(conf "$(checked | sed 's/"type":"bridge"/"type":"gone"/')")")"
silent "(a) CHECK goes by the conf of the ADD, not today's"
in_pod 'ip rule del pref 5000; ip addr del 192.168.100.77/24 dev eth1; ip addr del 192.168.100.50/24 dev eth1'
cni CHECK "$(with_prev "$CONF")"
says "(a) the address" 101 "address 192.168.100.50/24 dev eth1 is missing"
in_pod 'ip link set eth1 down'
cni CHECK "$(with_prev "$CONF")"
says "(a) a card that is down" 101 "link eth1 state is down instead of up"
in_pod 'ip link del eth1'
cni CHECK "$(with_prev "$CONF")"
says "(a) the card" 101 "link eth1 is missing"
cni DEL "$CONF"
succeeded "(a) DEL of what is not all there"
same "(a) nothing left" "" "$(leftovers)"
drop_pod

# --- picture (b): bridge looks for the default route of its result, which is ours now -------------------

pod check-b "$NET120"
CONF=$(asks)
cni ADD "$CONF"
succeeded "(b) ADD"
RESULT=$OUT
cni CHECK "$(with_prev "$CONF")"
silent "(b) CHECK passes with the default route moved"
missing "(b) the default route moved back by hand" "ip route replace default via 10.42.0.1" \
	"ip route replace default via 192.168.120.1" "route default via 192.168.120.1 dev eth1 is missing"
missing "(b) the services' route" "ip route del 10.43.0.0/16" "ip route add 10.43.0.0/16 via 10.42.0.1" \
	"route 10.43.0.0/16 via 10.42.0.1 dev eth0 is missing"
in_pod "ip route del 10.42.0.0/16"
cni CHECK "$(with_prev "$CONF")"
says "(b) a route of the primary's own is told by the primary" 999 'plugin "bridge" failed'
cni DEL "$CONF"
drop_pod

# A custom route that takes a network of the primary's result over.
pod check-over "$(jq -c '.routes += [{dst:"10.42.0.0/16",iface:"eth1"}]' <<<"$NET100")"
CONF=$(asks)
cni ADD "$CONF"
RESULT=$OUT
cni CHECK "$(with_prev "$CONF")"
silent "a network of the primary's that a custom route leads to the card"
cni DEL "$CONF"
drop_pod

# --- picture (c) ------------------------------------------------------------------------------------

pod check-c "$NET22"
CONF=$(asks ',"tandem-cni.io/interface":"eth0"')
cni ADD "$CONF"
succeeded "(c) ADD"
RESULT=$OUT
cni CHECK "$(with_prev "$CONF")"
silent "(c) CHECK"
missing "(c) the default route" "ip route del default" "ip route add default via 192.168.22.1" \
	"route default via 192.168.22.1 dev eth0 is missing"
cni DEL "$CONF"
cni CHECK "$(with_prev "$CONF")"
says "CHECK after DEL: the primary says what it misses" 999 'plugin "bridge" failed'
same "and leaves nothing" "" "$(leftovers)"
drop_pod

# --- the primary's plugins, as libcni runs them -------------------------------------------------------

plugin noted <<EOF_PLUGIN
#!/bin/sh
text=\$(cat)
printf '%s %s\n' "\$CNI_COMMAND" "\$(printf '%s' "\$text" | jq -c '[.type, .mark, .name, .cniVersion, .runtimeConfig, .capabilities, (.prevResult.ips[0].address // "none"), .big]')" >>"$DIR/noted"
case \$CNI_COMMAND in
ADD) echo '{"cniVersion":"0.4.0","ips":[{"version":"4","address":"10.42.9.9/24"}]}' ;;
CHECK) [ ! -e "$DIR/refuse" ] || { echo '{"code":77,"msg":"not as it was"}'; exit 1; } ;;
esac
EOF_PLUGIN
chain() { # chain [KEYS [VERSION]]
	cat <<-CONF
		{"cniVersion":"${2:-0.4.0}","name":"cbr0",${1:-}"plugins":[
		{"type":"noted","mark":1,"capabilities":{"portMappings":true},"big":9007199254740993},
		{"type":"noted","mark":2,"capabilities":{"bandwidth":true}}]}
	CONF
}
noted() { # noted VERB: who was run with it, and what it was given
	grep "^$1 " "$DIR/noted" | cut -d' ' -f2-
}
new_pod
POD_NAME=plain
runtime='{"io.kubernetes.cri.pod-annotations":{},"portMappings":[{"hostPort":80}],"bandwidth":{"ingressRate":1}}'
cni ADD "$(conf "$(chain)" "$runtime")"
RESULT=$OUT
cni CHECK "$(with_prev "$(conf "$(chain)" "$runtime")")"
silent "CHECK of a pod without a card"
same "in order, each with its own share and the final result" \
	'["noted",1,"cbr0","0.4.0",{"portMappings":[{"hostPort":80}]},null,"10.42.9.9/24",9007199254740993]
["noted",2,"cbr0","0.4.0",{"bandwidth":{"ingressRate":1}},null,"10.42.9.9/24",null]' \
	"$(noted CHECK | sed 's/9007199254740992/9007199254740993/')"
: >"$DIR/refuse"
: >"$DIR/noted"
cni CHECK "$(with_prev "$(conf "$(chain)" "$runtime")")"
says "a plugin's refusal is passed up" 77 "not as it was"
same "and ends the list" 1 "$(noted CHECK | wc -l)"
cni DEL "$(conf "$(chain)")"
drop_pod
for kind in '"disableCheck":true,' '"disableCheck":"true",' "older"; do
	new_pod
	keys=$kind version=0.4.0
	[ "$kind" != older ] || keys='' version=0.3.1
	: >"$DIR/noted"
	cni ADD "$(conf "$(chain "$keys" "$version")")"
	RESULT=$OUT
	cni CHECK "$(with_prev "$(conf "$(chain "$keys" "$version")")")"
	silent "CHECK with $kind"
	same "runs no plugin with $kind" "" "$(noted CHECK)"
	cni DEL "$(conf "$(chain "$keys" "$version")")"
	drop_pod
done
rm "$DIR/refuse"

# --- state files that are not there, older, or of an ADD that did not end --------------------------------

pod check-old "$NET100"
CONF=$(asks)
cni ADD "$CONF"
RESULT=$OUT
state_edit 'del(.made)'
cni CHECK "$(with_prev "$CONF")"
silent "a state file of before CHECK was there"
in_pod 'ip rule del pref 1001'
cni CHECK "$(with_prev "$CONF")"
silent "does not know about rules"
in_pod 'ip addr flush dev eth1'
cni CHECK "$(with_prev "$CONF")"
says "but about the address" 101 "address of eth1 is missing"
state_edit '.bootID="of another boot"'
cni CHECK "$(with_prev "$CONF")"
says "a pod of before the node's start" 101 "is older than the node's last boot"
cni DEL "$CONF"
drop_pod

pod check-lost "$NET100"
cni ADD "$CONF"
RESULT=$OUT
rm "$(state_file)"
cni CHECK "$(with_prev "$CONF")"
silent "without a state file: the primary's conf as it is now, and the card"
in_pod 'ip link set eth1 down'
cni CHECK "$(with_prev "$CONF")"
says "without a state file the card is looked at" 101 "link eth1 state is down"
in_pod 'ip link del eth1'
cni CHECK "$(with_prev "$CONF")"
silent "without a state file a pod need not have a card"
in_pod 'ip link del eth0'
cni CHECK "$(with_prev "$CONF")"
says "but what the primary wants" 999 'plugin "bridge" failed'
cni DEL "$CONF"
same "nothing left of the pod without a state file" "" "$(leftovers)"
drop_pod

pod check-half "$NET100"
cni ADD "$CONF"
RESULT=$OUT
state_edit '.complete=false'
cni CHECK "$(with_prev "$CONF")"
says "an ADD that did not end" 101 "is not finished"
cni CHECK "$(with_prev "$CONF")" CNI_NETNS=
says "CHECK without CNI_NETNS" 4 CNI_NETNS
cni CHECK "$(with_prev "$CONF")" CNI_NETNS=/run/netns/"$NODE"
says "CHECK in the node's own namespace" 8 "of the host"
VERSION=0.3.1 cni CHECK "$(VERSION=0.3.1 conf)"
says "CHECK by a conf of 0.3.1" 1 0.4.0
cni DEL "$CONF"
same "nothing left at the end" "" "$(leftovers)"
drop_pod

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Pods that ask for a card, against a real API server: the three pictures to the letter, waiting, and what a
# failure at any point leaves (nothing). The records are written by the test, as the controller writes them.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-apiserver.sh"
contract_node
apiserver_start

NET100='{"cidr":"192.168.100.50/24","mac":"0a:00:00:00:00:32","gateway":"192.168.100.1","mode":"bridge","linkType":"macvlan","routes":[{"dst":"172.16.18.0/24","iface":"eth1"}]}'
NET120='{"cidr":"192.168.120.2/24","mac":"0a:00:00:00:01:02","gateway":"192.168.120.1","podDefaultGateway":{"enable":true,"serviceCidr":"10.43.0.0/16"}}'
NET22='{"cidr":"192.168.22.3/24","mac":"0a:00:00:00:02:03","gateway":"192.168.22.1","routes":[{"dst":"0.0.0.0/0","gw":"192.168.22.1","iface":"eth0"}]}'

asks() { # asks [MORE-ANNOTATIONS [CONF-KEYS [DELEGATE]]]
	conf "${3:-$(primary)}" '{"io.kubernetes.cri.pod-annotations":{"tandem-cni.io/subnet":"vlan100"'"${1:-}"'}}' "${2:-}"
}
new_uid() { POD_UID=$(cat /proc/sys/kernel/random/uuid); }
eth0_address() { ip -n "$POD" -j -4 addr show eth0 | jq -r '.[0].addr_info[0].local'; }
addresses() { ip -n "$POD" -j -4 addr show "$1" | jq -r '.[0].addr_info[] | "\(.local)/\(.prefixlen)"'; }

# --- picture (a) ------------------------------------------------------------------------------------

new_pod
new_uid
POD_NAME=web-a
record web-a "$POD_UID" "$NET100"
cni ADD "$(asks)"
succeeded "(a) ADD"
own=$(eth0_address)
same "(a) address of eth1" 192.168.100.50/24 "$(addresses eth1)"
same "(a) address of eth0" "$own/24" "$(addresses eth0)"
same "(a) main table" "10.42.0.0/16 via 10.42.0.1 dev eth0
10.42.0.0/24 dev eth0 scope link src $own
172.16.18.0/24 via 192.168.100.1 dev eth1
192.168.100.0/24 dev eth1 scope link src 192.168.100.50
default via 10.42.0.1 dev eth0" "$(routes "$POD")"
same "(a) rules" "1000: from $own lookup 2000
1001: from 192.168.100.50 lookup 2001" "$(ip -n "$POD" rule show | sed 's/\t/ /' | grep -E '^100[01]:')"
same "(a) MAC" 0a:00:00:00:00:32 "$(ip -n "$POD" -j link show eth1 | jq -r '.[0].address')"
same "(a) mode" bridge "$(ip -n "$POD" -j -d link show eth1 | jq -r '.[0].linkinfo.info_data.mode')"
same "(a) the result is the primary's alone" "$own/24" "$(jq -r '.ips[].address' <<<"$OUT")"
same "(a) in the version that was asked for" 0.4.0 "$(jq -r .cniVersion <<<"$OUT")"
requests
same "(a) costs one request" 1 "$REQUESTS"
check "(a) the LAN reaches the card" ip netns exec "$LAN" ping -c 1 -W 2 192.168.100.50
check "(a) the card reaches the LAN" ip netns exec "$POD" ping -c 1 -W 2 -I eth1 192.168.100.1
cni DEL "$(asks)"
succeeded "(a) DEL"
same "(a) DEL leaves nothing" "" "$(leftovers)"
requests
same "(a) DEL costs no request" 0 "$REQUESTS"
drop_pod

# --- a string that is no C string, in an annotation of somebody else's ---------------------------------

odd=',"example.com/note":"a\u0000b \ud800"'
new_pod
new_uid
POD_NAME=web-odd
record web-odd "$POD_UID" "$NET100"
cni ADD "$(asks "$odd")"
succeeded "odd annotation: ADD"
same "odd annotation: the card" 192.168.100.50/24 "$(addresses eth1)"
cni CHECK "$(asks "$odd")"
succeeded "odd annotation: CHECK"
cni DEL "$(asks "$odd")"
succeeded "odd annotation: DEL"
same "odd annotation: DEL leaves nothing" "" "$(leftovers)"
cni ADD "$(conf "$(primary)" '{"io.kubernetes.cri.pod-annotations":{"example.com/note":"\u0000"}}')"
succeeded "odd annotation: an ADD without a card"
cni DEL "$(conf "$(primary)" '{"io.kubernetes.cri.pod-annotations":{"example.com/note":"\u0000"}}')"
succeeded "odd annotation: its DEL"
cni ADD "$(conf "$(primary)" '{"io.kubernetes.cri.pod-annotations":{"tandem-cni.io/subnet":"vlan\u0000100"}}')"
says "odd annotation: in one of ours" 7 "annotation tandem-cni.io/subnet: "
drop_pod

# --- picture (b) ------------------------------------------------------------------------------------

new_pod
new_uid
POD_NAME=web-b
record web-b "$POD_UID" "$NET120"
VERSION=1.0.0 cni ADD "$(VERSION=1.0.0 asks)"
succeeded "(b) ADD"
own=$(eth0_address)
same "(b) main table" "10.42.0.0/16 via 10.42.0.1 dev eth0
10.42.0.0/24 dev eth0 scope link src $own
10.43.0.0/16 via 10.42.0.1 dev eth0
192.168.120.0/24 dev eth1 scope link src 192.168.120.2
default via 192.168.120.1 dev eth1" "$(routes "$POD")"
same "(b) a primary at 0.3.1 under our 1.0.0" "1.0.0 null" "$(jq -r '"\(.cniVersion) \(.ips[0].version)"' <<<"$OUT")"
cni DEL "$(asks)"
same "(b) DEL leaves nothing" "" "$(leftovers)"
drop_pod

# --- picture (c) ------------------------------------------------------------------------------------

new_pod
new_uid
POD_NAME=web-c
record web-c "$POD_UID" "$NET22"
cni ADD "$(asks ',"tandem-cni.io/interface":"eth0"')"
succeeded "(c) ADD"
same "(c) main table" "192.168.22.0/24 dev eth0 scope link src 192.168.22.3
default via 192.168.22.1 dev eth0" "$(routes "$POD")"
same "(c) links" "eth0 lo" "$(ip -n "$POD" -j link show | jq -r '.[].ifname' | sort | tr '\n' ' ' | sed 's/ $//')"
same "(c) the result is the card's" "192.168.22.3/24 eth0 0a:00:00:00:02:03" \
	"$(jq -r '"\(.ips[0].address) \(.interfaces[0].name) \(.interfaces[0].mac)"' <<<"$OUT")"
same "(c) no primary ran" "" "$(find "$DIR/host-local" -name '10.42*')"
cni DEL "$(asks ',"tandem-cni.io/interface":"eth0"')"
same "(c) DEL leaves nothing" "" "$(leftovers)"
drop_pod

# --- both families ------------------------------------------------------------------------------------

new_pod
new_uid
POD_NAME=web-dual
record web-dual "$POD_UID" "$(jq -c '. + {cidr6: "fd78::50/64", gateway6: "fd78::1"}' <<<"$NET100")"
cni ADD "$(asks)"
succeeded "(dual) ADD"
same "(dual) addresses of eth1" "192.168.100.50/24 fd78::50/64" "$(ip -n "$POD" -j addr show eth1 |
	jq -r '[.[0].addr_info[] | select(.scope == "global") | "\(.local)/\(.prefixlen)"] | join(" ")')"
same "(dual) the IPv6 rule" "1001: from fd78::50 lookup 2001" \
	"$(ip -n "$POD" -6 rule show | sed 's/\t/ /' | grep -E '^100[01]:')"
same "(dual) its table" "default via fd78::1 dev eth1
fd78::/64 dev eth1" "$(ip -n "$POD" -6 route show table 2001 | grep -v ^fe80 | awk '{ print $1, $2, $3, $4, $5 }' |
	sed 's/ metric.*//; s/ *$//' | sort)"
same "(dual) the result is the primary's alone" "$(eth0_address)/24" "$(jq -r '.ips[].address' <<<"$OUT")"
cni DEL "$(asks)"
succeeded "(dual) DEL"
same "(dual) DEL leaves nothing" "" "$(leftovers)"
drop_pod

# --- a record whose end has begun: written before the card is made, so that no free decided before holds ------

new_pod
new_uid
POD_NAME=ending
record ending "$POD_UID" "$NET100"
kubectl_node annotate macvlanip ending tandem-cni.io/unwitnessed-since=2026-01-01T00:00:00Z >/dev/null
kubectl_node get macvlanip ending -o json | jq --arg uid "$POD_UID" '.status = {cardDown: $uid}' |
	kubectl_node replace --raw /apis/tandem-cni.io/v1/namespaces/default/macvlanips/ending/status -f - >/dev/null
before=$(kubectl_node get macvlanip ending -o jsonpath='{.metadata.resourceVersion}{.status.cardDown}')
same "ending: its card is said to be down" "$POD_UID" "${before#"${before%%"$POD_UID"}"}"
requests
cni ADD "$(asks)"
succeeded "ending: ADD"
requests
same "ending: costs one request more" 2 "$REQUESTS"
check "ending: the record says who has it now" grep -qE "^container $CID has been starting since 20.*Z null$" <(
	kubectl_node get macvlanip ending -o json | jq -r '"\(.status.message) \(.status.cardDown)"')
cni DEL "$(asks)"
same "ending: DEL leaves nothing" "" "$(leftovers)"
drop_pod

# --- waiting ------------------------------------------------------------------------------------------

new_pod
new_uid
POD_NAME=late
(cni ADD "$(asks)" && echo "$RC" >"$DIR/late.rc" && printf '%s\n' "$ERR" >"$DIR/late.err") &
job=$!
# The log tells of a watch when it ends; the list is what comes before it.
waiting() { grep '"userAgent":"tandem/' "$DIR/api/audit.log" | grep -q 'macvlanips?fieldSelector=metadata.name%3Dlate'; }
requests
wait_for 10 waiting || fail "late: the plugin waits for the record" "it does not"
record late "$(cat /proc/sys/kernel/random/uuid)" "$NET100"
record late "$POD_UID" '{}'
record late "$POD_UID" "$NET100"
wait "$job"
same "waits for a record that comes late, over one of a former pod and one without address" 0 "$(cat "$DIR/late.rc")"
requests
check "without polling: a GET, a list, a watch" test "$REQUESTS" -le 4
cni DEL "$(asks)"
drop_pod

new_pod
new_uid
POD_NAME=never
cni ADD "$(asks '' "$SHORT")"
refused_hint() { rm -f "$DIR/state/hints/$POD_UID"; refused "$@"; }
check "never: the next ADD of this pod asks first" test -e "$DIR/state/hints/$POD_UID"
refused_hint "no record: code 11 that names pod and suspect" 11 "default/never"
record never "$POD_UID" '{}'
: >"$DIR/began"
plugin witness <<EOF_PLUGIN
#!/bin/sh
echo "\$CNI_COMMAND" >>"$DIR/began"
EOF_PLUGIN
mkdir -p "$DIR/state/hints" && : >"$DIR/state/hints/$POD_UID"
cni ADD "$(asks '' "$SHORT" '{"cniVersion":"0.4.0","name":"cbr0","type":"witness"}')"
same "asked first, the primary is not set up for nothing" "" "$(cat "$DIR/began")"
refused_hint "a record without address: code 11" 11 "no address yet"
drop_pod

# --- a runtime that does not pass annotations: the pod itself is asked -----------------------------------

plain_conf() { conf "$(primary)" '{}' "${1:-}"; }
pod_object() { # pod_object NAME ANNOTATIONS-JSON: bound by hand; sets POD_UID
	kubectl_node apply -f - >/dev/null <<-JSON
		{"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"default","name":"$1","annotations":$2},
		"spec":{"nodeName":"n1","containers":[{"name":"c","image":"registry.local/none"}]}}
	JSON
	POD_UID=$(kubectl_node get pod "$1" -o jsonpath='{.metadata.uid}')
}
new_pod
pod_object asked '{"tandem-cni.io/subnet":"vlan100"}'
POD_NAME=asked
record asked "$POD_UID" "$NET100"
requests
cni ADD "$(plain_conf)"
succeeded "old runtime: ADD of an annotated pod"
requests
same "old runtime: it costs a GET of the pod and one of its record" 2 "$REQUESTS"
same "old runtime: address of eth1" 192.168.100.50/24 "$(addresses eth1)"
cni DEL "$(plain_conf)"
succeeded "old runtime: DEL"
uid=$POD_UID
POD_UID=
cni ADD "$(plain_conf)"
succeeded "older still: the UID comes from the pod, too"
cni DEL "$(plain_conf)"
POD_UID=$(cat /proc/sys/kernel/random/uuid)
cni ADD "$(plain_conf "$SHORT")"
refused "the pod of that name has another UID by now" 11 "$uid"
POD_NAME=nobody-here
cni ADD "$(plain_conf "$SHORT")"
refused "there is no such pod" 11 default/nobody-here
pod_object silent '{"note":"none of ours"}'
POD_NAME=silent
requests
cni ADD "$(plain_conf)"
requests
same "old runtime: a pod that does not ask costs that one GET" "0 1" "$RC $REQUESTS"
cni DEL "$(plain_conf)"
cni ADD "$(plain_conf)" CNI_ARGS=
requests
same "no pod at all: the primary alone, no request" "0 0" "$RC $REQUESTS"
cni DEL "$(plain_conf)" CNI_ARGS=
same "nothing left of the old runtime's pods" "" "$(leftovers)"
drop_pod

# --- failures -----------------------------------------------------------------------------------------

plugin refuses <<'EOF_PLUGIN'
#!/bin/sh
[ "$CNI_COMMAND" = DEL ] && exit 0
echo '{"code":77,"msg":"no room"}'; exit 1
EOF_PLUGIN
new_pod
new_uid
POD_NAME=nobody
tests_now_ms before
cni ADD "$(asks '' '' '{"cniVersion":"0.4.0","name":"cbr0","type":"refuses"}')"
tests_now_ms after
refused "the primary fails: its error ends the wait for an address" 77 "no room"
check "at once" test $((after - before)) -lt "$(scaled 5)000"
drop_pod

failing() { # failing NAME CODE TEXT SPEC [CONF-KEYS]: ADD with this record fails so and leaves nothing
	new_pod
	new_uid
	POD_NAME=failing
	record failing "$POD_UID" "$4"
	cni ADD "$(asks '' "$SHORT""${5:-}")"
	refused "$1" "$2" "$3"
	kubectl_node delete macvlanip failing >/dev/null
	drop_pod
}
# The node's own name for its NIC.
LAN_MASTER=$(jq '.master="lan"' <<<"$NET100")
echo '{"lan": "ens4", "old": "ens9"}' >"$DIR/masters.json"
new_pod
new_uid
POD_NAME=aliased
record aliased "$POD_UID" "$LAN_MASTER"
cni ADD "$(asks '' '"mastersFile":"'"$DIR"'/masters.json",')"
succeeded "ADD with an alias of the masters file"
check "the card is on the NIC that it means" test -e "$DIR/state/parents/ens4/$CID@eth0"
check "and works" ip netns exec "$POD" ping -c 1 -W 2 -I eth1 192.168.100.1
cni DEL "$(asks)"
same "its DEL, without that file, leaves nothing" "" "$(leftovers)"
drop_pod
MASTERS='"mastersFile":"'$DIR'/masters.json",'
failing "an alias that this node does not know" 11 "master lan does not exist" "$LAN_MASTER"
failing "an alias of what is not there" 11 "master \"old\" is \"ens9\" by $DIR/masters.json: node n1: master ens9 does not exist" "$(jq '.master="old"' <<<"$NET100")" "$MASTERS"
echo '{"lan": ' >"$DIR/masters.json"
failing "half a masters file" 6 "$DIR/masters.json" "$LAN_MASTER" "$MASTERS"
echo '{"lan": 4}' >"$DIR/masters.json"
failing "what is no name in it" 6 "$DIR/masters.json: lan: must be a string" "$LAN_MASTER" "$MASTERS"

failing "a master that is missing" 11 ens9 "$(jq '.master="ens9"' <<<"$NET100")"
# Killed between the file of an address and its content host-local would leave what no DEL finds.
mkdir -p "$DIR/bin"
cat >"$DIR/bin/host-local" <<SH
#!/bin/sh
[ "\$CNI_COMMAND" = ADD ] || exec $CNI_PLUGINS/host-local
touch $DIR/half && sleep 0.7 && rm $DIR/half && exec $CNI_PLUGINS/host-local
SH
chmod +x "$DIR/bin/host-local"
failing "a master that is missing, while the primary's IPAM is at work" 11 ens9 "$(jq '.master="ens9"' <<<"$NET100")"
check "it was left to finish" test ! -e "$DIR/half"
rm "$DIR/bin/host-local"
ip -n "$NODE" link set ens4 down
failing "a master that is down" 11 ens4 "$NET100"
ip -n "$NODE" link set ens4 up
wait_for 5 ip netns exec "$NODE" grep -q 1 /sys/class/net/ens4/carrier
failing "an MTU above the master's" 11 9000 "$(jq '.mtu=9000' <<<"$NET100")"
failing "ipvlan" 2 ipvlan "$(jq '.linkType="ipvlan"|.mode="l2"' <<<"$NET100")"
failing "a route whose gateway is the broadcast address" 100 "" "$(jq '.routes=[{dst:"172.16.18.0/24",gw:"192.168.100.255",iface:"eth1"}]' <<<"$NET100")"
failing "podDefaultGateway without a gateway" 7 gateway "$(jq 'del(.gateway)' <<<"$NET120")"
failing "an address of the pod network" 7 "address 10.42.9.9 is in the pod network 10.42.0.0/16" "$(jq '.cidr="10.42.9.9/24"|.gateway="10.42.9.1"' <<<"$NET100")"
failing "an address of the service network" 7 "address 10.43.9.9 is in the service network 10.43.0.0/16" "$(jq '.cidr="10.43.9.9/24"|.gateway="10.43.9.1"' <<<"$NET100")"
# A network that the node has inside of itself; on a NIC the same one may be this LAN.
ip -n "$NODE" link add docker0 type bridge
ip -n "$NODE" addr add 172.17.0.1/16 dev docker0
INNER=$(jq '.cidr="172.17.9.9/24"|.gateway="172.17.9.1"|.routes=[]' <<<"$NET100")
failing "an address of docker0's network" 7 "address 172.17.9.9/24 is in 172.17.0.0/16, the network of bridge docker0 of node n1 itself" "$INNER"
ip -n "$NODE" link del docker0
ip -n "$NODE" link add mg0 type veth peer name lan1 netns "$LAN"
ip -n "$NODE" link set mg0 up
ip -n "$NODE" addr add 172.17.0.1/16 dev mg0
new_pod
new_uid
POD_NAME=inner
record inner "$POD_UID" "$INNER"
cni ADD "$(asks)"
succeeded "an address of the network of the node's other NIC"
cni DEL "$(asks)"
drop_pod
ip -n "$NODE" link del mg0

# Gateway mode, and nobody knows where Services are: neither the record nor the conf.
new_pod
new_uid
POD_NAME=nowhere
record nowhere "$POD_UID" "$(jq '.podDefaultGateway={enable:true}' <<<"$NET120")"
cni ADD "$(asks | jq -c 'del(.serviceCIDR)')"
same "gateway mode without a service network" 7 "$(jq .code <<<"$OUT")"
check "names the keys to set" grep -q "set serviceCIDR in the conf or in ConfigMap tandem-settings, or podDefaultGateway.serviceCidr in the MacvlanSubnet" <<<"$OUT"
same "and leaves nothing" "" "$(leftovers)"
cni ADD "$(asks)"
succeeded "with one in the conf"
cni DEL "$(asks)"
drop_pod

# The pod has an eth1 already: refused, and that link is not touched.
new_pod
new_uid
POD_NAME=taken
record taken "$POD_UID" "$NET100"
ip -n "$POD" link add eth1 type veth peer name other
cni ADD "$(asks)"
same "an eth1 that is there already" "11 1" "$(jq .code <<<"$OUT") $(ip -n "$POD" -o link show eth1 | wc -l)"
drop_pod

# Two cards with one MAC: the second waits for the first to go, then says so.
new_pod
new_uid
POD_NAME=first
record first "$POD_UID" "$NET100"
cni ADD "$(asks)"
succeeded "first of two with one MAC"
first=("$POD" "$NETNS" "$CID")
new_pod
new_uid
POD_NAME=second
record second "$POD_UID" "$NET100"
cni ADD "$(asks '' "$SHORT")"
same "the second one is refused with code 11" 11 "$(jq .code <<<"$OUT")"
(cni ADD "$(asks)" && echo "$RC" >"$DIR/second.rc") &
job=$!
wait_for 10 ip -n "$POD" link show eth0
POD=${first[0]} NETNS=${first[1]} CID=${first[2]} cni DEL "$(asks)"
wait "$job"
same "and served when the first one goes" 0 "$(cat "$DIR/second.rc")"
cni DEL "$(asks)"
same "nothing left of the two" "" "$(leftovers)"
drop_pod
ip netns del "${first[0]}"

# --- SIGKILL after the card was made -----------------------------------------------------------------------

new_pod
new_uid
POD_NAME=killed
record killed "$POD_UID" "$NET100"
plugin slow <<EOF_PLUGIN
#!/bin/sh
if [ "\$CNI_COMMAND" = ADD ]; then echo \$PPID >"$DIR/parent"; exec sleep 20; fi
EOF_PLUGIN
rm -f "$DIR/parent"
(cni ADD "$(asks '' '' "$(primary | sed 's/"type":"portmap"/"type":"slow"/')")") &
job=$!
wait_for 10 test -s "$DIR/parent"
card_made() { ip -n "$POD" -o link show type macvlan | grep -q tdm; }
wait_for 10 card_made || fail "the card is made while the primary works" "it is not"
kill -9 "$(cat "$DIR/parent")"
wait "$job"
same "killed: primary's and our link are there" 2 "$(ip -n "$POD" -o link show | grep -vc ': lo:')"
cni DEL "$(asks)"
succeeded "DEL after a SIGKILL with the card half made"
same "killed: nothing left" "" "$(leftovers)"
drop_pod

# --- the API server goes away ------------------------------------------------------------------------------

new_pod
cni DEL "$(conf)"
apiserver_away
cni ADD "$(conf)"
succeeded "without the API server a pod that asks for nothing starts"
cni DEL "$(conf)"
new_uid
POD_NAME=web-a
cni ADD "$(asks '' "$SHORT")"
refused_hint "and one that asks gets code 11, with the primary rolled back" 11 127.0.0.1
(cni ADD "$(asks)" && echo "$RC" >"$DIR/down.rc") &
job=$!
wait_for 10 ip -n "$POD" link show eth0
apiserver_back
record web-a "$POD_UID" "$NET100"
wait "$job"
same "an ADD that has begun is served when the API server is back" 0 "$(cat "$DIR/down.rc")"
cni DEL "$(asks)"
same "nothing left at the end" "" "$(leftovers)"
drop_pod

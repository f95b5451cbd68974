#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# No primary at all: macvlan is the only CNI, pods stand for virtual machines on the LAN. One node on 192.168.0.0/16, pods
# on 192.168.1.2 to .254; node and pods reach each other, and no route is set by hand. Then a namespace's default beside a
# primary.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-apiserver.sh"
contract_node
ip -n "$NODE" addr add 192.168.0.10/16 dev ens4
ip -n "$LAN" addr del 192.168.100.1/24 dev lan0
ip -n "$LAN" addr add 192.168.0.1/16 dev lan0
apiserver_start
ip -n "$NODE" addr del 10.99.0.1/32 dev lo
HOST_BEFORE=$(ip -n "$NODE" route show)

NET() { echo '{"cidr":"192.168.1.'"$1"'/16","mac":"0a:00:c0:a8:01:0'"$1"'","gateway":"192.168.0.1","routes":[{"dst":"0.0.0.0/0","gw":"192.168.0.1","iface":"eth0"}]}'; }
none() { # none [ANNOTATIONS [MORE]]
	conf '"none"' '{"io.kubernetes.cri.pod-annotations":{'"${1:-}"'}}' "${2-\"defaultSubnet\":\"lan\",}"
}
new_recorded() { # new_recorded NAME NUMBER
	new_pod
	POD_NAME=$1 POD_UID=$(cat /proc/sys/kernel/random/uuid)
	record "$1" "$POD_UID" "$(NET "$2")"
}
ping_from() { ip netns exec "$1" ping -c 1 -W 2 "$2"; }

VERSION=1.1.0 CID='' NETNS='' cni STATUS "$(VERSION=1.1.0 none)" CNI_CONTAINERID= CNI_NETNS= CNI_IFNAME= CNI_ARGS=
silent "STATUS is ready without a primary"
VERSION=1.1.0 CID='' NETNS='' cni STATUS "$(VERSION=1.1.0 none '' '"defaultSubnet":"rack1, rack2",')" CNI_CONTAINERID= CNI_NETNS= CNI_IFNAME= CNI_ARGS=
silent "and with several subnets as the default"

new_recorded vm1 2
ONE=$POD ONE_CID=$CID ONE_NETNS=$NETNS
cni ADD "$(none)"
succeeded "a pod that asks for nothing has the default's card"
same "which is its only one" "eth0" "$(ip -n "$POD" -o link show | sed -nE 's/^[0-9]+: ([^:@]+)[@:].*/\1/p' | grep -v lo)"
same "the result is the card's" "192.168.1.2/16 eth0" "$(jq -r '"\(.ips[0].address) \(.interfaces[.ips[0].interface].name)"' <<<"$OUT")"
ip netns exec "$POD" tcpdump -lnni eth0 -c 2 icmp >"$DIR/dump" 2>"$DIR/dump.log" &
at_exit kill $!
wait_for 10 grep -q 'listening on' "$DIR/dump.log"
check "the node reaches the pod" wait_for 10 ping_from "$NODE" 192.168.1.2
check "the pod reaches the node" ping_from "$POD" 192.168.0.10
check "the LAN reaches the pod" ping_from "$LAN" 192.168.1.2
check "and the pod the LAN" ping_from "$POD" 192.168.0.1
wait_for 5 grep -q 'echo reply' "$DIR/dump"
sed 's/^/# /' "$DIR/dump"
same "the node comes with its own address" "192.168.0.10 > 192.168.1.2" "$(sed -nE 's/.*IP ([0-9.]+ > [0-9.]+): ICMP echo request.*/\1/p' "$DIR/dump" | head -n 1)"
same "nobody has set a route: what there is more is ours" "192.168.1.2 dev ens4.host scope link src 192.168.0.10" \
	"$(ip -n "$NODE" route show | grep -vxF "$HOST_BEFORE" | sed 's/ *$//; s/ proto [a-z]*//')"
cni CHECK "$(none)"
succeeded "CHECK"

new_recorded vm2 3
cni ADD "$(none '"tandem-cni.io/subnet":"lan","tandem-cni.io/interface":"eth1"')"
succeeded "a pod that asks for eth1"
same "has eth0: there is no other" "eth0" "$(ip -n "$POD" -o link show | sed -nE 's/^[0-9]+: ([^:@]+)[@:].*/\1/p' | grep -v lo)"
check "the pods reach each other" ping_from "$POD" 192.168.1.2
cni DEL "$(none)"
succeeded "its DEL"
same "leaves nothing of it" "" "$(ip -n "$NODE" route show | grep 192.168.1.3)"
drop_pod
POD=$ONE CID=$ONE_CID NETNS=$ONE_NETNS POD_NAME=vm1
cni DEL "$(none)"
succeeded "the last one's DEL"
same "leaves the node as it was" "$HOST_BEFORE" "$(ip -n "$NODE" route show)"
refused_nothing() { [ -z "$(leftovers)" ]; }
check "and no file" refused_nothing
cni DEL "$(none)"
succeeded "a second DEL, of what nobody knows"
drop_pod
VERSION=1.1.0 CID='' NETNS='' cni GC "$(VERSION=1.1.0 none | sed 's/^ *{/{"cni.dev\/valid-attachments":[],/')" CNI_CONTAINERID= CNI_NETNS= CNI_IFNAME= CNI_ARGS=
succeeded "GC without a primary"

new_pod
POD_NAME=neither POD_UID=$(cat /proc/sys/kernel/random/uuid)
cni ADD "$(none '' "$SHORT")"
rm -f "$DIR/state/hints/$POD_UID"
refused "a pod with neither says so" 11 "there is no primary here (delegate is none), and the pod has no annotation tandem-cni.io/subnet, the conf no defaultSubnet"
cni ADD "$(none '"tandem-cni.io/subnet":"none"')"
refused "a pod that refuses the only card" 7 "there is no primary here"
cni ADD "$(none '"kubernetes.io/config.source":"file"')"
refused "a static pod" 7 "give it hostNetwork"
cni ADD "$(conf '"nonesuch"')"
refused "another word than none" 7 'delegate: "nonesuch" must be a conf, a conflist or none'
cni ADD "$(conf "$(primary)" '{}' '"defaultSubnet":"lan",')"
refused "defaultSubnet beside a primary" 7 'defaultSubnet: needs delegate "none"'
cni ADD "$(none '' '"defaultSubnet":"a b",')"
refused "a defaultSubnet that is no name" 7 "defaultSubnet"
cni ADD "$(none '' '"defaultSubnet":"none",')"
refused "a defaultSubnet none" 7 "defaultSubnet: none means a pod without a card, which would have no network here; name a MacvlanSubnet, or leave the key out"
cni ADD "$(none '' '"defaultSubnet":"rack1,none",')"
refused "none among others" 7 'defaultSubnet: "none" is not a name of a MacvlanSubnet'
cni ADD "$(none '' '"defaultSubnet":"rack1,,rack2",')"
refused "a list with a gap" 7 'defaultSubnet: "" is not a name of a MacvlanSubnet'
cni ADD "$(none '' '"delegateFile":"/x",')"
refused "none and a file" 7 "exclude each other"
drop_pod

# --- a namespace's default, beside a primary ------------------------------------------------------------------

by_namespace() { conf "$(primary)" '{"io.kubernetes.cri.pod-annotations":{'"${1:-}"'}}' '"namespaceDefaults":true,'; }
NET() { echo '{"cidr":"192.168.1.'"$1"'/16","mac":"0a:00:c0:a8:01:0'"$1"'","gateway":"192.168.0.1"}'; }
new_recorded d1 4
cni ADD "$(by_namespace)"
succeeded "its namespace has no default"
same "no card" "" "$(ip -n "$POD" -o link show eth1 2>/dev/null)"
cni DEL "$(by_namespace)"
kubectl_node annotate namespace default tandem-cni.io/subnet=lan >/dev/null
cni ADD "$(by_namespace '"tandem-cni.io/subnet":"none"')"
succeeded "the pod refuses its namespace's default"
same "no card, either" "" "$(ip -n "$POD" -o link show eth1 2>/dev/null)"
cni DEL "$(by_namespace)"
cni ADD "$(by_namespace)"
succeeded "it has, and the pod says nothing"
same "the card" "192.168.1.4/16" "$(ip -n "$POD" -j -4 addr show eth1 | jq -r '.[0].addr_info[0] | "\(.local)/\(.prefixlen)"')"
cni DEL "$(by_namespace)"
succeeded "DEL"
cni ADD "$(conf)"
succeeded "a conf without namespaceDefaults asks nobody"
same "and makes no card" "" "$(ip -n "$POD" -o link show eth1 2>/dev/null)"
cni DEL "$(conf)"
drop_pod

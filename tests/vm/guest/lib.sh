# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Two nodes on one switch, inside the virtual machine:
#
#	namespace n1: ens4 ---+
#	namespace n2: ens4 ---+-- sw0 (plain bridge) in namespace lan: sw0.100 192.168.100.1, fd78::1
#	namespace lan2: l0 ---+   lan2 has l0.200 192.168.100.1 as well: the same CIDR, another VLAN
#
# Each node has a state directory of its own and tests/vm/answer for an API server. The calls are those of
# tests/contract/lib.sh.

export TANDEM_BIN=/t/bin/tandem
. "$(dirname "${BASH_SOURCE[0]}")/../../contract/lib.sh"

# shellcheck disable=SC2034 # for the tests
VLAN100='"vlan":100,"gateway":"192.168.100.1"'

vm_lab() {
	local n
	scratch TOP
	mkdir "$TOP/records"
	ip netns add lan && ip netns add lan2
	ip -n lan link add sw0 type bridge
	ip -n lan link set sw0 up
	for n in 1 2; do
		ip netns add "n$n"
		ip -n "n$n" link set lo up
		ip -n "n$n" link add ens4 type veth peer name "p$n" netns lan
		ip -n "n$n" link set ens4 up
		ip -n lan link set "p$n" master sw0 up
		mkdir -p "$TOP/n$n/state" "$TOP/n$n/bin"
		kubeconfig >"$TOP/n$n/kubeconfig"
		ip netns exec "n$n" /t/bin/answer 127.0.0.1:6443 "$TOP/records" &
		at_exit kill "$!"
	done
	ip -n lan link add link sw0 name sw0.100 type vlan id 100
	ip -n lan link set sw0.100 up
	ip -n lan addr add 192.168.100.1/24 dev sw0.100
	ip -n lan addr add fd78::1/64 dev sw0.100 nodad
	ip -n lan2 link add l0 type veth peer name p3 netns lan
	ip -n lan link set p3 master sw0 up
	ip -n lan2 link set l0 up
	ip -n lan2 link add link l0 name l0.200 type vlan id 200
	ip -n lan2 link set l0.200 up
	ip -n lan2 addr add 192.168.100.1/24 dev l0.200
	node 1
	wait_for 20 listening n1 && wait_for 20 listening n2 || fail "records" "nobody answers for them"
	at_exit vm_down
}

vm_down() {
	local ns
	for ns in $(ip netns list | cut -d' ' -f1); do ip netns del "$ns"; done
}

listening() {
	ip netns exec "$1" bash -c '</dev/tcp/127.0.0.1/6443'
}

kubeconfig() {
	cat <<-'KUBECONFIG'
		apiVersion: v1
		kind: Config
		current-context: node
		contexts: [{name: node, context: {cluster: local, user: node}}]
		clusters: [{name: local, cluster: {server: "http://127.0.0.1:6443"}}]
		users: [{name: node, user: {}}]
	KUBECONFIG
}

# node N: the calls that follow are made on node N
node() {
	NODE=n$1
	DIR=$TOP/n$1
}

# The Flannel-shaped primary without portmap, which wants iptables.
primary() {
	cat <<-CONF
		{"cniVersion":"0.3.1","name":"cbr0","type":"bridge","bridge":"cni0","isGateway":true,"isDefaultGateway":true,
		"ipMasq":false,"ipam":{"type":"host-local","dataDir":"$DIR/host-local",
		"ranges":[[{"subnet":"10.42.0.0/24"}]],"routes":[{"dst":"10.42.0.0/16"}]}}
	CONF
}

# asks [CARD]: the conf of a pod that wants a card, its only one unless CARD is eth1
asks() {
	conf "$(primary)" '{"io.kubernetes.cri.pod-annotations":{"tandem-cni.io/subnet":"s","tandem-cni.io/interface":"'"${1:-eth0}"'"}}' \
		"${MORE_CONF:-}"
}

# record NAME LAST KEYS: the pod's record: address 192.168.100.LAST (or CIDR itself), MAC from LAST. SELECTOR stands for MASTER.
record() {
	local cidr=$2 last=$2 master='"master":"'${MASTER:-ens4}'"'
	[ -z "${SELECTOR:-}" ] || master='"masterSelector":'$SELECTOR
	case $cidr in
	*.*) last=${cidr%/*} && last=${last##*.} ;;
	*) cidr=192.168.100.$2/24 ;;
	esac
	printf '{"apiVersion":"tandem-cni.io/v1","kind":"MacvlanIP","metadata":{"namespace":"default","name":"%s","uid":"r-%s"},
	"spec":{"subnet":"s","podId":"%s","node":"%s",%s,"cidr":"%s","mac":"0a:00:00:00:00:%02x",%s}}' \
		"$1" "$1" "$POD_UID" "$NODE" "$master" "$cidr" "$last" "$3" >"$TOP/records/$1.new"
	mv "$TOP/records/$1.new" "$TOP/records/$1"
}

# add NAME LAST KEYS [CARD]: a new pod and its ADD; what is needed for its DEL is kept
add() {
	new_pod
	POD_NAME=$1
	read -r POD_UID </proc/sys/kernel/random/uuid
	record "$1" "$2" "$3"
	cni ADD "$(asks "${4:-eth0}")"
	printf -v "POD_OF_${1//-/_}" '%s' "$NODE $CID $POD ${4:-eth0}"
}

# pick NAME: makes that pod the current one
pick() {
	local var=POD_OF_${1//-/_} n
	read -r n CID POD PICKED_CARD <<<"${!var}"
	node "${n#n}"
	NETNS=/run/netns/$POD
	# shellcheck disable=SC2034 # read by cni
	POD_NAME=$1
}

# del NAME: its DEL; the namespace stays
del() {
	pick "$1"
	cni DEL "$(asks "$PICKED_CARD")"
}

# nothing_left NAME: no state, no users of a parent, no card in the current pod, no VLAN on the node
nothing_left() {
	same "$1" "" "$(
		find "$DIR/state" -type f ! -name delegate.json
		find "$DIR/state/parents" -mindepth 1 2>/dev/null
		[ ! -e "$NETNS" ] || ip -n "$POD" -o link show | grep -v ': lo:'
		ip -n "$NODE" -o link show type vlan
		ip -n "$NODE" -o link show | grep ': tdm'
	)"
}

# in_pod NAME CMD...
in_pod() {
	local var=POD_OF_${1//-/_} pod
	pod=$(cut -d' ' -f3 <<<"${!var}")
	shift
	ip netns exec "$pod" "$@"
}

pings() { # pings NAMESPACE ADDRESS [OPTIONS...]
	local ns=$1 to=$2
	shift 2
	ip netns exec "$ns" ping -c 1 -W 10 "$@" "$to"
}

pod_of() {
	local var=POD_OF_${1//-/_}
	cut -d' ' -f3 <<<"${!var}"
}


link_of() { # link_of NODE LINK: "id ID alias ALIAS mtu MTU up"
	ip -n "$1" -j -d link show "$2" | jq -r '.[0] | "\(.linkinfo.info_kind) \(.linkinfo.info_data.id) \(.ifalias) \(.mtu) \(if (.flags | index("UP")) then "up" else "down" end)"'
}

vlans() { # of the current node
	ip -n "$NODE" -o link show type vlan | sed -E 's/^[0-9]+: ([^@:]+).*/\1/' | sort | tr '\n' ' ' | sed 's/ $//'
}

# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Calls the plugin as a runtime would, on a node of its own: a network namespace with a NIC `ens4` on a
# LAN, the real bridge, host-local and portmap plugins as the primary, and pods' namespaces beside it.
#
#	namespace $NODE                     namespace $LAN
#	  cni0 10.42.0.1/24 -- pods           lan0 192.168.100.1/24
#	  ens4 ------------------------------ (veth)
#
# Everything lives in a scratch folder: $DIR/state, $DIR/host-local, $DIR/bin (plugins of the test).

. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

CNI_PLUGINS=/usr/lib/cni
CNI_UNDER=() # what runs the plugin, when it is not run by itself
# LeakSanitizer traces its own process at the end: it cannot where another traces it, or a thread is never to be stopped.
# shellcheck disable=SC2034 # for the tests that include this
NO_LEAK_CHECK="ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
POD=
contract_names=0
# For an ADD that shall fail by its deadline: short, but no busy machine's primary is caught by it.
# shellcheck disable=SC2034 # used by the tests
SHORT="\"deadlineSeconds\":$(scaled 1 20),"

# contract_node: makes node and LAN, sets NODE LAN DIR
contract_node() {
	if [ ! -x "$TANDEM_BIN" ]; then
		fail "$TANDEM_BIN" "is not there: make static"
		exit 1
	fi
	NODE=tct-$$-node LAN=tct-$$-lan
	scratch DIR
	mkdir -p "$DIR/bin" "$DIR/state"
	at_exit contract_down
	ip netns add "$NODE" && ip netns add "$LAN" || exit 1
	ip -n "$NODE" link set lo up
	ip -n "$NODE" link add ens4 type veth peer name lan0 netns "$LAN"
	ip -n "$NODE" link set ens4 up
	ip -n "$LAN" link set lan0 up
	ip -n "$LAN" addr add 192.168.100.1/24 dev lan0
	ip netns exec "$NODE" sysctl -qw net.ipv4.ip_forward=1
}

contract_down() {
	local ns
	for ns in $(ip netns list | awk -v p="tct-$$-" 'index($1, p) == 1 { print $1 }'); do
		ip netns del "$ns"
	done
}

# new_pod: a fresh namespace and container ID in POD, NETNS, CID
new_pod() {
	contract_names=$((contract_names + 1))
	CID=cid-$$-$contract_names
	POD=tct-$$-pod$contract_names
	NETNS=/run/netns/$POD
	ip netns add "$POD"
	ip -n "$POD" link set lo up
}

# drop_pod: its namespace goes; the kernel takes the node's ends of its veths a moment later
drop_pod() {
	local index peers
	peers=$(ip -n "$POD" -o link show type veth | sed -nE 's/^[0-9]+: [^@]+@if([0-9]+):.*/\1/p')
	ip netns del "$POD"
	for index in $peers; do
		wait_for 5 no_link "$index" || fail "veth $index of $POD" "still on the node after 5 s"
	done
}

no_link() {
	! ip -n "$NODE" -o link show | grep -q "^$1: "
}

# The Flannel-shaped primary: what flannel's plugin renders, pinned to 0.3.1 as kube-flannel has it.
primary() {
	cat <<-CONF
		{"cniVersion":"0.3.1","name":"cbr0","plugins":[{"type":"bridge","bridge":"cni0","mtu":1450,
		"isGateway":true,"isDefaultGateway":true,"hairpinMode":true,"ipMasq":false,"ipam":{"type":"host-local",
		"dataDir":"$DIR/host-local","ranges":[[{"subnet":"10.42.0.0/24"}]],"routes":[{"dst":"10.42.0.0/16"}]}},
		{"type":"portmap","capabilities":{"portMappings":true}}]}
	CONF
}

# conf [DELEGATE [RUNTIMECONFIG [MORE]]]: our conf as libcni hands it over
conf() {
	local delegate=${1:-$(primary)} runtime=${2:-'{"io.kubernetes.cri.pod-annotations":{}}'} more=${3:-}
	cat <<-CONF
		{"cniVersion":"${VERSION:-0.4.0}","name":"cbr0","type":"tandem","stateDir":"$DIR/state",
		"socket":"$DIR/node.sock","kubeconfig":"$DIR/kubeconfig","clusterCIDR":"10.42.0.0/16","serviceCIDR":"10.43.0.0/16",
		"logLevel":"debug","logFile":"$DIR/log",$more"delegate":$delegate,"runtimeConfig":$runtime}
	CONF
}

# cni VERB CONF [VAR=VALUE...]: one call; sets RC OUT ERR. VAR= (empty) takes a variable away.
cni() {
	local verb=$1 text=$2 var
	shift 2
	local -A vars=([CNI_COMMAND]=$verb [CNI_CONTAINERID]=$CID [CNI_NETNS]=$NETNS [CNI_IFNAME]=eth0
		[CNI_ARGS]="IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=${POD_NAME:-web};K8S_POD_UID=${POD_UID:-}"
		[CNI_PATH]=$DIR/bin:$CNI_PLUGINS)
	for var in "$@"; do
		vars[${var%%=*}]=${var#*=}
		[ -n "${var#*=}" ] || unset "vars[${var%%=*}]"
	done
	local list=()
	for var in "${!vars[@]}"; do list+=("$var=${vars[$var]}"); done
	for var in ASAN_OPTIONS UBSAN_OPTIONS; do
		[ -z "${!var:-}" ] || list+=("$var=${!var}")
	done
	RC=0
	printf '%s' "$text" | timeout 60 env -i PATH="$PATH" "${list[@]}" \
		nsenter --net=/run/netns/"$NODE" "${CNI_UNDER[@]}" "$TANDEM_BIN" >"$DIR/out" 2>"$DIR/err" || RC=$?
	OUT=$(cat "$DIR/out")
	ERR=$(cat "$DIR/err")
}

# leftovers: what a failed or deleted attachment must not leave: files, locks, links, addresses, rules
leftovers() {
	find "$DIR/state" -type f ! -name "delegate.*" ! -name last-status | sed "s,^$DIR/,,"
	find "$DIR/host-local" -type f ! -name 'last_reserved_ip*' ! -name lock 2>/dev/null | sed "s,^$DIR/,,"
	if [ -e "$NETNS" ]; then
		ip -n "$POD" -o link show | grep -v ': lo:'
		ip -n "$POD" rule show | grep -vE 'lookup (local|main|default)'
	fi
	ip -n "$NODE" -o link show type veth | grep -vE ' (ens4|mg0)@'
	return 0
}

# refused NAME CODE TEXT: the last call failed with an error object of that code and text, and left nothing
refused() {
	local name=$1 code=$2 text=$3 got
	got=$(jq -r 'if (.cniVersion // "" | type) == "string" and (.msg | type) == "string" then .code else "no error object" end' \
		<<<"$OUT" 2>/dev/null) || got="not JSON"
	if [ "$RC" -eq 0 ] || [ "$RC" -ge 126 ]; then
		fail "$name" "exit $RC: $OUT"
	elif [ "$got" != "$code" ]; then
		fail "$name" "code $got, wanted $code: $OUT"
	elif [[ $(jq -r .msg <<<"$OUT") != *"$text"* ]]; then
		fail "$name" "text lacks '$text': $OUT"
	elif [ -n "$(leftovers)" ]; then
		fail "$name" "left behind: $(leftovers)"
	else
		pass "$name"
	fi
}

# succeeded NAME: the last call exited with 0
succeeded() {
	if [ "$RC" -eq 0 ]; then
		pass "$1"
	else
		fail "$1" "exit $RC: $OUT"
		printf '%s\n' "$ERR" | sed 's/^/    /'
	fi
}

# plugin NAME <script: a plugin of the test's own in $DIR/bin
plugin() {
	cat >"$DIR/bin/$1"
	chmod +x "$DIR/bin/$1"
}

# routes POD: table main, words that differ between kernels and tools taken out, sorted
routes() {
	ip -n "$1" -4 route show | sed -E 's/ (proto [a-z]+|mtu [0-9]+)//g; s/ +$//' | sort
}

# state_file: where the pod's attachment is kept
state_file() { echo "$DIR/state/attachments/$CID@eth0"; }

# state_write FILE <json: a state file with a right first line (its length and checksum)
state_write() {
	perl -0777 -e 'use integer; my $b = <STDIN>; my $h = 0xcbf29ce484222325;
		$h = ($h ^ $_) * 0x100000001b3 for unpack "C*", $b;
		printf "tandem-state 1 %d %016x\n%s", length $b, $h, $b' >"$1"
}

# state_edit JQ-FILTER [FILE]: the pod's state file as another version might have written it
state_edit() {
	local file=${2:-$(state_file)} text
	text=$(tail -n +2 "$file" | jq -c "$1") && printf '%s' "$text" | state_write "$file"
}

# silent NAME: the last call exited with 0 and printed nothing
silent() {
	if [ "$RC" -eq 0 ]; then
		same "$1" "" "$OUT"
	else
		fail "$1" "exit $RC: $OUT"
	fi
}

# says NAME CODE TEXT: the last call failed with an error object of that code and text; what is there stays
says() {
	local name=$1 got
	got=$(jq -r '"\(.code) \(.msg)"' <<<"$OUT" 2>/dev/null)
	if [ "$RC" -eq 0 ]; then
		fail "$name" "it succeeded"
	elif [[ $got != "$2 "*"$3"* ]]; then
		fail "$name" "wanted code $2 and '$3': $OUT"
	else
		pass "$name"
	fi
}

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tandem-node at work: the real plugin makes cards, the real controller gives addresses, a real API server is
# between them; this script is kubelet and runtime. All of it on a node of its own:
#
#	this network namespace (the node)          namespace tw-lan
#	  ens4 ------------------------------ (veth)  lan0
#	  cni0 10.42.0.1/24 -- eth0 of the pods' namespaces tw-N; their eth1 are macvlans on ens4
#
# The controller would hold an address for an hour, and that of a pod which is over too: what is freed here
# is freed by a report.
if [ -z "${WITNESS_NODE:-}" ]; then
	# A /run/netns of its own as well: what other namespaces of this machine have is not the node's.
	exec env WITNESS_NODE=1 unshare --net --mount bash "$0" "$@"
fi
mount -t tmpfs tmpfs /run/netns 2>/dev/null || { mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns; } || exit 1
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=tests/api/lib-frame.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib-frame.sh"

show_logs() {
	local log
	[ "$tests_failed" -gt 0 ] || return 0
	for log in controller node plugin; do
		sed "s/^/    | $log: /" "$DIR/$log.log" 2>/dev/null | tail -n "${LOG_LINES:-40}"
	done
}
at_exit show_logs

ip link set lo up
api_start
kubeconfig node
ip netns add tw-lan
ip link add ens4 type veth peer name lan0 netns tw-lan
ip link set ens4 up
ip -n tw-lan link set lan0 up

STATE=$DIR/state
FILES=$STATE/attachments
CNI=/usr/lib/cni
mkdir -p "$DIR/net.d"
plugin_conf() { # plugin_conf: our part of the conflist
	cat <<-CONF
		"type":"tandem","stateDir":"$STATE","socket":"$DIR/node.sock","kubeconfig":"$DIR/node.conf","clusterCIDR":"10.42.0.0/16",
		"serviceCIDR":"10.43.0.0/16","logLevel":"debug","delegate":{"cniVersion":"0.3.1","name":"cbr0",
		"plugins":[{"type":"bridge","bridge":"cni0","isGateway":true,"isDefaultGateway":true,"ipam":{
		"type":"host-local","dataDir":"$DIR/host-local","ranges":[[{"subnet":"10.42.0.0/24"}]]}}]}
	CONF
}
printf '{"cniVersion":"0.4.0","name":"cbr0","plugins":[{%s,"capabilities":{"portMappings":true}}]}\n' \
	"$(plugin_conf)" >"$DIR/net.d/00-tandem.conflist"

node_up() {
	start node "$TANDEM_NODE_BIN" --kubeconfig "$DIR/node.conf" --node-name n1 --state-dir "$STATE" \
		--conf "$DIR/net.d/00-tandem.conflist" --plugin "$TANDEM_BIN" --cni-bin-dir "$CNI" \
		--socket "$DIR/node.sock" --metrics-bind-address 127.0.0.1:9402 --sweep-period "${SWEEP:-3}" --v 4
}
node_kill() {
	kill -9 "$pid_node"
	wait "$pid_node" 2>/dev/null
}

# cni VERB NAME UID: as the runtime calls it, for the pod's sandbox: container cid-NAME, namespace tw-NAME
cni() {
	local netns=()
	[ ! -e "/run/netns/tw-$2" ] || netns=(CNI_NETNS="/run/netns/tw-$2")
	printf '{"cniVersion":"0.4.0","name":"cbr0",%s,"runtimeConfig":{"io.kubernetes.cri.pod-annotations":{"tandem-cni.io/subnet":"lan"}}}' \
		"$(plugin_conf)" |
		env -i PATH="$PATH" CNI_COMMAND="$1" CNI_CONTAINERID="cid-$2" CNI_IFNAME=eth0 CNI_PATH="$CNI" "${netns[@]}" \
			CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=${4:-$2};K8S_POD_UID=$3" \
			"$TANDEM_BIN" 2>>"$DIR/plugin.log"
}
# add NAME UID [POD]: sandbox and card; pods whose card is made are noted
add() {
	ip netns add "tw-$1" && ip -n "tw-$1" link set lo up && cni ADD "$1" "$2" "${3:-$1}" && echo "$2" >>"$DIR/added"
}
# running POD: the kubelet tells of its IP
running() {
	curls PATCH application/merge-patch+json \
		'{"status":{"phase":"Running","podIP":"10.42.0.9","podIPs":[{"ip":"10.42.0.9"}]}}' \
		"/api/v1/namespaces/default/pods/$1/status"
}
# pod NAME [YAML-of-metadata]: makes it; its UID in $uid
pod() {
	k create -f - >/dev/null <<-YAML
		apiVersion: v1
		kind: Pod
		metadata:
		  name: $1
		  namespace: default
		  labels: {app: web}
		  annotations: {tandem-cni.io/subnet: lan}
		  ${2:-}
		spec:
		  nodeName: n1
		  containers: [{name: c, image: none}]
	YAML
	uid=$(k get pod "$1" -o jsonpath='{.metadata.uid}')
}
force() { k delete pod "$1" --force --grace-period=0 >/dev/null 2>&1; }
# what the record says: "phase cardDown podId"
said() { k get macvlanip "$1" -o json 2>/dev/null | jq -r '"\(.status.phase) \(.status.cardDown) \(.spec.podId)"'; }
says() { [ "$(said "$1")" = "$2" ]; }
attached() { says "$1" "Attached null $2"; }
subnet_is() { status_is lan "$1" "$2"; }
address() { k get macvlanip "$1" -o jsonpath='{.spec.cidr}'; }
no_file() { [ ! -e "$FILES/cid-$1@eth0" ]; }
no_ip() { ! grep -rqs "cid-$1\b" "$DIR/host-local"; }
logged() { grep -q "$2" "$DIR/$1.log"; }
# upped NAME UID [POD]: a pod with a card that is Attached
upped() {
	check "$1: ADD" add "$1" "$2" "${3:-$1}"
	running "${3:-$1}"
	check "$1: Attached" wait_for 20 attached "${3:-$1}" "$2"
}

# ------------------------------------------------------------------------------- attached
candidate controller --leader-elect=false --metrics-bind-address 127.0.0.1:9401 --attached-by report --missing-after 2 --hold-unwitnessed 3600 \
	--release-after-terminal 3600
subnet lan 10.231.0.0/24 'ipDelayReuse: 0' 'conflictDetection: false' \
	'ranges: [{rangeStart: 10.231.0.10, rangeEnd: 10.231.0.19}]' | k apply -f - >/dev/null
start watch watch_records
node_up
k apply -f - >/dev/null <<-YAML
	apiVersion: v1
	kind: Service
	metadata: {name: web, namespace: default}
	spec: {selector: {app: web}, ports: [{port: 43}], publishNotReadyAddresses: true}
YAML
published() {
	{
		k get endpoints web-macvlan -o json | jq -r '(.subsets // [])[].addresses[]?.ip'
		k get endpointslices -l kubernetes.io/service-name=web-macvlan -o json |
			jq -r '.items[] | (.endpoints // [])[].addresses[]'
	} 2>/dev/null | sort -u | xargs
}
published_is() { [ "$(published)" = "$1" ]; }

pod live
live=$uid
running live
check "a pod with an IP and no card is told" wait_for 20 event_is live CardMissing
check "its record is Missing" wait_for 10 says live "Missing null $live"
same "and nothing is published" "" "$(published)"
check "its card comes" add live "$live"
check "the node says Attached" wait_for 20 attached live "$live"
same "in two words" '{"phase":"Attached"}' "$(k get macvlanip live -o json | jq -c .status)"
check "only now it is published" wait_for 20 published_is "$(address live | cut -d/ -f1)"

# ------------------------------------------------------------------------------- forced
pod forced
upped forced "$uid"
card=$(address forced)
force forced
check "deleted by force: its address is held" wait_for 20 subnet_is reserved 1
same "as long as its card is up" "Attached null $uid" "$(said forced)"
check "DEL" cni DEL forced "$uid"
check "the address is free" wait_for 20 gone macvlanip forced
check "and counts as such" wait_for 20 subnet_is used 1
free=$(k get macvlansubnet -n kube-system lan -o jsonpath='{.status.allocation.unproven}')
same "nobody has to probe it" "[]" "$free"

# Its Node went, and it with it.
pod stranded
upped stranded "$uid"
k delete node n1 >/dev/null
force stranded
check "its Node deleted: held" wait_for 20 subnet_is reserved 1
check "DEL of it" cni DEL stranded "$uid"
check "reported, and free" wait_for 20 gone macvlanip stranded
k apply -f - >/dev/null <<-YAML
	apiVersion: v1
	kind: Node
	metadata: {name: n1}
YAML

# ------------------------------------------------------------------------------- over
pod over
upped over "$uid"
curls PATCH application/merge-patch+json '{"status":{"phase":"Succeeded"}}' /api/v1/namespaces/default/pods/over/status
ending() { [ -n "$(k get macvlanip "$1" -o jsonpath='{.metadata.deletionTimestamp}')" ]; }
check "over: its record's end begins" wait_for 20 ending over
same "its card is up still" "Attached null $uid" "$(said over)"
check "DEL of what is over" cni DEL over "$uid"
check "reported, and free, with its pod there" wait_for 20 gone macvlanip over
check "the pod is there" k get pod over
force over

# ------------------------------------------------------------------------------- the next one of the name
pod twin
first=$uid
upped twin1 "$first" twin
force twin
pod twin
check "a second one waits" wait_for 20 event_is twin FormerPodHoldsAddress
check "DEL of the first" cni DEL twin1 "$first" twin
is_of() { [ "$(k get macvlanip "$1" -o jsonpath='{.spec.podId}' 2>/dev/null)" = "$2" ] && served "$1"; }
served() { [ -n "$(address "$1")" ]; }
check "a record for the second" wait_for 20 is_of twin "$uid"
same "of which nothing is said" "null null $uid" "$(said twin)"
upped twin2 "$uid" twin

# A StatefulSet's record goes from pod to pod.
k apply -f - >/dev/null <<-YAML
	apiVersion: apps/v1
	kind: StatefulSet
	metadata: {name: db, namespace: default}
	spec:
	  replicas: 1
	  serviceName: db
	  selector: {matchLabels: {app: db}}
	  template:
	    metadata: {labels: {app: db}, annotations: {tandem-cni.io/subnet: lan}}
	    spec: {containers: [{name: c, image: none}]}
YAML
OWNER="ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: db, controller: true, uid: $(k get sts db -o jsonpath='{.metadata.uid}')}]"
pod db-0 "$OWNER"
first=$uid
upped db1 "$first" db-0
card=$(address db-0)
force db-0
pod db-0 "$OWNER"
check "a StatefulSet's next pod waits" wait_for 20 event_is db-0 FormerPodHoldsAddress
same "its record is the former one's" "Attached null $first" "$(said db-0)"
check "DEL of the former one" cni DEL db1 "$first" db-0
check "then it is its own" wait_for 20 is_of db-0 "$uid"
same "with the same address" "$card" "$(address db-0)"
same "which nobody has to probe" false "$(k get macvlanip db-0 -o jsonpath='{.spec.conflictDetection}')"
check "not said to be attached, nor down" [ "$(said db-0)" != "Attached null $uid" -a "$(said db-0)" != "null $uid $uid" ]
upped db2 "$uid" db-0
db=$uid

# ------------------------------------------------------------------------------- a record deleted by hand
pod hand
check "hand: a record" wait_for 20 served hand
k delete macvlanip hand --wait=false >/dev/null
check "deleted by hand before there is a card: down, says the node" wait_for 20 says hand "null $uid $uid"
claims() { grep -c 'has been starting since' "$DIR/watch.log"; }
before=$(claims)
upped hand "$uid"
check "the plugin has taken it back before it made the card" [ "$(claims)" -gt "$before" ]
force hand
check "held again while the card is up" wait_for 20 subnet_is reserved 1
check "DEL of that" cni DEL hand "$uid"
check "free" wait_for 20 gone macvlanip hand

# ------------------------------------------------------------------------------- the witness is away
pod away
upped away "$uid"
node_kill
force away
check "tandem-node killed: held" wait_for 20 subnet_is reserved 1
check "DEL meanwhile" cni DEL away "$uid"
pod later
check "later: ADD meanwhile" add later "$uid"
running later
check "nobody says that it is up" wait_for 20 event_is later CardMissing
node_up
check "started again it reports what went" wait_for 20 gone macvlanip away
check "and what came" wait_for 20 attached later "$uid"
later=$uid

# ------------------------------------------------------------------------------- the API server is away
pod cut
upped cut "$uid"
force cut
check "cut: held" wait_for 20 subnet_is reserved 1
kill -9 "$pid_apiserver"
wait "$pid_apiserver" 2>/dev/null
check "API server down: DEL" cni DEL cut "$uid"
check "the node tries to say so" wait_for 20 logged node 'cannot be written yet'
# Not by check, which runs its command in a subshell.
apiserver_up || fail "API server again" "not ready"
start watch watch_records
check "now it is said, and the address free" wait_for 40 gone macvlanip cut

# ------------------------------------------------------------------------------- DELs that never came
pod lost
upped lost "$uid"
force lost
check "lost: held" wait_for 20 subnet_is reserved 1
exec {verb}<>"$STATE/locks/cid-lost"
flock "$verb"
ip netns del tw-lost
sweeps() { [ "$(grep -c 'undid what a DEL had left' "$DIR/node.log")" -gt "$1" ]; }
ended=$(grep -c 'undid what a DEL had left' "$DIR/node.log")
# Another one that is dead at the same time shows that the sweep has come by.
pod lost2
upped lost2 "$uid"
force lost2
ip netns del tw-lost2
check "a sandbox that went without a DEL is ended" wait_for 40 sweeps "$ended"
check "its file is gone" wait_for 20 no_file lost2
check "and the primary's address" wait_for 20 no_ip lost2
check "and ours free" wait_for 20 gone macvlanip lost2
check_fails "one whose verb is still running is left to it" no_file lost
exec {verb}>&-
check "until that has ended" wait_for 40 no_file lost
check "that one's primary address too" no_ip lost
check "and ours" wait_for 20 gone macvlanip lost

# A file of an earlier boot whose namespace's name is by now another's, which lives.
forge() { # forge NEW-ID BOOT FILE
	perl -e '
		my ($id, $boot, $file) = @ARGV;
		local $/; open my $in, "<", $file or die; my (undef, $body) = split /\n/, <$in>, 2;
		$body =~ s/"containerID":"[^"]*"/"containerID":"$id"/; $body =~ s/"bootID":"[^"]*"/"bootID":"$boot"/;
		$body =~ s/"podUID":"[^"]*"/"podUID":"0-0"/; $body =~ s/K8S_POD_UID=[^;"]*/K8S_POD_UID=0-0/;
		use integer; my $h = -3750763034362895579;
		for (unpack "C*", $body) { $h ^= $_; $h *= 1099511628211 }
		no integer; printf "tandem-state 1 %d %016x\n%s", length $body, $h, $body;
	' "$@"
}
forge cid-old 00000000-0000-4000-8000-000000000000 "$FILES/cid-live@eth0" >"$DIR/forged"
mv "$DIR/forged" "$FILES/cid-old@eth0"
check "a sandbox of an earlier boot is ended" wait_for 40 no_file old
forge cid-new "$(cat /proc/sys/kernel/random/boot_id)" "$FILES/cid-live@eth0" >"$DIR/forged"
mv "$DIR/forged" "$FILES/cid-new@eth0"

# A file that a hand has removed: the card is there, and its address is not free.
pod torn
upped torn "$uid"
rm "$FILES/cid-torn@eth0"
force torn
check "torn: held" wait_for 20 subnet_is reserved 1
check "a file that went is not a card that went" wait_for 20 logged node 'card is up without a state file.*torn'
node_kill
node_up
twice() { [ "$(grep -c 'card is up without a state file.*torn' "$DIR/node.log")" -ge 2 ]; }
check "nor after a restart" wait_for 20 twice
same "nothing is reported" "Attached null $uid" "$(said torn)"

# What such a pod and one that is no more have of hostAccess, as the plugin makes it.
ip addr add 10.98.0.1/32 dev lo
ip link add ens4.host link ens4 type macvlan mode bridge
ip link set ens4.host alias tandem arp off up
ip addr add 10.98.0.1/32 dev ens4.host
access() { # access ADDRESS MAC
	ip neigh add "$1" dev ens4.host lladdr "$2" nud permanent
	ip route add "$1" dev ens4.host scope link src 10.98.0.1
}
accessed() { ip route show dev ens4.host | cut -d' ' -f1; }
torn=$(address torn | cut -d/ -f1)
access "$torn" "$(ip -n tw-torn -j link show eth1 | jq -r '.[0].address')"
access 10.231.0.18 02:00:00:00:00:18
only_torn() { [ "$(accessed)" = "$torn" ]; }
check "a lost file's hostAccess is ended when its card is no more" wait_for 40 only_torn
ip netns del tw-torn
check "its namespace gone, it is" wait_for 40 gone macvlanip torn
no_device() { ! ip link show ens4.host; }
check "and the device with its last card" wait_for 40 no_device

# A damaged file is skipped, and stays for the plugin to see.
echo nothing >"$FILES/cid-bad@eth0"
check "a damaged file is logged" wait_for 20 logged node 'state file skipped.*cid-bad@eth0'
check "and stays" [ -e "$FILES/cid-bad@eth0" ]
rm "$FILES/cid-bad@eth0"

# A sandbox that went while its pod lives, as after a reboot.
check "DEL of a living pod" cni DEL later "$later"
check "it is Missing until it is made again" wait_for 20 says later "Missing null $later"
ip netns del tw-later
upped later "$later"

# ------------------------------------------------------------------------------- all in all
check_fails "a namespace that lives is never touched" no_file new
rm "$FILES/cid-new@eth0"
for name in live twin2 db2 later; do
	check "$name still has its card" ip -n "tw-$name" addr show dev eth1 up
done
check "still attached" attached live "$live"
check "the StatefulSet's too" attached db-0 "$db"
same "no address twice" "" "$(doubles watch)"
# Every pod of which Attached was ever said had its card made by the plugin.
same "none was marked that had no card" "" "$(jq -r 'select(.object.status.phase == "Attached") | .object.spec.podId' \
	"$DIR/watch.log" | sort -u | comm -23 - <(sort -u "$DIR/added"))"
zombies() { ps -o pid=,stat=,comm= --ppid "$pid_node"; }
same "no child is left" "" "$(zombies)"

# ------------------------------------------------------------------------------- what a Prometheus makes of both
# Each name in the rules and on the dashboard is one that is served, and each expression can be answered.
cat >"$DIR/prometheus.yml" <<-YAML
	global: {scrape_interval: 1s}
	rule_files: [rules.yml]
	scrape_configs:
	- {job_name: tandem, static_configs: [{targets: ["127.0.0.1:9401", "127.0.0.1:9402"]}]}
YAML
sed -n '/^spec:/,$ s/^  //p' "$ROOT/manifests/monitoring/rules.yaml" >"$DIR/rules.yml"
start prometheus prometheus --config.file "$DIR/prometheus.yml" --storage.tsdb.path "$DIR/prometheus" --web.listen-address 127.0.0.1:9403
query() { curl -sf --max-time 20 --data-urlencode "query=$1" http://127.0.0.1:9403/api/v1/query; }
samples() { query "$1" | jq -r '.data.result | length'; }
both_up() { [ "$(query 'sum(up)' | jq -r '.data.result[0].value[1]')" = 2 ]; }
check "a Prometheus reads both" wait_for 60 both_up
sleep 3
expressions() {
	jq -r '.panels[].targets[].expr' "$ROOT/manifests/monitoring/dashboard.json"
	curl -sf --max-time 20 http://127.0.0.1:9403/api/v1/rules | jq -r '.data.groups[].rules[].query | gsub("\n"; " ")'
}
mute() { for name in $(expressions | grep -oE 'tandem_[a-z_]+' | sort -u); do [ "$(samples "$name")" -gt 0 ] || echo "$name"; done; }
same "each metric is one that is served" "" "$(mute)"
unanswered() { expressions | while read -r expr; do query "$expr" >/dev/null || echo "$expr"; done; }
same "each expression is answered" "" "$(unanswered)"
check "so many: $(expressions | wc -l)" [ "$(expressions | wc -l)" -ge 25 ]
rss=$(awk '/VmHWM/ { print $2 }' "/proc/$pid_node/status")
echo "# tandem-node: peak of $rss KiB resident"
# The program's own pages are most of it; sanitizers have more.
case $TANDEM_BUILD in *asan*) ;; *) check "16 MiB are enough for it" [ "$rss" -le 16384 ] ;; esac
kill "$pid_node"
wait "$pid_node"
same "it ends when it is asked to" 0 $?

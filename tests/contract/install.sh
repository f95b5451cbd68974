#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tandem-node as the installer: the fourteen rules, each a check by its number, on trees of files as the platforms have
# them, and with a real API server.
#
# shellcheck disable=SC2154 # PID_node is set by apiserver_spawn

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-apiserver.sh"
contract_node
apiserver_start
OURS=00-tandem.conflist

show_log() { [ "$tests_failed" -eq 0 ] || tail -n 40 "$DIR/api/node.log" | sed 's/^/    | /'; }
at_exit show_log

# ------------------------------------------------------------------------------- a node's files
# tree NAME: a node's / in ROOT, with the usual folders in CONFS and BIN, and a path that leads from there to here, so
# that the state directory has one name on both sides, as in the image
tree() {
	ROOT=$DIR/$1 CONFS=$DIR/$1/etc/cni/net.d BIN=$DIR/$1/opt/cni/bin
	mkdir -p "$CONFS" "$BIN" "$ROOT/var/lib/cni/tandem" "$ROOT/run/tandem" "$ROOT/var/log" "$ROOT$DIR"
	ln -s / "$ROOT$DIR/$1"
	STATE=$ROOT/var/lib/cni/tandem SOCKET=$ROOT/run/tandem/node.sock
	echo plugin >"$BIN/bridge"
}
# primary_conf FILE [NETWORK]: whole at once, as installers that know write it
primary_conf() {
	printf '{"cniVersion":"0.3.1","name":"%s","plugins":[{"type":"bridge"}]}\n' "${2:-cbr0}" >"$CONFS/.new"
	mv "$CONFS/.new" "$CONFS/$1"
}
# node_up ARGS: the daemon; node_down: by SIGTERM
node_up() {
	apiserver_spawn node "$TANDEM_NODE_BIN" --kubeconfig "$DIR/kubeconfig" --node-name n1 --state-dir "$STATE" --socket "$SOCKET" \
		--host-root "$ROOT" --install --plugin-source "$TANDEM_BIN" --sweep-period 1 --v 4 "$@"
}
node_down() {
	kill "$PID_node"
	wait "$PID_node" || true
}
says_ready() { "$TANDEM_NODE_BIN" --ready --socket "$SOCKET"; }
ready_says() { says_ready 2>&1 | grep -qF -- "$1"; }
is_up() { check "$1" wait_for 20 says_ready; }
logged() { grep -qF -- "$1" "$DIR/api/node.log"; }
# of KEY: in our conf's own part
of() { jq -c ".plugins[0].$1" "$CONFS/${2:-$OURS}"; }
follows() { [ "$(of delegateFile | tr -d '"')" = "/etc/cni/net.d/$1" ] && [ "$(jq -r .name "$CONFS/$OURS")" = "${2:-cbr0}" ]; }
confs() { find "$CONFS" -mindepth 1 -printf '%f\n' | sort | tr '\n' ' ' | sed 's/ $//'; }
said() { kubectl_node get events -o json | jq -r '.items[] | select(.involvedObject.kind == "Node") | "\(.reason) \(.message)"' | grep -qF -- "$1"; }
report() { kubectl_node get node n1 -o json | jq -r '.metadata.annotations["tandem-cni.io/node"]' | jq -r "$1"; }
reports() { [ "$(report "$1")" = "$2" ]; }
stays() { # stays CMD...: for a while
	local i
	for ((i = 0; i < 15; i++)); do
		"$@" || return 1
		sleep 0.1
	done
}
absent() { [ ! -e "$1" ]; }
first_conf() { confs | tr ' ' '\n' | LC_ALL=C sort | grep -E '\.(conf|conflist|json)$' | head -n 1; }
first_is() { [ "$(first_conf)" = "$1" ]; }
node_object() {
	kubectl_node delete node n1 --ignore-not-found >/dev/null
	kubectl_node create -f - >/dev/null <<-YAML
		apiVersion: v1
		kind: Node
		metadata: {name: n1}
		spec: {$*}
	YAML
}
cluster_says() { # cluster_says KEY=VALUE...
	local args=() pair
	for pair; do args+=(--from-literal "$pair"); done
	kubectl_node create configmap tandem-cluster -n kube-system "${args[@]}" --dry-run=client -o yaml | kubectl_node apply -f - >/dev/null
}
node_object

# ------------------------------------------------------------------------------- from nothing to ready
tree first
node_up
check "rule 4: without a primary's conf it waits, and says so" wait_for 20 reports .state waiting
check "it says for what" reports .message "no conf of a primary in /etc/cni/net.d yet"
check_fails "it is not ready" says_ready
check "the probe says why" ready_says "no conf of a primary"
for name in 10-flannel.conflist.cilium_bak 10-flannel.conf.old .10-flannel.conflist 10-flannel.conflist.tmp; do primary_conf "$name"; done
mkdir "$CONFS/05-folder.conflist"
printf '{"cniVersion":"0.4.0","name":"x","plugins":[{"type":"tandem"}]}' >"$CONFS/01-mine.conflist"
check "rule 4: backups, temporary names, folders and our own are not the primary's" stays absent "$CONFS/$OURS"
rm "$CONFS/01-mine.conflist" "$CONFS/.10-flannel.conflist"
printf '{"cniVersion":"0.3.1","name":"cb' >"$CONFS/10-flannel.conflist"
primary_conf 87-podman-bridge.conflist podman
check "rule 4: half a conf is waited for, whatever comes after it" stays absent "$CONFS/$OURS"
primary_conf 10-flannel.conflist
is_up "the primary's conf is there: ready"
check "the conf follows it, under its network's name" follows 10-flannel.conflist
same "rule 2: the plugin is in place" "755 $(stat -c %s "$TANDEM_BIN")" "$(stat -c '%a %s' "$BIN/tandem")"
check "with its bytes" cmp "$TANDEM_BIN" "$BIN/tandem"
same "rule 1: nothing temporary is left" "" "$(find "$ROOT" -name '*.new')"
same "rule 7: ours is the first" "$OURS" "$(first_conf)"
same "rule 5: no token and no kubeconfig on the node" "null " "$(of kubeconfig) $(grep -rl 'token' "$ROOT" --include='*' --exclude=tandem)"
same "what is not known is not in it" "null null null null null" "$(of clusterCIDR) $(of serviceCIDR) $(of viaPrimary) $(of deadlineSeconds) $(of logLevel)"
same "newer runtimes find their version" '"0.4.0" ["0.4.0","1.0.0","1.1.0"]' "$(jq -c .cniVersion "$CONFS/$OURS") $(jq -c .cniVersions "$CONFS/$OURS")"
check "the Node's annotation says so" wait_for 20 reports .state installed
same "with the platform and the primary" "kubeadm /etc/cni/net.d /opt/cni/bin 10-flannel.conflist cbr0" \
	"$(report '"\(.platform) \(.confDir) \(.binDir) \(.primary) \(.network)"')"
check "an Event says so" wait_for 20 said "Installed /etc/cni/net.d/$OURS is in front of 10-flannel.conflist, whose network is cbr0"
check "an Event names the platform" wait_for 20 said "PlatformFound platform kubeadm: confs in /etc/cni/net.d, plugins in /opt/cni/bin"

# ------------------------------------------------------------------------------- the cluster's facts
cluster_says clusterCIDR=10.42.0.0/16,fd00::/48 serviceCIDR=10.43.0.0/16 clusterDNS=10.43.0.10 viaPrimary=10.9.0.0/16 \
	logLevel=debug deadlineSeconds=20 later=1
has() { [ "$(of "$1")" = "$2" ]; }
check "the ConfigMap's facts come into the conf" wait_for 20 has clusterCIDR '"10.42.0.0/16,fd00::/48"'
same "all of them" '"10.43.0.0/16" "10.9.0.0/16" "debug" 20' "$(of serviceCIDR) $(of viaPrimary) $(of logLevel) $(of deadlineSeconds)"
check "an unknown key is logged" logged "key=later"
cluster_says clusterCIDR=10.42.0.0/16 serviceCIDR=nonsense logLevel=debug
check "a key that goes leaves the conf" wait_for 20 has viaPrimary null
same "a value that is none keeps what was known" '"10.42.0.0/16" "10.43.0.0/16"' "$(of clusterCIDR) $(of serviceCIDR)"
check "and is logged" logged "key=serviceCIDR value=nonsense"
node_down
apiserver_away
check "rule 3: SIGTERM takes nothing away" test -e "$CONFS/$OURS" -a -e "$BIN/tandem"
before=$(stat -c '%i %Y' "$CONFS/$OURS" "$BIN/tandem")
node_up
is_up "without the API server a restart is ready"
same "rule 1: the same bytes are not written again" "$before" "$(stat -c '%i %Y' "$CONFS/$OURS" "$BIN/tandem")"
same "the facts are still known" '"10.42.0.0/16"' "$(of clusterCIDR)"
apiserver_back
cluster_says clusterCIDR=10.44.0.0/16
check "they change again" wait_for 20 has clusterCIDR '"10.44.0.0/16"'
kubectl_node delete configmap tandem-cluster -n kube-system >/dev/null
check "the ConfigMap goes" wait_for 20 logged "the ConfigMap is gone"
check "what it said holds" stays has clusterCIDR '"10.44.0.0/16"'

# ------------------------------------------------------------------------------- rule 7
# within CMD...: in less than five seconds, which is promised
within() { TEST_TIME_FACTOR=1 wait_for 5 "$@"; }
rm "$CONFS/$OURS"
check "rule 7: a conf that is removed is back within 5 s" within test -e "$CONFS/$OURS"
check "an Event says so" wait_for 20 said "ConfRestored $OURS in /etc/cni/net.d was put back: it was removed; the first of the others is 10-flannel.conflist"
sleep 3.2
mv "$CONFS/$OURS" "$CONFS/$OURS.cilium_bak"
check "rule 7: one that Cilium has renamed as well" within test -e "$CONFS/$OURS"
check "the Event names Cilium and what to set" wait_for 20 said "Cilium has renamed it to $OURS.cilium_bak; set its value cni.exclusive=false"
check "nothing of the renaming is left" wait_for 5 absent "$CONFS/$OURS.cilium_bak"
mv "$CONFS/$OURS" "$CONFS/$OURS.off"
check "rule 7: another one takes it away at once: again within 5 s" within test -e "$CONFS/$OURS"
check "the Event says to what it was renamed" wait_for 20 said "it was renamed to $OURS.off"
rm "$CONFS/$OURS.off"
sleep 3.2
echo '{}' >"$CONFS/$OURS"
check "rule 7: one that was changed as well" within follows 10-flannel.conflist
primary_conf 00-a.conflist cbr0
check "rule 7: a file in front: ours is before it within 5 s" within first_is "+$OURS"
check "an Event names it" wait_for 20 said "ConfInFront 00-a.conflist in /etc/cni/net.d comes before $OURS"
same "it is what the runtime would have used" '"/etc/cni/net.d/00-a.conflist"' "$(of delegateFile "+$OURS")"
same "there is one of ours" "+$OURS 00-a.conflist 05-folder.conflist 10-flannel.conf.old 10-flannel.conflist 10-flannel.conflist.cilium_bak 10-flannel.conflist.tmp 87-podman-bridge.conflist" "$(confs)"
rm "$CONFS/00-a.conflist"
check "it goes: the usual name again" wait_for 5 first_is "$OURS"
check "and the primary's former conf" wait_for 5 follows 10-flannel.conflist
printf '{"cniVersion":"0.4.0","name":"cbr0","plugins":[{"type":"tandem"},{"type":"extra"}]}' >"$CONFS/00-chain.conflist"
check "a conf that runs the plugin itself is let be" stays first_is 00-chain.conflist
rm "$CONFS/00-chain.conflist"

# ------------------------------------------------------------------------------- rule 4: the primary's changes
mv "$CONFS/10-flannel.conflist" "$CONFS/20-flannel.conflist"
check "rule 4: it follows a renamed conf" wait_for 5 follows 20-flannel.conflist
rm "$CONFS/20-flannel.conflist"
check "rule 4: another network's conf that comes after is no successor" stays follows 20-flannel.conflist
check "an Event says that it is gone" wait_for 20 said "PrimaryGone /etc/cni/net.d/20-flannel.conflist"
primary_conf 20-flannel.conflist cbr1
check "rule 4: it follows a new name of the network" wait_for 5 follows 20-flannel.conflist cbr1
primary_conf 15-new.conflist new
check "rule 4: and what the runtime would take first" wait_for 5 follows 15-new.conflist new
mkdir "$CONFS/new"
echo '{"type":"istio-cni"}' >"$CONFS/new/istio.conf"
check "rule 9: the network's folder of plugins is the runtime's, not ours" stays follows 15-new.conflist new
check_fails "rule 9: nothing of it is in the conf" grep -q istio "$CONFS/$OURS"

# ------------------------------------------------------------------------------- rules 1, 2, 11: the files
node_down
cp /bin/sleep "$BIN/tandem"
"$BIN/tandem" 300 &
runs=$!
node_up
is_up "rule 1: a plugin that runs is replaced"
check "with the right bytes" cmp "$TANDEM_BIN" "$BIN/tandem"
check "and runs on" kill -0 "$runs"
kill "$runs"
first=$PID_node
apiserver_spawn second "$TANDEM_NODE_BIN" --kubeconfig "$DIR/kubeconfig" --node-name n1 --state-dir "$STATE" --socket "$SOCKET" \
	--host-root "$ROOT" --install --plugin-source /bin/sleep --sweep-period 1
second_waits() { grep -qF "another installer is at work" "$DIR/api/second.log"; }
check "rule 2: a second installer waits" wait_for 20 second_waits
check "and writes nothing" cmp "$TANDEM_BIN" "$BIN/tandem"
kill -9 "$first"
wait "$first" 2>/dev/null || true
check "rule 2: it goes on when the first is gone" wait_for 20 cmp /bin/sleep "$BIN/tandem"
apiserver_end second
read_only() { mount --bind "$1" "$1" && mount -o remount,ro,bind "$1"; }
writable() { ! mountpoint -q "$1" || umount "$1"; }
cp "$TANDEM_BIN" "$BIN/tandem"
chmod 755 "$BIN/tandem"
at_exit writable "$BIN"
read_only "$BIN"
node_up
is_up "rule 1: a read-only folder with the same bytes is fine"
node_down
rm "$CONFS/$OURS"
node_up --plugin-source /bin/sleep
check "rule 2: without the plugin no conf" wait_for 20 reports .state impaired
check "it says what is wrong" wait_for 20 reports .message "$BIN/.tandem.new: create: Read-only file system"
check_fails "rule 2: it did not come" test -e "$CONFS/$OURS"
node_down
writable "$BIN"
if [ "$(uname -m)" = x86_64 ]; then
	# label FILE [LABEL]: set, or print
	label() { perl -e 'my ($f, $l) = @ARGV; my $n = "security.selinux"; my $b = "\0" x 64;
		if (defined $l) { exit syscall(188, $f, $n, $l, length $l, 0) ? 1 : 0 }
		my $r = syscall(191, $f, $n, $b, 64); print substr($b, 0, $r > 0 ? $r : 0)' "$@"; }
	label "$CONFS/15-new.conflist" system_u:object_r:cni_conf_t:s0
	label "$BIN/bridge" system_u:object_r:bin_t:s0
	rm -f "$BIN/tandem"
	node_up
	is_up "installed again"
	same "rule 11: files have their neighbours' labels" "system_u:object_r:cni_conf_t:s0 system_u:object_r:bin_t:s0" \
		"$(label "$CONFS/$OURS") $(label "$BIN/tandem")"
	node_down
fi

# ------------------------------------------------------------------------------- rule 6
PLAIN_BIN=$TANDEM_BIN
tree real
primary >"$CONFS/10-flannel.conflist"
node_up --cni-conf-dir "$CONFS" --cni-plugin-dir "$BIN"
is_up "folders by hand"
same "the platform is what was given" "given $CONFS" "$(report '"\(.platform) \(.confDir)"')"
node_down
apiserver_away
new_pod
TANDEM_BIN=$BIN/tandem
as_runtime() { jq -c --argjson rc "$1" '.plugins[0] + {cniVersion, name, runtimeConfig: $rc, logFile: ""}' "$CONFS/$OURS"; }
cni ADD "$(as_runtime '{"io.kubernetes.cri.pod-annotations":{}}')"
succeeded "rule 6: a pod without a card needs neither the API server nor the daemon"
check "by the conf that was installed, it is the primary's" ip -n "$POD" addr show eth0
cni DEL "$(as_runtime '{"io.kubernetes.cri.pod-annotations":{}}')"
silent "rule 6: nor does its end"
drop_pod
TANDEM_BIN=$PLAIN_BIN
apiserver_back

# ------------------------------------------------------------------------------- platforms
# platform NAME CONFS BIN [ARGS]: what is found on the tree as it is
platform() {
	local name=$1
	CONFS=$ROOT$2 BIN=$ROOT$3
	primary_conf 10-flannel.conflist
	node_up "${@:4}"
	is_up "platform $name"
	check "its folders are found" reports '"\(.platform) \(.confDir) \(.binDir)"' "$name $2 $3"
	check "rule 12: the conf is in $2" test -f "$ROOT$2/$OURS"
	check "and the plugin in $3" test -x "$ROOT$3/tandem"
}
K3S=/var/lib/rancher/k3s
tree k3s
mkdir -p "$ROOT$K3S/agent/etc/cni/net.d" "$ROOT$K3S/data/cni"
platform k3s $K3S/agent/etc/cni/net.d $K3S/data/cni
node_down
tree k3s-old
mkdir -p "$ROOT$K3S/agent/etc/cni/net.d" "$ROOT$K3S/data/aaa/bin" "$ROOT$K3S/data/bbb/bin"
ln -s $K3S/data/aaa "$ROOT$K3S/data/current"
CONFS=$ROOT$K3S/agent/etc/cni/net.d
primary_conf 10-flannel.conflist
node_up
is_up "platform k3s-old"
check "rule 12: the plugin is behind the link" test -x "$ROOT$K3S/data/aaa/bin/tandem"
ln -sfn $K3S/data/bbb "$ROOT$K3S/data/current"
check "rule 12: the link moves, and the plugin is there" wait_for 5 test -x "$ROOT$K3S/data/bbb/bin/tandem"
node_down
tree rke2
mkdir -p "$ROOT/var/lib/rancher/rke2/agent"
platform rke2 /etc/cni/net.d /opt/cni/bin
node_down
tree microk8s
mkdir -p "$ROOT"/var/snap/microk8s/1/{args/cni-network,opt/cni/bin}
ln -s 1 "$ROOT/var/snap/microk8s/current"
platform microk8s /var/snap/microk8s/current/args/cni-network /var/snap/microk8s/current/opt/cni/bin
node_down
tree gke
mkdir -p "$ROOT/etc/containerd" "$ROOT/home/kubernetes/bin"
printf '[plugins."io.containerd.grpc.v1.cri".cni]\n  bin_dir = "/home/kubernetes/bin"\n  max_conf_num = 0 # all\n' >"$ROOT/etc/containerd/config.toml"
platform kubeadm /etc/cni/net.d /home/kubernetes/bin
check "rule 7: max_conf_num is named" wait_for 20 said "RuntimeSettings /etc/containerd/config.toml: max_conf_num = 0 lets containerd"
node_down
tree crio
mkdir -p "$ROOT/run/crio" "$ROOT/etc/crio/crio.conf.d"
touch "$ROOT/run/crio/crio.sock"
printf '[crio.network]\ncni_default_network = "cbr0"\nplugin_dirs = [\n\t"/opt/cni/bin/", # ours\n\t"/usr/libexec/cni",\n]\n' >"$ROOT/etc/crio/crio.conf.d/10-net.conf"
CONFS=$ROOT/etc/cni/net.d
primary_conf 05-podman.conflist podman
primary_conf 20-flannel.conflist cbr0
platform crio /etc/cni/net.d /opt/cni/bin/
check "rule 7: cni_default_network names the primary" follows 10-flannel.conflist cbr0
same "rule 8: of its name CRI-O keeps the first file, which is ours" "$OURS" \
	"$(cd "$CONFS" && grep -lF '"name":"cbr0"' -- *.conflist | LC_ALL=C sort | head -n 1)"
node_down
check_fails "a platform that is none" "$TANDEM_NODE_BIN" --node-name n1 --install --platform openstack
check_fails "one folder without the other" "$TANDEM_NODE_BIN" --node-name n1 --install --cni-conf-dir /x

# ------------------------------------------------------------------------------- rules 4, 13, 14 and clouds
tree taints
node_object 'providerID: "aws:///eu-west-1a/i-1", taints: [{key: tandem-cni.io/not-ready, effect: NoSchedule}, {key: other, effect: NoExecute}]'
taints() { kubectl_node get node n1 -o json | jq -c '[.spec.taints[]? | .key] | map(select(startswith("node.kubernetes.io") | not))'; }
taints_are() { [ "$(taints)" = "$1" ]; }
primary_conf 10-flannel.conflist
node_up --remove-taint tandem-cni.io/not-ready --readiness-file /run/flannel/subnet.env
check "rule 4: the primary's readiness file is waited for" wait_for 20 reports .message "/run/flannel/subnet.env: the primary has not written it yet"
check "rule 13: the taint stays meanwhile" stays taints_are '["tandem-cni.io/not-ready","other"]'
check_fails "rule 4: there is no conf yet" test -e "$CONFS/$OURS"
mkdir -p "$ROOT/run/flannel"
touch "$ROOT/run/flannel/subnet.env"
is_up "rule 4: it is there"
check "rule 13: the taint goes, the others stay" wait_for 20 taints_are '["other"]'
check "a cloud is named where macvlan is of no use" wait_for 20 said "CloudNetwork the provider of this Node is aws"
node_down
node_object
tree multus
primary_conf 10-flannel.conflist
printf '{"cniVersion":"0.3.1","name":"multus-cni-network","type":"multus","delegates":[]}' >"$CONFS/00-multus.conf"
node_up
check "rule 14: behind Multus nothing is installed" wait_for 20 said "MultusInFront /etc/cni/net.d/00-multus.conf: Multus is in front"
same "rule 14: no conf of ours" "00-multus.conf 10-flannel.conflist" "$(confs)"
check_fails "and it is not ready" says_ready
node_down
node_up --with-multus
is_up "rule 14: unless it is told"
check "the conf follows the primary" follows 10-flannel.conflist
check "Multus stays in front" first_is 00-multus.conf
node_down

# ------------------------------------------------------------------------------- uninstalling
# shellcheck disable=SC2317 # it is called
files() { (cd "$ROOT" && find . ! -path ".$DIR*" ! -name bridge | sort); }
files() { (cd "$ROOT" && find . ! -path ".$DIR*" ! -path './var/lib/cni/networks*' | sort); }
# A primary of real plugins, which find their folders on both sides of the daemon's root.
tree removal
install /usr/lib/cni/bridge /usr/lib/cni/host-local "$BIN"
ldd /usr/lib/cni/bridge /usr/lib/cni/host-local | grep -o '/[^ ]*' | grep -v : | sort -u | while read -r lib; do install -D "$lib" "$ROOT$lib"; done
printf '{"cniVersion":"0.4.0","name":"cbr0","plugins":[{"type":"bridge","bridge":"cni9","isGateway":true,"ipam":{"type":"host-local","dataDir":"%s",
	"ranges":[[{"subnet":"10.42.9.0/24"}]]}}]}\n' "$ROOT/var/lib/cni/networks" >"$CONFS/10-flannel.conflist"
rmdir "$STATE" "$ROOT/run/tandem"
before=$(files)
mkdir -p "$STATE" "$ROOT/run/tandem" "$CONFS/tandem.d"
echo '{}' >"$CONFS/tandem.d/masters.json"
echo line >"$ROOT/var/log/tandem.log"
by_tandem() { jq -c --argjson rc "$1" '.plugins[0] + {cniVersion, name, runtimeConfig: $rc}' "$CONFS/$OURS"; }
by_primary() { jq -c --argjson prev "$1" '.plugins[0] + {cniVersion, name, prevResult: $prev}' "$CONFS/10-flannel.conflist"; }
addresses() { find "$ROOT/var/lib/cni/networks/cbr0" -name '10.42.*' | wc -l; }
node_up --cni-conf-dir "$CONFS" --cni-plugin-dir "$BIN"
is_up "a node to be cleaned"
new_pod
PLAIN=$CID PLAIN_POD=$POD PLAIN_NETNS=$NETNS
cni ADD "$(by_tandem '{"io.kubernetes.cri.pod-annotations":{}}')" CNI_PATH="$BIN"
succeeded "a pod without a card"
PREV=$OUT
new_pod
POD_UID=$(cat /proc/sys/kernel/random/uuid)
record web "$POD_UID" '{"cidr":"192.168.100.77/24","mac":"0a:00:00:00:00:77","gateway":"192.168.100.1"}'
cni ADD "$(by_tandem '{"io.kubernetes.cri.pod-annotations":{"tandem-cni.io/subnet":"vlan100"}}')" CNI_PATH="$BIN"
succeeded "a pod with one"
same "their state files" 2 "$(find "$STATE/attachments" -type f | wc -l)"
cluster_says uninstall=maybe
check "any other word removes nothing" wait_for 20 logged "key=uninstall value=maybe"
check "the conf stays" stays test -e "$CONFS/$OURS"
cluster_says uninstall=true
check "uninstall=true: the conf goes first" wait_for 20 absent "$CONFS/$OURS"
same "the primary's is in front again" 10-flannel.conflist "$(first_conf)"
check "rule 2: the plugin is still there" test -x "$BIN/tandem"
check "the pod with a card is waited for" wait_for 20 reports '"\(.state) \(.left)"' "removing 1"
check "the one without is not" absent "$STATE/attachments/$PLAIN@eth0"
check_fails "the node is not ready for more" says_ready
TANDEM_BIN=$BIN/bridge
CARD=$CID CARD_POD=$POD CARD_NETNS=$NETNS
CID=$PLAIN POD=$PLAIN_POD NETNS=$PLAIN_NETNS
cni DEL "$(by_primary "$PREV")" CNI_PATH="$BIN"
silent "the primary's own DEL ends the pod without a card"
drop_pod
same "its address is free" 1 "$(addresses)"
TANDEM_BIN=$PLAIN_BIN
CID=$CARD POD=$CARD_POD NETNS=$CARD_NETNS
check "the plugin stays as long as the other lives" stays test -x "$BIN/tandem"
drop_pod
check "it ends without a DEL: all of it is undone, and the rest is removed" wait_for 30 reports .state removed
same "its address is free, too" 0 "$(addresses)"
check "an Event says so" wait_for 20 said "Removed nothing of tandem's is left on this node"
node_down
same "nothing is left of what was not there before" "$before" "$(files)"
same "nor at the Node" null "$(kubectl_node get node n1 -o json | jq -r '.metadata.annotations["tandem-cni.io/node"]')"
mkdir -p "$STATE" "$ROOT/run/tandem"
node_up --cni-conf-dir "$CONFS" --cni-plugin-dir "$BIN"
check "a daemon that starts afterwards removes what it needs itself" wait_for 20 reports .state removed
check "and installs nothing" stays absent "$CONFS/$OURS"
kubectl_node delete configmap tandem-cluster -n kube-system >/dev/null
check "nor when the ConfigMap goes, as it does with the rest of what was applied" stays absent "$CONFS/$OURS"
check "and runs on" kill -0 "$PID_node"
cluster_says uninstall=false
check "the order is taken back: it ends, to begin anew" wait_for 20 logged "the order to remove was taken back"
wait "$PID_node"
same "as one that has done its work" 0 "$?"
mkdir -p "$STATE" "$ROOT/run/tandem"
node_up --cni-conf-dir "$CONFS" --cni-plugin-dir "$BIN"
is_up "and is installed again"
node_down

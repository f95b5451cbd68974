#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the plugin enters of a pod before its ADD returns, what DEL takes out, and what the daemon repairs.

. "$(dirname "$0")/lib-mounts.sh"
. "$(dirname "$0")/../contract/lib.sh"
. "$(dirname "$0")/../contract/lib-apiserver.sh"
: "${TANDEM_TOOLS:=$TESTS_ROOT/build/dev/tests}"
: "${TANDEM_SERVICES_BIN:=$TANDEM_BUILD/tandem-services}"
PINS=/sys/fs/bpf/tandem-test-$$ CGROUP=
contract_node
apiserver_start
root=$(awk '$3 == "cgroup2" { print $2 }' /proc/mounts | while read -r dir; do [ "$(stat -c %i "$dir")" != 1 ] || echo "$dir"; done | head -n 1)
[ -n "$root" ] || { fail "cgroup v2" "its root is not mounted here" && exit 1; }
CGROUP=$root/tandem-test-$$
mkdir "$CGROUP"
at_exit rmdir "$CGROUP"
services() { nsenter --net="/run/netns/$NODE" "$TANDEM_SERVICES_BIN" "$@" --pins "$PINS" --cgroup "$CGROUP"; }
at_exit services unload
show_logs() { [ "$tests_failed" -eq 0 ] || tail -n 20 "$DIR/api/daemon.log" | sed 's/^/    | /'; }
at_exit show_logs

MORE="\"servicePins\":\"$PINS/v1\","
NET='{"cidr":"192.168.100.50/24","mac":"0a:00:00:00:00:32","gateway":"192.168.100.1","mode":"bridge","linkType":"macvlan"}'
asks() { conf "${2:-$(primary)}" '{"io.kubernetes.cri.pod-annotations":{"tandem-cni.io/subnet":"vlan100"'"${1:-}"'}}' "$MORE"; }
plain() { conf "$(primary)" '{"io.kubernetes.cri.pod-annotations":{'"$1"'}}' "$MORE"; }
entries() { services ep ls -o json | jq -c "[.[] | {ip, scope: (.scope != 0), skip, single, cut, byHand}]"; }
pod() { # pod NAME [SPEC]
	new_pod
	POD_NAME=$1 POD_UID=$(cat /proc/sys/kernel/random/uuid)
	[ $# -lt 2 ] || record "$1" "$POD_UID" "$2"
}
ended() {
	cni DEL "$1"
	silent "$2: DEL"
	drop_pod
}

pod none "$NET"
cni ADD "$(asks)"
succeeded "nothing is pinned: ADD"
same "nothing is pinned: nothing is said" "" "$(grep -i 'ClusterIP' <<<"$ERR")"
ended "$(asks)" "nothing is pinned"

check "load" services load
pod two "$NET"
cni ADD "$(asks)"
succeeded "two cards: ADD"
same "two cards: its scope, before ADD returns" '[{"ip":"192.168.100.50","scope":true,"skip":false,"single":false,"cut":false,"byHand":false}]' "$(entries)"
scope=$(services ep ls -o json | jq '.[0].scope')
ended "$(asks)" "two cards"
same "two cards: DEL takes it out" "[]" "$(entries)"

pod private "$(jq -c '.mode = "private"' <<<"$NET")"
cni ADD "$(asks)"
same "mode private: no scope" '[{"ip":"192.168.100.50","scope":false,"skip":false,"single":false,"cut":false,"byHand":false}]' "$(entries)"
ended "$(asks)" "mode private"

single=',"tandem-cni.io/interface":"eth0"'
pod cut "$(jq -c '.hostAccess = false' <<<"$NET")"
cni ADD "$(asks "$single")"
same "a single card without hostAccess" '[{"ip":"192.168.100.50","scope":true,"skip":false,"single":true,"cut":true,"byHand":false}]' "$(entries)"
same "the same LAN, the same scope" "$scope" "$(services ep ls -o json | jq '.[0].scope')"
ended "$(asks "$single")" "a single card"

pod found "$(jq -c '.masterSelector = {namePattern: "ens*"}' <<<"$NET")"
cni ADD "$(asks)"
succeeded "a NIC by a selector: ADD"
chosen=$(services ep ls -o json | jq '.[0].scope')
ended "$(asks)" "a NIC by a selector"
pod found "$(jq -c '.masterSelector = {namePattern: "ens*"}' <<<"$NET")"
ip -n "$NODE" link set ens4 down
ip -n "$NODE" link set ens4 name ens9 up
cni ADD "$(asks)"
same "the subnet's scope, whatever the node calls its NIC" "$chosen true" "$(services ep ls -o json | jq -r ".[0].scope | \"\(.) \(. != $scope)\"")"
ended "$(asks)" "a NIC of another name"
ip -n "$NODE" link set ens9 down
ip -n "$NODE" link set ens9 name ens4 up

pod plain
cni ADD "$(plain '')"
succeeded "no card: ADD"
same "no card: nothing to be entered" "[]" "$(entries)"
ended "$(plain '')" "no card"
for skip in '"tandem-cni.io/services":"off"' '"sidecar.istio.io/status":"{}"' '"linkerd.io/proxy-version":"2"'; do
	pod skip
	cni ADD "$(plain "$skip")"
	same "skipped: ${skip%%:*}" '[{"ip":"","scope":false,"skip":true,"single":false,"cut":false,"byHand":false}]' "$(entries)"
	ended "$(plain "$skip")" "skipped"
done
same "nothing is left" "[]" "$(entries)"

# ---------------------------------------------------------------------------- the daemon repairs
pod repaired "$NET"
services unload
cni ADD "$(asks)"
succeeded "an ADD before anything was loaded"
apiserver_spawn daemon "$TANDEM_SERVICES_BIN" --kubeconfig "$DIR/kubeconfig" --node-name n1 --pins "$PINS" --cgroup "$CGROUP" \
	--state-dir "$DIR/state" --sweep-period 1 --v 4
entered() { [ "$(entries)" = '[{"ip":"192.168.100.50","scope":true,"skip":false,"single":false,"cut":false,"byHand":false}]' ]; }
wait_for 20 entered && pass "it is entered later, from its state file" || fail "entered later" "$(entries)"
same "the same scope" "$scope" "$(services ep ls -o json | jq '.[0].scope')"
# What the daemon makes of the subnet is what the plugin has entered.
kubectl_node apply -f - >/dev/null <<-'YAML'
	{"apiVersion":"v1","kind":"List","items":[
	{"apiVersion":"tandem-cni.io/v1","kind":"MacvlanSubnet","metadata":{"name":"vlan100","namespace":"kube-system"},
	"spec":{"masterSelector":{"namePattern":"ens*"},"cidr":"192.168.100.0/24"}},
	{"apiVersion":"v1","kind":"Service","metadata":{"name":"lan","annotations":{"tandem-cni.io/cluster-ip":"eth1"}},
	"spec":{"clusterIP":"10.43.0.110","ports":[{"port":80}]}},
	{"apiVersion":"v1","kind":"Endpoints","metadata":{"name":"lan"},"subsets":[{"addresses":[{"ip":"10.42.0.9"}],"ports":[{"port":80}]}]},
	{"apiVersion":"v1","kind":"Endpoints","metadata":{"name":"lan-macvlan","labels":{"tandem-cni.io/service":"lan"}},
	"subsets":[{"addresses":[{"ip":"192.168.100.11"}],"ports":[{"port":80}]}]}]}
YAML
lan_scope() { services svc ls -o json | jq -r '[.[] | select(.address == "10.43.0.110" and .scope != 0) | .scope] | unique[]'; }
has_scope() { [ -n "$(lan_scope)" ]; }
check "the subnet's set is there" wait_for 10 has_scope
same "for the cards that the plugin has entered by the selector" "$chosen" "$(lan_scope)"
ip netns add "tct-$$-other"
services ep add --netns="/run/netns/tct-$$-other" --ifname=lo --skip
kept=$(services ep ls -o json | jq length)
same "and one by hand" 2 "$kept"
cp -a "$(state_file)" "$DIR/kept"
rm "$(state_file)"
left() { [ "$(services ep ls -o json | jq -c '[.[].byHand]')" = "[true]" ]; }
wait_for 10 left && pass "a lost DEL: taken out; what was made by hand stays" || fail "lost DEL" "$(entries)"
cp -a "$DIR/kept" "$(state_file)"
ended "$(asks)" "repaired"

# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Part of controller.sh: subnets edited, deleted and made again under live pods, records lost while nobody
# looked, and who may do what.
controller_alive || controller_up
subnet moving 10.73.0.0/24 'vlan: 7' 'ipDelayReuse: 0' 'routes: [{dst: 10.9.0.0/16}]' \
	'ranges: [{rangeStart: 10.73.0.10, rangeEnd: 10.73.0.12}]' | k apply -f - >/dev/null
pods 91 92 moving | k create -f - >/dev/null
check "two pods" wait_for 20 served_is 2
specs() { k get macvlanips -n default -o json | jq -cS '[.items[] | {name: .metadata.name, uid: .metadata.uid, spec}]'; }
uids() { k get pods -n default -o json | jq -cS '[.items[] | .metadata | {name, uid, deletionTimestamp}]'; }
before=$(specs) pods_before=$(uids)

# ------------------------------------------------------------------------------- edits
subnet moving 10.73.0.0/23 'vlan: 7' 'ipDelayReuse: 0' 'gateway: 10.73.1.254' 'mtu: 1400' \
	'podDefaultGateway: {enable: true, serviceCidr: 10.43.0.0/16}' \
	'ranges: [{rangeStart: 10.73.1.10, rangeEnd: 10.73.1.11}]' | k apply -f - >/dev/null
check "another CIDR, gateway and range" wait_for 10 status_is moving gateway 10.73.1.254
same "counted: what is used outside of the range too" "2 2 2" \
	"$(k get macvlansubnet -n kube-system moving -o json | jq -r '.status | "\(.total) \(.used) \(.free)"')"
pods 93 93 moving | k create -f - >/dev/null
check "a new pod is served" wait_for 20 served_is 3
same "of the new range, with the new network" '{"cidr":"10.73.1.10/23","gateway":"10.73.1.254","mtu":1400,"podDefaultGateway":{"enable":true,"serviceCidr":"10.43.0.0/16"},"routes":null,"vlan":7}' \
	"$(k get macvlanip p93 -o json | jq -cS '.spec | {cidr, gateway, mtu, vlan, routes, podDefaultGateway}')"
k delete pod p93 --force --grace-period=0 >/dev/null 2>&1
check "the held one goes" wait_for 20 gone macvlanip p93
pods 97 97 moving | k create -f - >/dev/null
check "its address is given again" wait_for 20 served_is 3
pods 98 98 moving | k create -f - >/dev/null
check "and the next one" wait_for 20 served_is 4
same "a card that nobody saw go: whoever gets its address asks the LAN first, and nobody else" \
	"10.73.1.10/23 true 10.73.1.11/23 false" "$(k get macvlanips p97 p98 -o json |
		jq -r '.items | sort_by(.spec.cidr)[].spec | "\(.cidr) \(.conflictDetection)"' | xargs)"
finish 97 98
check "they go" wait_for 20 gone macvlanip p97
check "both" wait_for 20 gone macvlanip p98
same "the records of the others are what they were" "$before" "$(specs)"
same "and no pod was touched" "$pods_before" "$(uids)"

# ------------------------------------------------------------------------------- deleted and made again
k delete macvlansubnet -n kube-system moving --wait=false >/dev/null
terminating() { [ "$(k get macvlansubnet -n kube-system moving -o jsonpath='{.status.phase}')" = Terminating ]; }
check "deleted while in use: it stays" wait_for 10 terminating
k apply -f <(pods 94 94 moving) >/dev/null
check "and gives nothing new, which an event says" wait_for 10 event_is p94 SubnetTerminating
k patch macvlansubnet -n kube-system moving --type merge -p '{"metadata":{"finalizers":null}}' >/dev/null
check "forced away" wait_for 10 gone macvlansubnet -n kube-system moving
same "the records stay" "$before" "$(specs)"
subnet moving 10.73.0.0/24 'vlan: 7' 'ipDelayReuse: 0' 'routes: [{dst: 10.9.0.0/16}]' \
	'ranges: [{rangeStart: 10.73.0.10, rangeEnd: 10.73.0.12}]' | k apply -f - >/dev/null
check "made again it knows what is in use" wait_for 20 status_is moving used 3
same "the pod that waited has the only one that was free" \
	"10.73.0.10/24 10.73.0.11/24 10.73.0.12/24" "$(records | awk '{ print $2 }' | sort | xargs)"

# Lost while no controller ran, record and finalizer, and the pod tells nothing: its card has the address all the same.
curls PATCH application/merge-patch+json '{"status":{"phase":"Running","podIP":"10.42.0.91"}}' "$(pod_urls 91 91 /status)"
stop "$pid_controller"
address=$(k get macvlanip p91 -o jsonpath='{.spec.cidr}')
k annotate pod p91 k8s.v1.cni.cncf.io/network-status- >/dev/null
k patch macvlanip p91 --type merge -p '{"metadata":{"finalizers":null}}' >/dev/null
k delete macvlanip p91 --wait=false >/dev/null 2>&1
check "a record is taken away while no controller runs" wait_for 5 gone macvlanip p91
controller_up
finish 94 94
check "the controller starts, another pod ends" wait_for 20 gone macvlanip p94
pods 95 96 moving | k create -f - >/dev/null
either_waits() { event_is p95 SubnetExhausted || event_is p96 SubnetExhausted; }
check "of two new pods one waits" wait_for 20 either_waits
same "the lost address was not given again" "" "$(records | grep -F " $address ")"
finish 91 92
finish 95 96
check "all are gone" wait_for 20 no_records
check "the lost one is free when its pod is, after the hold" wait_for 30 status_is moving free 3
k delete macvlansubnet -n kube-system moving --timeout=20s >/dev/null

# ------------------------------------------------------------------------------- who may do what
kcm_up clusterrole-aggregation
# can VERB RESOURCE[/SUBRESOURCE] ACCOUNT [NAMESPACE]: yes or no
can() {
	local sub=""
	[[ $2 != */* ]] || sub=${2#*/}
	k auth can-i "$1" "${2%/*}" ${sub:+--subresource "$sub"} --as "$3" -n "${4:-default}" 2>/dev/null
	true
}
NODE_ACCOUNT=system:serviceaccount:kube-system:tandem-node
k create namespace team >/dev/null
k create rolebinding devs --clusterrole=admin --user=dev -n team >/dev/null
same "the controller makes records" yes "$(can create macvlanips "$USER_CTL")"
same "a node's account does not" no "$(can create macvlanips $NODE_ACCOUNT)"
same "nor does it write their spec" no "$(can patch macvlanips $NODE_ACCOUNT)"
same "but their status" yes "$(can patch macvlanips/status $NODE_ACCOUNT)"
same "an administrator of a namespace makes no records" no "$(can create macvlanips dev team)"
same "edits none" no "$(can patch macvlanips dev team)"
same "deletes none" no "$(can delete macvlanips dev team)"
sees() { [ "$(can list macvlanips dev team)" = yes ]; }
check "sees them" wait_for 20 sees
same "and makes no subnets" no "$(can create macvlansubnets dev kube-system)"
same "the controller deletes no pods" no "$(can delete pods "$USER_CTL")"
same "and changes none" no "$(can patch pods "$USER_CTL")"
same "but for their status" yes "$(can patch pods/status "$USER_CTL")"
k delete namespace team --wait=false >/dev/null
stop "$pid_kcm"

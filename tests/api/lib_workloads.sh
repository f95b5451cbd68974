# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Part of controller.sh: workloads made by the real controller manager. Fixed addresses and whom they are kept
# for, StatefulSets whose pods come back, and what frees an address when. No kubelets: this script is theirs.

kcm_up 'deployment,replicaset,statefulset,daemonset,job,namespace,garbagecollector,podgc'
controller_alive || controller_up

# workload KIND NAME REPLICAS ANNOTATIONS [YAML-of-spec]: all pods on node n1
workload() {
	local kind=$1 name=$2 replicas=$3 annotations=$4 more=${5:-}
	local set="serviceName: $name"$'\n  podManagementPolicy: Parallel'
	[ "$kind" != StatefulSet ] || more=$set${more:+$'\n  '$more}
	[ "$kind" = DaemonSet ] || more="replicas: $replicas"${more:+$'\n  '$more}
	cat <<-YAML
		---
		apiVersion: apps/v1
		kind: $kind
		metadata: {name: $name, namespace: ${NS:-default}}
		spec:
		  $more
		  selector: {matchLabels: {app: $name}}
		  template:
		    metadata: {labels: {app: $name}, annotations: {$annotations}}
		    spec: {nodeName: n1, containers: [{name: c, image: none}]}
	YAML
}

# played NS: its pods that are being deleted end as their kubelet ends them
played() {
	local pod
	for pod in $(k get pods -n "$1" -o json |
		jq -r '.items[] | select(.metadata.deletionTimestamp) | .metadata.name'); do
		curls PATCH application/merge-patch+json \
			'{"status":{"phase":"Running","containerStatuses":[{"name":"c","image":"i","imageID":"","restartCount":0,"ready":false,"state":{"terminated":{"exitCode":0}}}]}}' \
			"/api/v1/namespaces/$1/pods/$pod/status" 2>/dev/null
		curls DELETE application/json '{"gracePeriodSeconds":0}' "/api/v1/namespaces/$1/pods/$pod" 2>/dev/null
	done
}

# after_play COMMAND...: true once the command is, the kubelet playing meanwhile
after_play() {
	played "${NS:-default}"
	"$@"
}

# card NAME: "address MAC" of the record that names a pod which is there
card() {
	local uid
	uid=$(k get pod -n "${NS:-default}" "$1" -o jsonpath='{.metadata.uid}' 2>/dev/null) || return 1
	k get macvlanip -n "${NS:-default}" "$1" -o json 2>/dev/null |
		jq -re --arg uid "$uid" 'select(.spec.podId == $uid and .spec.cidr) | "\(.spec.cidr) \(.spec.mac)"'
}
# cards APP: addresses of its pods, sorted
cards() {
	local pod
	for pod in $(k get pods -n "${NS:-default}" -l "app=$1" -o json |
		jq -r '.items[] | select(.metadata.deletionTimestamp == null) | .metadata.name'); do
		card "$pod" || true
	done | awk '{ print $1 }' | sort | xargs
}
cards_are() { [ "$(cards "$1")" = "$2" ]; }
card_is() { [ "$(card "$1")" = "$2" ]; }
pods_gone() { [ -z "$(k get pods -n "${NS:-default}" -l "app=$1" -o name)" ]; }
# new_pod NAME UID: a pod of the name is there, and it is another
new_pod() {
	local uid
	uid=$(k get pod "$1" -n "${NS:-default}" -o jsonpath='{.metadata.uid}' 2>/dev/null)
	[ -n "$uid" ] && [ "$uid" != "$2" ]
}
# came_back NAME UID CARD: a pod of the name is there, it is another, and it has that card
came_back() {
	new_pod "$1" "$2" && card_is "$1" "$3"
}
# waits_held NAME UID: another pod of the name is there, and the subnet counts one address as reserved
waits_held() {
	new_pod "$1" "$2" && status_is sticky reserved 1
}
# terminating NS: how many of its pods are being deleted
terminating() {
	k get pods -n "$1" -o json | jq '[.items[] | select(.metadata.deletionTimestamp)] | length'
}
terminating_is() { [ "$(terminating "$1")" = "$2" ]; }
# told KIND-OF-REASON PATTERN: an event of the namespace
told() {
	k get events -n "${NS:-default}" -o json |
		jq -re --arg r "$1" --arg p "$2" '.items[] | select(.reason == $r) | .message | select(test($p))'
}
vacant() {
	[ "$(k get macvlanip -n "${NS:-default}" "$1" -o json | jq -r '"\(.spec.podId) \(.spec.cidr)"')" = "null $2" ]
}

# ------------------------------------------------------------------------------- fixed addresses
subnet fixed 10.70.0.0/24 'ipDelayReuse: 3600' \
	'ranges: [{rangeStart: 10.70.0.10, rangeEnd: 10.70.0.15}]' | k apply -f - >/dev/null
LAN='tandem-cni.io/subnet: fixed'

workload Deployment kept 0 "$LAN, tandem-cni.io/ip: 10.70.0.10-10.70.0.11-10.70.0.12" | k apply -f - >/dev/null
check "addresses of a workload at 0 replicas count as reserved" wait_for 10 status_is fixed reserved 3
same "and not as free" 3 "$(k get macvlansubnet -n kube-system fixed -o jsonpath='{.status.free}')"
pods 51 54 fixed | k create -f - >/dev/null
check "automatic pods get the others" wait_for 10 served_is 3
same "and none of the named ones" "10.70.0.13/24 10.70.0.14/24 10.70.0.15/24" \
	"$(records | awk '{ print $2 }' | sort | xargs)"
check "the fourth is told that there is none" wait_for 10 told SubnetExhausted 'MacvlanSubnet fixed has no free address'

k scale deployment kept --replicas=4 >/dev/null
check "each replica one of the list" wait_for 20 cards_are kept "10.70.0.10/24 10.70.0.11/24 10.70.0.12/24"
check "one replica too many is told" wait_for 10 told AddressInUse '10.70.0.10-10.70.0.11-10.70.0.12'
k scale deployment kept --replicas=3 >/dev/null
three() { [ "$(k get pods -l app=kept -o name | wc -l)" -eq 3 ] && cards_are kept "10.70.0.10/24 10.70.0.11/24 10.70.0.12/24"; }
check "back to as many as there are addresses" wait_for 30 after_play three

victim=$(k get pods -l app=kept -o json | jq -r '.items[0].metadata.name')
k delete pod "$victim" --wait=false >/dev/null
replaced() { ! k get pod "$victim" >/dev/null 2>&1 && three; }
check "a replacement has the address although it cools down for an hour" wait_for 30 after_play replaced

workload Deployment rival 1 "$LAN, tandem-cni.io/ip: 10.70.0.11" | k apply -f - >/dev/null
check "another workload that names it is told whose it is" wait_for 20 \
	told AddressReserved '10.70.0.11 is reserved by the pod template of Deployment default/kept'
k apply -f <(pods 59 59 fixed "tandem-cni.io/ip: 10.70.0.12") >/dev/null
check "and so is a bare pod" wait_for 10 told AddressReserved '10.70.0.12 is reserved by the pod template of Deployment default/kept'
k delete pod p59 --force --grace-period=0 >/dev/null 2>&1

k delete deployment kept --wait=false >/dev/null
check "the workload goes, its pods with it" wait_for 30 after_play pods_gone kept
check "its addresses cool down, but for the one that another names" wait_for 10 status_is fixed cooling 2
check "which has it now" wait_for 20 cards_are rival 10.70.0.11/24
k scale deployment rival --replicas=0 >/dev/null
check "kept for it while it cools" wait_for 20 after_play pods_gone rival
k delete deployment rival --wait=false >/dev/null
check "it goes" wait_for 30 after_play pods_gone rival
finish 51 54
check "all are gone" wait_for 20 no_records
same "a used address cools down" 6 "$(k get macvlansubnet -n kube-system fixed -o jsonpath='{.status.cooling}')"
before=$(k get macvlansubnet -n kube-system fixed -o jsonpath='{.status.allocation.cooling}')
controller_bounce
check "the controller starts again" wait_for 20 status_is fixed allocation.holder \
	"$(k get macvlansubnet -n kube-system fixed -o jsonpath='{.status.allocation.holder}')"
same "and the times stand" "$before" \
	"$(k get macvlansubnet -n kube-system fixed -o jsonpath='{.status.allocation.cooling}')"
k delete macvlansubnet -n kube-system fixed --timeout=20s >/dev/null

# Every kind keeps what it names, also where it has no pod: none of these makes one.
subnet kinds 10.72.0.0/24 'ranges: [{rangeStart: 10.72.0.10, rangeEnd: 10.72.0.19}]' | k apply -f - >/dev/null
template() {
	printf 'template: {metadata: {labels: {app: %s}, annotations: {tandem-cni.io/subnet: kinds, tandem-cni.io/ip: %s}}, ' "$1" "$2"
	printf 'spec: {restartPolicy: %s, nodeSelector: {none: such}, containers: [{name: c, image: none}]}}' "$3"
}
k apply -f - >/dev/null <<-YAML
	apiVersion: apps/v1
	kind: Deployment
	metadata: {name: none-deploy}
	spec: {replicas: 0, selector: {matchLabels: {app: none-deploy}}, $(template none-deploy 10.72.0.10 Always)}
	---
	apiVersion: apps/v1
	kind: StatefulSet
	metadata: {name: none-set}
	spec: {replicas: 0, serviceName: s, selector: {matchLabels: {app: none-set}}, $(template none-set 10.72.0.11 Always)}
	---
	apiVersion: apps/v1
	kind: DaemonSet
	metadata: {name: none-daemon}
	spec: {selector: {matchLabels: {app: none-daemon}}, $(template none-daemon 10.72.0.12 Always)}
	---
	apiVersion: batch/v1
	kind: Job
	metadata: {name: none-job}
	spec: {parallelism: 0, $(template none-job 10.72.0.13 Never)}
	---
	apiVersion: batch/v1beta1
	kind: CronJob
	metadata: {name: none-cron}
	spec: {schedule: "0 0 1 1 *", suspend: true, jobTemplate: {spec: {$(template none-cron 10.72.0.14 Never)}}}
YAML
check "all five kinds of workload keep what they name" wait_for 20 status_is kinds reserved 5
pods 81 86 kinds | k create -f - >/dev/null
check "automatic pods get the five others" wait_for 20 served_is 5
same "and those alone" "10.72.0.15/24 10.72.0.16/24 10.72.0.17/24 10.72.0.18/24 10.72.0.19/24" \
	"$(records | awk '{ print $2 }' | sort | xargs)"
for kind in deployment/none-deploy statefulset/none-set daemonset/none-daemon job/none-job cronjob/none-cron; do
	k delete "$kind" >/dev/null
done
sixth() { status_is kinds reserved 0 && status_is kinds free 4; }
check "they go, and the pod that waited is served at once" wait_for 20 sixth
finish 81 86
check "all are gone" wait_for 20 no_records
k delete macvlansubnet -n kube-system kinds --timeout=20s >/dev/null

# ------------------------------------------------------------------------------- StatefulSets
subnet sticky 10.71.0.0/24 'ipDelayReuse: 0' \
	'ranges: [{rangeStart: 10.71.0.10, rangeEnd: 10.71.0.19}]' | k apply -f - >/dev/null
LAN='tandem-cni.io/subnet: sticky'
workload StatefulSet web 3 "$LAN" | k apply -f - >/dev/null
have_three() { card web-0 && card web-1 && card web-2; }
check "three pods of a StatefulSet have cards" wait_for 20 have_three
card0=$(card web-0) card2=$(card web-2)
uid=$(k get pod web-0 -o jsonpath='{.metadata.uid}')
k delete pod web-0 --wait=false >/dev/null
check "a restart keeps address and MAC" wait_for 30 after_play came_back web-0 "$uid" "$card0"

k scale statefulset web --replicas=2 >/dev/null
k scale statefulset web --replicas=3 >/dev/null
sleep_free() { [ "$(k get macvlanips -o json | jq '[.items[] | select(.spec.cidr)] | length')" -ge 3 ]; }
check "scaled down and up at once, nothing is freed" sleep_free
check "and the pod has its card" wait_for 30 after_play card_is web-2 "$card2"

k scale statefulset web --replicas=0 >/dev/null
check "scaled to 0: its records go" wait_for 30 after_play gone macvlanip web-2
check "all of them" wait_for 10 no_records
k scale statefulset web --replicas=2 >/dev/null
have_two() { card web-0 && card web-1; }
check "scaled up again" wait_for 20 have_two
card0=$(card web-0) card1=$(card web-1)

uid=$(k get pod web-0 -o jsonpath='{.metadata.uid}')
k delete pod web-0 --force --grace-period=0 >/dev/null 2>&1
check "deleted by force: the next pod waits" wait_for 20 waits_held web-0 "$uid"
same "its record still names the former one" "$uid" "$(k get macvlanip web-0 -o jsonpath='{.spec.podId}')"
check "and is told why" wait_for 10 told FormerPodHoldsAddress 'an earlier pod of this name'
check "then it has the address that the name had" wait_for 30 card_is web-0 "$card0"
same "and asks the LAN first, since nobody saw the former card go" true \
	"$(k get macvlanip web-0 -o jsonpath='{.spec.conflictDetection}')"

# The machine is off, and an operator says so.
controller_slow() {
	stop "$pid_controller"
	start controller "$TANDEM_CONTROLLER_BIN" --kubeconfig "$DIR/controller.conf" \
		--release-after-terminal 2 --hold-unwitnessed 3600 --kube-api-qps 0 --attached-by pod-ip
}
controller_slow
check "the controller starts again, with an hour's hold" wait_for 20 card_is web-1 "$card1"
k delete pod web-1 --force --grace-period=0 >/dev/null 2>&1
check "held" wait_for 20 status_is sticky reserved 1
k taint node n1 node.kubernetes.io/out-of-service=nodeshutdown:NoExecute >/dev/null
check "out of service: the next pod has the address at once" wait_for 20 card_is web-1 "$card1"
k taint node n1 node.kubernetes.io/out-of-service- >/dev/null

k delete statefulset web --cascade=orphan >/dev/null
sleep_free2() { card_is web-0 "$card0" && card_is web-1 "$card1"; }
check "StatefulSet deleted, pods left alone: they keep their cards" sleep_free2
workload StatefulSet web 2 "$LAN" | k apply -f - >/dev/null
uid=$(k get pod web-1 -o jsonpath='{.metadata.uid}')
k delete pod web-1 --wait=false >/dev/null
check "made again, it keeps what its pods have" wait_for 30 after_play came_back web-1 "$uid" "$card1"

k delete statefulset web --cascade=foreground --wait=false >/dev/null
check "deleted in the foreground: pods are ending" wait_for 20 terminating_is default 2
same "their addresses are not free" 2 "$(k get macvlanips -o json | jq '[.items[] | select(.spec.cidr)] | length')"
check "until they have ended" wait_for 30 after_play no_records
check "the subnet counts ten free ones" wait_for 10 status_is sticky free 10

# A list: the ordinal is the index; scaled to 0 by deletion of its pods alone the record waits vacant.
workload StatefulSet db 2 "$LAN, tandem-cni.io/ip: 10.71.0.17-10.71.0.18, tandem-cni.io/mac: \"0a:00:00:00:00:17-0a:00:00:00:00:18\"" \
	'updateStrategy: {type: OnDelete}' |
	k apply -f - >/dev/null
check "a list is given by ordinal" wait_for 20 card_is db-1 "10.71.0.18/24 0a:00:00:00:00:18"
same "the first to the first" "10.71.0.17/24 0a:00:00:00:00:17" "$(card db-0)"
stop "$pid_kcm"
k delete pod db-0 --wait=false >/dev/null
check "its pod gone and none made: the record waits without one" wait_for 20 after_play vacant db-0 10.71.0.17/24
controller_bounce
check "a restarted controller keeps it" wait_for 20 status_is sticky used 2
check "still vacant" vacant db-0 10.71.0.17/24
kcm_up 'deployment,replicaset,statefulset,daemonset,job,namespace,garbagecollector,podgc'
check "the next pod has it" wait_for 30 card_is db-0 "10.71.0.17/24 0a:00:00:00:00:17"
k patch statefulset db --type merge -p '{"spec":{"template":{"metadata":{"annotations":{"tandem-cni.io/ip":"10.71.0.12-10.71.0.13","tandem-cni.io/mac":"auto"}}}}}' >/dev/null
k delete pod db-0 db-1 --wait=false >/dev/null
check "an edit of the list moves the pods" wait_for 40 after_play cards_are db "10.71.0.12/24 10.71.0.13/24"
k delete statefulset db --wait=false >/dev/null
check "it goes, and its addresses with it" wait_for 30 after_play no_records

# ------------------------------------------------------------------------------- what frees when
NS=passing
k create namespace passing >/dev/null
workload Deployment guest 2 "$LAN" | NS=passing k apply -f - >/dev/null
two() { [ "$(k get macvlanips -n passing -o json | jq '[.items[] | select(.spec.cidr)] | length')" -eq 2 ]; }
check "two pods in a namespace" wait_for 20 two
k delete namespace passing --wait=false >/dev/null
check "namespace deleted: pods are ending" wait_for 30 terminating_is passing 2
same "their addresses are not free" 2 "$(k get macvlansubnet -n kube-system sticky -o jsonpath='{.status.used}')"
check "until they have ended" wait_for 30 after_play status_is sticky free 10
check "and the namespace goes" wait_for 60 gone namespace passing
NS=default

pods 61 66 sticky | k create -f - >/dev/null
check "six pods" wait_for 20 served_is 6
# Something that holds the pod's own end up: without it the collector may be through with the pod before it has looked
# at the record, which then has an owner that stays, and stays with it.
k apply -f - >/dev/null <<-YAML
	apiVersion: v1
	kind: ConfigMap
	metadata:
	  name: holds-p61
	  finalizers: [tandem.test/hold]
	  ownerReferences: [{apiVersion: v1, kind: Pod, name: p61, blockOwnerDeletion: true, uid: $(k get pod p61 -o jsonpath='{.metadata.uid}')}]
YAML
k delete pod p61 --cascade=foreground --wait=false >/dev/null
k delete macvlanip p62 --wait=false >/dev/null
deleting() { [ -n "$(k get macvlanip "$1" -o jsonpath='{.metadata.deletionTimestamp}')" ]; }
check "pod deleted in the foreground: garbage collection asks for its record" wait_for 20 deleting p61
k patch configmap holds-p61 --type=merge -p '{"metadata":{"finalizers":null}}' >/dev/null
check "a record deleted by hand" wait_for 5 deleting p62
same "neither is free" 6 "$(k get macvlansubnet -n kube-system sticky -o jsonpath='{.status.used}')"
curls PATCH application/merge-patch+json \
	'{"status":{"phase":"Failed","reason":"Evicted","message":"The node was low on resource: memory."}}' \
	"$(pod_urls 63 63 /status)"
check "evicted: free after the grace, the pod object stays" wait_for 20 gone macvlanip p63
same "it stays" Evicted "$(k get pod p63 -o jsonpath='{.status.reason}')"
curls PATCH application/merge-patch+json '{"status":{"conditions":[{"type":"Ready","status":"Unknown"}]}}' \
	/api/v1/nodes/n1/status
unready() { [ "$(k get node n1 -o jsonpath='{.status.conditions[?(@.type=="Ready")].status}')" = Unknown ]; }
check "the node is NotReady" wait_for 5 unready
same "which frees nothing" "10.71.0" "$(card p64 | cut -d. -f1-3)"
curls PATCH application/merge-patch+json '{"status":{"phase":"Failed","reason":"NodeLost"}}' "$(pod_urls 64 64 /status)"
check "a phase that another wrote for its kubelet: held" wait_for 10 status_is sticky reserved 1
check "and then free" wait_for 20 gone macvlanip p64
k delete node n1 >/dev/null
check "node deleted: pod garbage collection takes its pods" wait_for 150 gone pod p65
check "whose addresses are held" wait_for 20 status_is sticky reserved 4
check "until the hold is over" wait_for 30 no_records
check "ten are free" wait_for 10 status_is sticky free 10

k apply -f - >/dev/null <<-YAML
	apiVersion: v1
	kind: Node
	metadata: {name: n1, labels: {lan: "yes"}}
YAML
curls PATCH application/merge-patch+json \
	'{"status":{"addresses":[{"type":"InternalIP","address":"192.168.100.11"}],"conditions":[{"type":"Ready","status":"True"}]}}' \
	/api/v1/nodes/n1/status
k delete macvlansubnet -n kube-system sticky --timeout=20s >/dev/null
stop "$pid_kcm"

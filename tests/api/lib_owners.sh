# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Part of controller.sh: fixed addresses are kept for owners of any kind: a CloneSet that the controller may not read, a
# Rollout behind its ReplicaSets, a bare ReplicaSet. This script plays their controllers, and pods that lie.

controller_alive || controller_up
# kind PLURAL KIND GROUP
kind() {
	cat <<-YAML
		---
		apiVersion: apiextensions.k8s.io/v1
		kind: CustomResourceDefinition
		metadata: {name: $1.$3}
		spec:
		  group: $3
		  scope: Namespaced
		  names: {plural: $1, kind: $2, singular: ${2,,}}
		  versions:
		  - name: v1alpha1
		    served: true
		    storage: true
		    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
	YAML
}
{ kind clonesets CloneSet apps.kruise.io && kind rollouts Rollout argoproj.io; } | k apply -f - >/dev/null
check "two kinds of others are served" k wait --for condition=established --timeout=30s \
	crd/clonesets.apps.kruise.io crd/rollouts.argoproj.io
k create clusterrole rollouts-reader --verb=get --resource=rollouts.argoproj.io >/dev/null
k create clusterrolebinding rollouts-reader --clusterrole=rollouts-reader \
	--serviceaccount=kube-system:tandem-controller >/dev/null
subnet own 10.82.0.0/24 'ipDelayReuse: 3600' 'ranges: [{rangeStart: 10.82.0.50, rangeEnd: 10.82.0.59}]' | k apply -f - >/dev/null
check "a subnet is ready" wait_for 10 ready_is own True

uid() { k get "$1" "$2" -n default -o jsonpath='{.metadata.uid}'; }
# owner VERSION KIND NAME UID
owner() { printf 'ownerReferences: [{apiVersion: %s, kind: %s, name: %s, uid: %s, controller: true}]' "$@"; }
# own_pod NAME IP OWNER
own_pod() {
	printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: default, annotations: {tandem-cni.io/subnet: own%s}%s}\n' \
		"$1" "${2:+, tandem-cni.io/ip: $2}" "${3:+, $3}"
	printf 'spec: {nodeName: n1, containers: [{name: c, image: none}]}\n'
}
own_end() {
	k delete pod "$1" --wait=false >/dev/null
	curls PATCH application/merge-patch+json "$TERMINATED" "/api/v1/namespaces/default/pods/$1/status"
	curls DELETE application/json '{"gracePeriodSeconds":0}' "/api/v1/namespaces/default/pods/$1"
	wait_for 10 gone macvlanip "$1"
}
address_is() { [ "$(k get macvlanip "$1" -o jsonpath='{.spec.cidr}' 2>/dev/null)" = "$2" ]; }
kept_for() { k get macvlansubnet -n kube-system own -o json | jq -r '.status.allocation.claimed[]?.by'; }

# With no right to read it: who says the same owner gets the address.
printf 'apiVersion: apps.kruise.io/v1alpha1\nkind: CloneSet\nmetadata: {name: web, namespace: default}\n' | k apply -f - >/dev/null
web=$(owner apps.kruise.io/v1alpha1 CloneSet web "$(uid clonesets.apps.kruise.io web)")
own_pod c1 10.82.0.50 "$web" | k apply -f - >/dev/null
check "a CloneSet's pod has its address" wait_for 5 address_is c1 10.82.0.50/24
same "which is kept for it" "CloneSet default/web apps.kruise.io/v1alpha1 $(uid clonesets.apps.kruise.io web)" "$(kept_for)"
own_end c1
own_pod b1 10.82.0.50 | k apply -f - >/dev/null
check "not for a bare pod" wait_for 5 event_is b1 AddressReserved
same "which is told for whom" "annotation tandem-cni.io/ip: 10.82.0.50 is reserved by the pod template of CloneSet default/web; choose another address or remove it there" \
	"$(event_is b1 AddressReserved)"
own_pod liar 10.82.0.50 "$(owner apps.kruise.io/v1alpha1 CloneSet web 11111111-2222-3333-4444-555555555555)" | k apply -f - >/dev/null
check "nor for a pod that names another UID" wait_for 5 event_is liar AddressReserved
own_pod liar2 10.82.0.50 "$(owner batch/v1 Nothing web "$(uid clonesets.apps.kruise.io web)")" | k apply -f - >/dev/null
check "nor for one that names another kind" wait_for 5 event_is liar2 AddressReserved
own_pod c2 10.82.0.50 "$web" | k apply -f - >/dev/null
check "its next pod has it at once, though it would cool for an hour" wait_for 3 address_is c2 10.82.0.50/24
k delete pod b1 liar liar2 --force --grace-period=0 >/dev/null 2>&1

# ReplicaSets by turns, of one Rollout. Both are read.
printf 'apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: ro, namespace: default}\n' | k apply -f - >/dev/null
ro=$(owner argoproj.io/v1alpha1 Rollout ro "$(uid rollouts.argoproj.io ro)")
# replica_set NAME [OWNER]
replica_set() {
	printf 'apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: %s, namespace: default%s}\n' "$1" "${2:+, $2}"
	printf 'spec: {replicas: 0, selector: {matchLabels: {app: %s}}, template: {metadata: {labels: {app: %s}}, spec: {containers: [{name: c, image: none}]}}}\n' "$1" "$1"
}
replica_set ro-1 "$ro" | k apply -f - >/dev/null
replica_set ro-2 "$ro" | k apply -f - >/dev/null
own_pod r1 10.82.0.51 "$(owner apps/v1 ReplicaSet ro-1 "$(uid replicasets ro-1)")" | k apply -f - >/dev/null
check "a Rollout's pod has its address" wait_for 5 address_is r1 10.82.0.51/24
same "which is kept for the Rollout, not for the ReplicaSet" "Rollout default/ro argoproj.io/v1alpha1 $(uid rollouts.argoproj.io ro)" \
	"$(kept_for | grep Rollout)"
own_end r1
own_pod r2 10.82.0.51 "$(owner apps/v1 ReplicaSet ro-2 "$(uid replicasets ro-2)")" | k apply -f - >/dev/null
check "the next ReplicaSet's pod has it at once" wait_for 3 address_is r2 10.82.0.51/24
own_end r2
own_pod l3 10.82.0.51 "$(owner apps/v1 ReplicaSet ro-3 "$(uid replicasets ro-2)")" | k apply -f - >/dev/null
check "a ReplicaSet that does not exist makes nobody the Rollout's" wait_for 5 event_is l3 AddressReserved
k delete pod l3 --force --grace-period=0 >/dev/null 2>&1
own_pod r3 10.82.0.52 "$(owner apps/v1 ReplicaSet ro-2 "$(uid replicasets ro-2)")" | k apply -f - >/dev/null
check "a pod that names another address shows a new template" wait_for 5 address_is r3 10.82.0.52/24
own_pod b2 10.82.0.51 | k apply -f - >/dev/null
check "what it does not name any more is not kept" wait_for 5 event_is b2 AddressInUse
k delete pod b2 --force --grace-period=0 >/dev/null 2>&1

# A bare ReplicaSet, and a new leader.
replica_set bare | k apply -f - >/dev/null
bare=$(owner apps/v1 ReplicaSet bare "$(uid replicasets bare)")
own_pod s1 10.82.0.53 "$bare" | k apply -f - >/dev/null
check "a bare ReplicaSet's pod has its address" wait_for 5 address_is s1 10.82.0.53/24
own_end s1
controller_bounce
own_pod s2 10.82.0.53 "$bare" | k apply -f - >/dev/null
check "the next one has it at once, after a restart" wait_for 20 address_is s2 10.82.0.53/24
own_end s2
own_end r3

# When the owner is gone, nothing is kept for it.
curls DELETE application/json '{"propagationPolicy":"Background"}' /apis/argoproj.io/v1alpha1/namespaces/default/rollouts/ro
controller_bounce
gone_from_claims() { ! kept_for | grep -q "$1"; }
own_pod x1 '' | k apply -f - >/dev/null
check "an owner that went keeps nothing" wait_for 20 gone_from_claims Rollout
k delete pod x1 --wait=false >/dev/null
own_end x1
own_end c2
check "nothing is left" wait_for 20 no_records
k delete macvlansubnet -n kube-system own >/dev/null
k delete crd clonesets.apps.kruise.io rollouts.argoproj.io >/dev/null
k delete clusterrolebinding rollouts-reader >/dev/null
for set in ro-1 ro-2 bare; do
	curls DELETE application/json '{"propagationPolicy":"Background"}' "/apis/apps/v1/namespaces/default/replicasets/$set"
done

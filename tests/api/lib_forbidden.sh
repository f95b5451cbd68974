# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Part of controller.sh: a quota refuses what the controller creates, and is lifted again; labels that policies ask
# -macvlan Services for. No controller manager counts here: the quotas' status is written by hand.

# One with another option than the parts before may have.
[ -z "${pid_controller:-}" ] || stop "$pid_controller"
candidate controller --leader-elect=false --copy-labels 'team,example.com/*'
subnet fb 10.81.0.0/24 'ipDelayReuse: 0' | k apply -f - >/dev/null
check "a subnet is ready" wait_for 10 ready_is fb True

# quota NAME RESOURCE: none of them
quota() {
	printf 'apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: %s, namespace: default}\nspec: {hard: {%s: 0}}\n' \
		"$1" "$2" | k apply -f - >/dev/null
	curls PATCH application/merge-patch+json "{\"status\":{\"hard\":{\"$2\":\"0\"},\"used\":{\"$2\":\"0\"}}}" \
		"/api/v1/namespaces/default/resourcequotas/$1/status"
	wait_for 10 refused_by_quota "$1" "$2"
}
# The server's own copy of it may be behind.
refused_by_quota() {
	! k create --dry-run=server -f - >/dev/null 2>&1 <<-YAML
		$(case $2 in
			*macvlanips*) printf 'apiVersion: tandem-cni.io/v1\nkind: MacvlanIP\nmetadata: {name: tried, namespace: default}\nspec: {subnet: fb}\n' ;;
			*) printf 'apiVersion: v1\nkind: Service\nmetadata: {name: tried, namespace: default}\nspec: {ports: [{port: 1}]}\n' ;;
		esac)
	YAML
}
svc_event_is() {
	k get events -n default --field-selector "involvedObject.name=$1,involvedObject.kind=Service,reason=$2" -o json |
		jq -re '.items | last | .message | strings'
}
fb_pod() {
	printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: default, labels: {app: fb}, annotations: {tandem-cni.io/subnet: fb}}\n' "$1"
	printf 'spec: {nodeName: n1, containers: [{name: c, image: none}]}\n'
}

quota records count/macvlanips.tandem-cni.io
fb_pod fb1 | k apply -f - >/dev/null
check "record: an event within 2 s" wait_for 2 event_is fb1 Forbidden
same "with the server's words" \
	"the API server refuses the pod's MacvlanIP, so the pod waits; it is tried again: POST /apis/tandem-cni.io/v1/namespaces/default/macvlanips: macvlanips.tandem-cni.io \"fb1\" is forbidden: exceeded quota: records, requested: count/macvlanips.tandem-cni.io=1, used: count/macvlanips.tandem-cni.io=0, limited: count/macvlanips.tandem-cni.io=0" \
	"$(event_is fb1 Forbidden)"
k delete resourcequota records >/dev/null
check "the quota is gone: the pod is served without a hand" wait_for 35 served_is 1

curls PATCH application/merge-patch+json '{"status":{"phase":"Running","podIP":"10.42.0.9","podIPs":[{"ip":"10.42.0.9"}]}}' \
	/api/v1/namespaces/default/pods/fb1/status
k apply -f - >/dev/null <<-YAML
	apiVersion: v1
	kind: Service
	metadata: {name: fb, namespace: default, labels: {team: net, example.com/tier: front, other: x}}
	spec: {selector: {app: fb}, ports: [{port: 43}]}
YAML
head_labels() { k get service fb-macvlan -o json | jq -c '.metadata.labels'; }
labels_are() { [ "$(head_labels)" = "$1" ]; }
check "the half of a Service has the labels that are asked for" wait_for 5 labels_are \
	'{"app.kubernetes.io/managed-by":"tandem-controller","example.com/tier":"front","tandem-cni.io/service":"fb","team":"net"}'
k label --overwrite service fb team=lan example.com/tier- >/dev/null
check "a change of them goes there, too" wait_for 5 labels_are \
	'{"app.kubernetes.io/managed-by":"tandem-controller","tandem-cni.io/service":"fb","team":"lan"}'

k delete service fb >/dev/null
k delete service fb-macvlan >/dev/null 2>&1
k apply -f - >/dev/null <<-YAML
	apiVersion: v1
	kind: Service
	metadata: {name: fb2, namespace: default}
	spec: {selector: {app: nobody}, ports: [{port: 43}]}
YAML
quota services count/services
k patch service fb2 --type merge -p '{"spec":{"selector":{"app":"fb"}}}' >/dev/null
check "Service: an event within 2 s" wait_for 2 svc_event_is fb2 Forbidden
same "with the server's words" \
	"the API server refuses Service fb2-macvlan; it is tried again: POST /api/v1/namespaces/default/services: services \"fb2-macvlan\" is forbidden: exceeded quota: services, requested: count/services=1, used: count/services=0, limited: count/services=0" \
	"$(svc_event_is fb2 Forbidden)"
k delete resourcequota services >/dev/null
half_there() { k get service fb2-macvlan >/dev/null 2>&1; }
check "the quota is gone: it is made without a hand" wait_for 35 half_there

# Endpoints are refused, not their Service.
k delete service fb2 fb2-macvlan >/dev/null 2>&1
k delete endpoints fb2-macvlan >/dev/null 2>&1
quota_endpoints() {
	printf 'apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: eps, namespace: default}\nspec: {hard: {count/endpoints: 0}}\n' | k apply -f - >/dev/null
	curls PATCH application/merge-patch+json '{"status":{"hard":{"count/endpoints":"0"},"used":{"count/endpoints":"0"}}}' \
		/api/v1/namespaces/default/resourcequotas/eps/status
}
quota_endpoints
k apply -f - >/dev/null <<-YAML
	apiVersion: v1
	kind: Service
	metadata: {name: fb3, namespace: default}
	spec: {selector: {app: fb}, ports: [{port: 43}]}
YAML
check "Endpoints: an event within 2 s" wait_for 2 svc_event_is fb3 Forbidden
same "that says which object" "the API server refuses Endpoints fb3-macvlan" "$(svc_event_is fb3 Forbidden | cut -d';' -f1)"
k delete resourcequota eps >/dev/null
eps_there() { k get endpoints fb3-macvlan >/dev/null 2>&1; }
check "the quota is gone: they are made without a hand" wait_for 35 eps_there
k delete service fb3 >/dev/null
finish_fb() {
	k delete pod fb1 --wait=false >/dev/null
	curls PATCH application/merge-patch+json "$TERMINATED" /api/v1/namespaces/default/pods/fb1/status
	curls DELETE application/json '{"gracePeriodSeconds":0}' /api/v1/namespaces/default/pods/fb1
}
finish_fb
check "nothing is left" wait_for 20 no_records
k delete macvlansubnet -n kube-system fb >/dev/null

# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Part of controller.sh: tandem is taken out of the cluster. The test plays the nodes. It runs with the rights of
# manifests/uninstall.yaml, and leaves a cluster in which everything is applied again.
[ -z "${pid_controller:-}" ] || stop "$pid_controller"
HOOK=127.0.0.1:$((PORT + 5))
U=system:serviceaccount:kube-system:tandem-uninstall
check "its account and Job are accepted" k apply --dry-run=server -f "$ROOT/manifests/uninstall.yaml"
k apply -f "$ROOT/manifests/uninstall.yaml" >/dev/null
k delete job -n kube-system tandem-uninstall >/dev/null
# A token for that account, from the API server itself.
as_uninstall() {
	local token
	token=$(k create --raw /api/v1/namespaces/kube-system/serviceaccounts/tandem-uninstall/token -f - <<<'{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}' | jq -r .status.token)
	kubeconfig "$token" "$API" uninstall
}
as_uninstall
# uninstall ARG...: its log in uninstall.log, its status in RC
uninstall() {
	timeout 60 "$TANDEM_CONTROLLER_BIN" uninstall --kubeconfig "$DIR/uninstall.conf" "$@" >"$DIR/uninstall.log" 2>&1
	RC=$?
}
tells() { grep -qF -e "$1" "$DIR/uninstall.log"; }
state() { # state NODE VALUE|-: as tandem-node says it
	if [ "$2" = - ]; then k annotate node "$1" tandem-cni.io/node- >/dev/null; else
		k annotate --overwrite node "$1" "tandem-cni.io/node={\"state\":\"$2\"}" >/dev/null
	fi
}
told_to_remove() { [ "$(k get configmap -n kube-system tandem-cluster -o jsonpath='{.data.uninstall}')" = true ]; }
conf() { k get validatingwebhookconfiguration tandem-controller "$@"; }

candidate lead --webhook-url "https://$HOOK" --webhook-bind-address "$HOOK"
check "a controller leads, with a webhook" wait_for 30 conf
subnet leaving 10.79.0.0/24 'ranges: [{rangeStart: 10.79.0.10, rangeEnd: 10.79.0.29}]' 'ipDelayReuse: 0' | k apply -f - >/dev/null
pods 2001 2012 leaving | k create -f - >/dev/null
check "twelve pods are served" wait_for 30 served_is 12
state n1 installed
k apply -f - >/dev/null <<-YAML
	apiVersion: v1
	kind: Service
	metadata: {name: made-macvlan, namespace: default, labels: {tandem-cni.io/service: made, app.kubernetes.io/managed-by: tandem-controller}}
	spec: {clusterIP: None, ports: [{port: 43}]}
	---
	apiVersion: v1
	kind: Service
	metadata: {name: users-own, namespace: default, labels: {tandem-cni.io/service: made}}
	spec: {clusterIP: None, ports: [{port: 43}]}
	---
	apiVersion: v1
	kind: Endpoints
	metadata: {name: made-macvlan, namespace: default, labels: {tandem-cni.io/service: made, app.kubernetes.io/managed-by: tandem-controller}}
YAML

# ---------------------------------------------------------------- pods have cards
uninstall
same "while pods have cards: refused" 1 "$RC"
check "named, the first ten" tells '12 pods have cards: default/p2001, default/p2002, default/p2003, default/p2004, default/p2005, default/p2006, default/p2007, default/p2008, default/p2009, default/p2010 and 2 more; delete them, or take --wait or --force'
check_fails "no node is told" told_to_remove
check "and the webhook stays" conf
uninstall --wait --force
same "both ways at once" 2 "$RC"
k create configmap -n kube-system tandem-journal-0 --from-literal=head=x >/dev/null
k create configmap -n kube-system tandem-journal-15 --from-literal=head=x >/dev/null
start waits "$TANDEM_CONTROLLER_BIN" uninstall --kubeconfig "$DIR/uninstall.conf" --wait --timeout 20s
check "waits for them" wait_for 20 grep -q 'msg="waiting for pods with cards"' "$DIR/waits.log"
finish 2001 2011
nap 2
check_fails "for the last one, too" told_to_remove
finish 2012 2012
check "then the nodes are told" wait_for 30 told_to_remove
check "the controller stops" wait_for 20 grep -q 'msg="stopped on request"' "$DIR/lead.log"
check "and the webhook goes" wait_for 20 gone validatingwebhookconfiguration tandem-controller
# Its kubelet starts it again.
candidate again --webhook-url "https://$HOOK" --webhook-bind-address "$HOOK"
check "one that is started meanwhile stands aside" wait_for 20 grep -q "standing aside" "$DIR/again.log"
check "what nodes have is waited for" kill -0 "$pid_waits"
state n1 removed
ended() { ! kill -0 "$pid_waits" 2>/dev/null; }
check "until the last node has said so" wait_for 30 ended
wait "$pid_waits"
same "the subnet is in the way of the definitions" 1 $?
check "and is named" grep -qF 'objects=macvlansubnets/kube-system/leaving' "$DIR/waits.log"
same "its finalizer is off" "" "$(k get macvlansubnet -n kube-system leaving -o jsonpath='{.metadata.finalizers}')"
same "no record is left" "" "$(k get macvlanips -A -o name)"
for one in 'lease -n kube-system tandem-controller' 'secret -n kube-system tandem-webhook-cert' 'svc made-macvlan' 'endpoints made-macvlan' \
	'validatingwebhookconfiguration tandem-controller' 'configmap -n kube-system tandem-journal-0' 'configmap -n kube-system tandem-journal-15'; do
	# shellcheck disable=SC2086
	check "gone: $one" gone $one
done
check "a user's own Service stays" k get svc users-own
same "the node's annotations are gone" "" "$(k get node n1 -o json | jq -r '.metadata.annotations // {} | keys[] | select(startswith("tandem"))')"

# ---------------------------------------------------------------- again, to the end
k delete macvlansubnet -n kube-system leaving --timeout=20s >/dev/null
uninstall --timeout 5s
same "run again, it comes to the end" 0 "$RC"
check "no kind is left" wait_for 20 gone crd macvlanips.tandem-cni.io
check "neither of them" wait_for 20 gone crd macvlansubnets.tandem-cni.io
uninstall --timeout 5s
same "and once more it has nothing to do" 0 "$RC"
check "nodes stay told, until tandem.yaml is deleted" told_to_remove

# ---------------------------------------------------------------- called off, by force, and nodes that are away
k apply -f "$ROOT/manifests/base/crds.yaml" -f "$ROOT/manifests/base/rbac.yaml" >/dev/null
k wait --for=condition=established --timeout=30s crd/macvlansubnets.tandem-cni.io crd/macvlanips.tandem-cni.io >/dev/null
k delete configmap -n kube-system tandem-cluster >/dev/null
check "the one that stands aside begins when it is called off" wait_for 30 grep -q 'msg="caches are filled' "$DIR/again.log"
subnet leaving 10.79.0.0/24 'ranges: [{rangeStart: 10.79.0.10, rangeEnd: 10.79.0.29}]' 'ipDelayReuse: 0' | k apply -f - >/dev/null
pods 2021 2022 leaving | k create -f - >/dev/null
check "two pods are served" wait_for 30 served_is 2
k apply -f - >/dev/null <<<'{"apiVersion":"v1","kind":"Node","metadata":{"name":"off"}}'
state off installed
state n1 removing
uninstall --force --timeout 3s
same "a node that is ready and says nothing is a failure" 1 "$RC"
check "which names it" tells '1 nodes have not said that tandem is gone: n1 (removing); look at tandem-node'
state n1 removed
uninstall --force --timeout 3s
same "by force: the records of what runs stay" 1 "$RC"
check "and are named" tells 'objects="macvlanips/default/p2021, macvlanips/default/p2022, macvlansubnets/kube-system/leaving"'
check "a node that is away is named, and passed over" tells 'nodes="off (installed)"'
same "they go with their pods" "" "$(k get macvlanips -o json | jq -r '.items[].metadata.finalizers // [] | .[]')"
same "whose they are" "Pod p2021 Pod p2022" "$(k get macvlanips -o json | jq -r '.items[].metadata.ownerReferences[] | "\(.kind) \(.name)"' | xargs)"
same "and the pods run" "p2021 p2022" "$(k get pods -o json | jq -r '.items[].metadata.name' | xargs)"

# ---------------------------------------------------------------- as it was
stop "$pid_again"
k delete configmap -n kube-system tandem-cluster >/dev/null
k delete pods p2021 p2022 --grace-period=0 --force >/dev/null 2>&1
k delete macvlanips --all >/dev/null
k delete macvlansubnet -n kube-system leaving --timeout=20s >/dev/null
k delete node off >/dev/null
k delete svc users-own >/dev/null
state n1 -
k delete -f "$ROOT/manifests/uninstall.yaml" >/dev/null 2>&1
same "its rights have gone with it" no "$(k auth can-i --as "$U" patch nodes 2>/dev/null)"
controller_up

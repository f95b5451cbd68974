# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Part of controller.sh: whose word counts about a record. An API server of 1.30 or later says which node the token of a
# pod belongs to; here an administrator says so by impersonation, which the API server puts in the same place.
HOOK=127.0.0.1:$((PORT + 5))
[ -z "${pid_controller:-}" ] || stop "$pid_controller"
candidate controller --leader-elect=false --webhook-url "https://$HOOK" --webhook-bind-address "$HOOK"
asked_at_status() {
	[ "$(k get validatingwebhookconfiguration tandem-controller -o json |
		jq -c '.webhooks[] | select(.name == "status.tandem-cni.io") | [.failurePolicy, .timeoutSeconds, .namespaceSelector, .rules]')" = \
		'["Ignore",2,{},[{"apiGroups":["tandem-cni.io"],"apiVersions":["v1"],"operations":["UPDATE"],"resources":["macvlanips/status"],"scope":"Namespaced"}]]' ]
}
check "the API server is to ask about statuses" wait_for 30 asked_at_status
subnet wire 10.86.0.0/24 'ipDelayReuse: 0' 'ranges: [{rangeStart: 10.86.0.10, rangeEnd: 10.86.0.19}]' | k apply -f - >/dev/null
pods 70 70 wire | k create -f - >/dev/null
has_address() { [ "$(k get macvlanip p70 -o jsonpath='{.spec.cidr}')" = 10.86.0.10/24 ]; }
check "a pod on n1 has an address" wait_for 20 has_address

# says TOKEN TYPE BODY [HEADER...]: a status of that record; the code, and the message where it is refused
says() {
	local token=$1 type=$2 body=$3 args=() one
	shift 3
	for one; do args+=(-H "$one"); done
	curl -s --max-time 20 --cacert "$DIR/tls.crt" -X PATCH -H "Authorization: Bearer $token" \
		-H "Content-Type: $type" "${args[@]}" -d "$body" -o "$DIR/said" -w '%{http_code}' \
		"$API/apis/tandem-cni.io/v1/namespaces/default/macvlanips/p70/status${QUERY:-}"
	jq -r 'if .kind == "Status" then " \(.message)" else "" end' "$DIR/said"
}
# of NODE...: the headers of the nodes' account, with a token of that node
of() {
	local node
	printf '%s\n' "Impersonate-User: $USER_NODE" "Impersonate-Group: system:authenticated"
	for node; do echo "Impersonate-Extra-authentication.kubernetes.io%2fnode-name: $node"; done
}
# from NODES TYPE BODY: said by a node's account, or by one that names several
from() {
	local headers=()
	# shellcheck disable=SC2046,SC2086 # a list
	mapfile -t headers < <(of $1)
	says admin "$2" "$3" "${headers[@]}"
}
phase() { k get macvlanip p70 -o jsonpath='{.status.phase}'; }
MERGE=application/merge-patch+json
attached='{"status":{"phase":"Attached"}}'
conflict='{"status":{"phase":"Conflict","message":"in use by 0a:00:00:00:00:01"}}'
foreign() {
	printf '403 admission webhook "status.tandem-cni.io" denied the request: node "%s" may not write the status of MacvlanIP default/p70, which is of node "n1"' "$1"
}
answers() { [ "$(from n2 $MERGE "$conflict")" = "$(foreign n2)" ]; }
check "another node's word is refused" wait_for 20 answers
same "... and the record is as it was" "" "$(phase)"
same "its own node's counts" 200 "$(from n1 $MERGE "$attached")"
same "... and stands there" Attached "$(phase)"
same "another's, with a spec that says it is that one's" "$(foreign n2)" \
	"$(from n2 $MERGE '{"spec":{"node":"n2"},"metadata":{"labels":{"tandem-cni.io/node":"n2"}},"status":{"phase":"Conflict"}}')"
same "another's, by JSON patch" "$(foreign n2)" \
	"$(from n2 application/json-patch+json '[{"op":"add","path":"/status/phase","value":"Missing"}]')"
same "another's, applied by the server" "$(foreign n2)" "$(QUERY='?fieldManager=x&force=true' from n2 application/apply-patch+yaml \
	'{"apiVersion":"tandem-cni.io/v1","kind":"MacvlanIP","metadata":{"name":"p70"},"status":{"phase":"Missing"}}')"
same "another's, tried only" "$(foreign n2)" "$(QUERY='?dryRun=All' from n2 $MERGE "$conflict")"
same "one that names two nodes" "$(foreign '')" "$(from "n1 n2" $MERGE "$conflict")"
same "the card is down, says another" "$(foreign n2)" \
	"$(from n2 $MERGE "{\"status\":{\"cardDown\":\"$(k get macvlanip p70 -o jsonpath='{.spec.podId}')\"}}")"
same "all of that has changed nothing" '{"phase":"Attached"}' "$(k get macvlanip p70 -o json | jq -c .status)"
mapfile -t headers < <(of n1)
same "no node's account says that it is another" \
	"403 serviceaccounts \"tandem-node\" is forbidden: User \"$USER_NODE\" cannot impersonate resource \"serviceaccounts\" in API group \"\" in the namespace \"kube-system\"" \
	"$(says node $MERGE "$conflict" "${headers[@]}")"
same "the controller runs on a node, too, and may" 200 "$(says admin $MERGE "$attached" "Impersonate-User: $USER_CTL" \
	"Impersonate-Extra-authentication.kubernetes.io%2fnode-name: n2")"
same "a token that belongs to no node: allowed, as SECURITY.md says" 200 "$(says node $MERGE "$attached")"

# Without an answer a report is written all the same, at most two seconds later.
kill -STOP "$pid_controller"
before=$SECONDS
same "nobody answers: it is written" 200 "$(from n2 $MERGE "$attached")"
check "... in time" [ $((SECONDS - before)) -le 4 ]
kill -CONT "$pid_controller"
finish 70 70
check "all are freed" wait_for 20 no_records
k delete macvlansubnet -n kube-system wire --timeout=20s >/dev/null
stop "$pid_controller"
controller_up
check "a controller without webhook takes the configuration away" wait_for 30 gone validatingwebhookconfiguration tandem-controller

# What the accounts may not do, whatever they say.
may() { # may ACCOUNT VERB RESOURCE[/NAME] [ARG...]: yes or no
	local account=$1
	shift
	k auth can-i "$@" --as "$account" -n kube-system 2>/dev/null
	true
}
for one in "get secrets" "list pods" "patch pods" "delete macvlanips" "update macvlanips" "patch macvlansubnets" "list nodes" "create events" \
	"impersonate serviceaccounts" "get validatingwebhookconfigurations"; do
	# shellcheck disable=SC2086 # words
	same "a node's account: $one" no "$(may "$USER_NODE" $one)"
done
same "the controller reads its own Secret" yes "$(may "$USER_CTL" get secrets/tandem-webhook-cert)"
same "... and no other" no "$(may "$USER_CTL" get secrets/other)"
same "... nor all of them" no "$(may "$USER_CTL" list secrets)"
same "it changes its own webhook configuration" yes "$(may "$USER_CTL" patch validatingwebhookconfigurations/tandem-controller)"
same "... and no other" no "$(may "$USER_CTL" patch validatingwebhookconfigurations/other)"
same "the controller runs as nobody, on nothing that it could write, and outside of the host" \
	'true true ["ALL"] false null null null' "$(k create --dry-run=client -o json -f "$ROOT/manifests/base/controller.yaml" |
		jq -rc 'select(.kind == "Deployment").spec.template.spec | .containers[0].securityContext as $c |
			"\(.securityContext.runAsNonRoot) \($c.readOnlyRootFilesystem) \($c.capabilities.drop) \($c.allowPrivilegeEscalation) \(.hostNetwork) \(.hostPID) \($c.privileged)"')"
same "it asks for no tokens" no "$(may "$USER_CTL" create serviceaccounts --subresource token)"
# Such a token could belong to no node, and its bearer would speak for all.
same "nor does a node" no "$(may "$USER_NODE" create serviceaccounts/tandem-node --subresource token)"

# The same rule as a policy, and one for what a node may write to Nodes. This API server cannot run them: what is held
# against is that they are about the same requests and the same account as the webhook, that they are bound, and that the
# record's node is the stored one.
policy() { k kustomize "$ROOT/manifests/overlays/admission-policy"; }
# listed KEY: the values of that key, or the only element of its list, wherever it stands
listed() { policy | awk -v key="$1:" '{ sub(/^ *- /, "") } list { print; list = 0 } $1 == key { if (NF > 1) print $2; else list = 1 }' | xargs; }
same "the policies, and what binds them" "ValidatingAdmissionPolicy ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingAdmissionPolicyBinding" "$(listed kind)"
same "... by their names" "tandem-node-node tandem-node-status" "$(listed policyName)"
same "... and they refuse" "Deny Deny" "$(listed validationActions)"
same "they are about" "nodes macvlanips/status" "$(listed resources)"
same "... when" "UPDATE UPDATE" "$(listed operations)"
same "they are for the nodes' account" "$USER_NODE" "$(policy | grep -o 'system:serviceaccount:[a-z:-]*' | sort -u)"
same "the node is that of the stored record" "has(oldObject.spec.node) ? oldObject.spec.node : \"\"" \
	"$(policy | sed -n "s/^ *\(- \)\?expression: '\(has(oldObject.spec.node).*\)'$/\2/p")"

# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Part of controller.sh: kubectl macvlan why: what is broken, and the sentence. The controller is the real one; what
# kubelets and nodes would write is written here.
IPS=/apis/tandem-cni.io/v1/namespaces/default/macvlanips
m() { env -i PATH="$PATH" KUBECONFIG="$DIR/admin.conf" "$TANDEM_KUBECTL_BIN" "$@"; }

if controller_alive; then
	kill -9 "$pid_controller"
	wait "$pid_controller" 2>/dev/null
fi
clean_slate

# pod NAME ANNOTATIONS [SPEC]: bound to n1
pod() {
	printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: default, annotations: {%s}}\n' "$1" "$2"
	printf 'spec: {%s, containers: [{name: c, image: none}]}\n' "${3:-nodeName: n1}"
}
make() { pod "$@" | k create -f - >/dev/null; }
S=tandem-cni.io/subnet
# patch PATH JSON: as kubelets and nodes do
patch() { curls PATCH application/merge-patch+json "$2" "$1"; }
phase() { patch "$IPS/$1/status" "{\"status\":{\"phase\":\"$2\",\"message\":\"$3\"}}"; }
has_address() { [ -n "$(k get macvlanip "$1" -o jsonpath='{.spec.cidr}')" ]; }
# fails_setup NAME MESSAGE: the kubelet's event
fails_setup() {
	k create -f - >/dev/null <<-YAML
		apiVersion: v1
		kind: Event
		metadata: {name: $1.1, namespace: default}
		type: Warning
		reason: FailedCreatePodSandBox
		lastTimestamp: "$(date -u +%FT%TZ)"
		source: {component: kubelet}
		involvedObject: {kind: Pod, namespace: default, name: $1}
		message: 'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "x": plugin type="tandem" name="cbr0" failed (add): $2'
	YAML
}

# --------------------------------------------------------------------------- what is there
{
	subnet ok 10.60.0.0/24 'vlan: 60' 'ipDelayReuse: 600' 'ranges: [{rangeStart: 10.60.0.10, rangeEnd: 10.60.0.99}]'
	echo ---
	subnet picky 10.61.0.0/24 'vlan: 61' 'nodeSelector: {matchLabels: {lan: "no"}}'
	echo ---
	subnet private 10.62.0.0/24 'vlan: 62' 'allowedNamespaces: {matchLabels: {team: a}}'
	echo ---
	subnet bad 10.63.0.0/24 'vlan: 63' 'ranges: [{rangeStart: 10.2.0.1, rangeEnd: 10.2.0.1}]'
	echo ---
	subnet tiny 10.64.0.0/24 'vlan: 64' 'ranges: [{rangeStart: 10.64.0.10, rangeEnd: 10.64.0.10}]'
	echo ---
	subnet few 10.65.0.0/24 'vlan: 65' 'maxPerNamespace: 1' 'ranges: [{rangeStart: 10.65.0.10, rangeEnd: 10.65.0.19}]'
	echo ---
	subnet elsewhere 10.66.0.0/24 | sed 's/namespace: kube-system/namespace: default/'
	echo ---
	subnet going 10.67.0.0/24 'vlan: 67' | sed 's/namespace: kube-system/&, finalizers: [example.org\/stay]/'
} | k apply -f - >/dev/null
k apply -f - >/dev/null <<-YAML
	apiVersion: v1
	kind: Node
	metadata: {name: n2}
YAML
patch /api/v1/nodes/n2/status '{"status":{"conditions":[{"type":"Ready","status":"Unknown","message":"Kubelet stopped posting node status."}]}}'
k delete macvlansubnet -n kube-system going --wait=false >/dev/null
candidate controller --leader-elect=false --hold-unwitnessed 3600
check "the subnets are ready" wait_for 20 ready_is few True

make fine "$S: ok"
make first "$S: ok, tandem-cni.io/ip: 10.60.0.50, tandem-cni.io/mac: \"02:00:00:00:00:50\""
make full "$S: tiny"
make limit "$S: few"
make cooled "$S: ok, tandem-cni.io/ip: 10.60.0.60"
make former "$S: ok, tandem-cni.io/ip: 10.60.0.70"
for name in fine first full limit cooled former; do check "$name has an address" wait_for 20 has_address "$name"; done
# end_pod NAME: as its kubelet does
end_pod() {
	local url=/api/v1/namespaces/default/pods/$1
	curls DELETE application/json '{"gracePeriodSeconds":30}' "$url"
	curls PATCH application/merge-patch+json "$TERMINATED" "$url/status"
	curls DELETE application/json '{"gracePeriodSeconds":0}' "$url"
}
end_pod cooled
k delete pod former --force --grace-period=0 >/dev/null 2>&1
check "an address cools" wait_for 20 gone macvlanip cooled

# --------------------------------------------------------------------------- what is broken
make plain 'example.org/x: "y"'
make alone 'tandem-cni.io/ip: auto'
make badip "$S: ok, tandem-cni.io/ip: 10.60.0.x"
make host "$S: ok" 'nodeName: n1, hostNetwork: true'
make unbound "$S: ok" 'schedulerName: none'
patch /api/v1/namespaces/default/pods/unbound/status \
	'{"status":{"conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"0/2 nodes are available"}]}}'
make over "$S: ok"
patch /api/v1/namespaces/default/pods/over/status '{"status":{"phase":"Succeeded"}}'
make nosubnet "$S: nosuch"
make wrongplace "$S: elsewhere"
make invalid "$S: bad"
make going "$S: going"
make stranger "$S: private"
make farnode "$S: picky"
make nonode "$S: ok" 'nodeName: n9'
make makers "$S: ok, tandem-cni.io/mac: \"00:1c:42:00:00:05\""
make late 'example.org/x: "y"'
patch /api/v1/namespaces/default/pods/late/status '{"status":{"podIP":"10.42.0.9","podIPs":[{"ip":"10.42.0.9"}]}}'
k annotate pod late "$S=ok" >/dev/null
make outside "$S: ok, tandem-cni.io/ip: 10.60.0.1"
make taken "$S: ok, tandem-cni.io/ip: 10.60.0.50"
make cooling "$S: ok, tandem-cni.io/ip: 10.60.0.60"
make mac "$S: ok, tandem-cni.io/mac: \"02:00:00:00:00:50\""
make empty "$S: tiny"
make second "$S: few"
make former "$S: ok"
make sick "$S: ok" 'nodeName: n2'
make plugin "$S: ok"
make silent "$S: ok"
make naked "$S: ok"
make image "$S: ok"
make none "$S: none"
make racks "$S: \"picky,nosuch\""
make rackone "$S: \"picky,tiny\""
make rackfull "$S: \"tiny,few\""
make rackfree "$S: \"tiny,ok\""
k create namespace shop >/dev/null
k annotate namespace shop "$S=picky,tiny" >/dev/null
{
	pod byns 'example.org/x: "y"'
	echo ---
	pod hostns 'example.org/x: "y"' 'nodeName: n1, hostNetwork: true'
	echo ---
	pod ownns "$S: nosuch"
	echo ---
	pod oldns 'example.org/x: "y"' 'nodeName: n9'
} | sed 's/namespace: default/namespace: shop/' | k create -f - >/dev/null
patch /api/v1/namespaces/shop/pods/oldns/status '{"status":{"podIP":"10.42.0.9","podIPs":[{"ip":"10.42.0.9"}]}}'
for name in sick plugin silent naked image rackfree; do check "$name has an address" wait_for 20 has_address "$name"; done
fails_setup plugin 'master "ens4" does not exist on this node; correct spec.master of the MacvlanSubnet'
UP='"podIP":"10.42.0.9","podIPs":[{"ip":"10.42.0.9"}]'
patch /api/v1/namespaces/default/pods/naked/status "{\"status\":{$UP}}"
phase naked Missing "the pod has an IP, and its node reports no card"
phase image Attached ok
patch /api/v1/namespaces/default/pods/image/status \
	"{\"status\":{$UP,\"containerStatuses\":[{\"name\":\"c\",\"image\":\"i\",\"imageID\":\"\",\"restartCount\":0,\"ready\":false,\"state\":{\"waiting\":{\"reason\":\"ImagePullBackOff\"}}}]}}"
phase fine Attached ok
patch /api/v1/namespaces/default/pods/fine/status "{\"status\":{$UP}}"

held=$(k get macvlanip former -o json | jq -r '.metadata.annotations["tandem-cni.io/unwitnessed-since"] | fromdate + 3600 | todate')
cool=$(m ips -o json | jq -r '.items[] | select(.address == "10.60.0.60") | .until')

# --------------------------------------------------------------------------- and what is said of it
# why NAME STEP SENTENCE
why() {
	same "why $1" "$2: $3" "$(m why "$1" -o json | jq -r '"\(.steps[-1].what): \(.why)"')"
}
why absent pod "pod default/absent does not exist; is the namespace right?"
why plain annotations "pod default/plain asks for no card: it has no annotation tandem-cni.io/subnet; put it on the pod template, and recreate the pod"
why alone annotations "annotation tandem-cni.io/ip also needs annotation tandem-cni.io/subnet"
why badip annotations 'annotation tandem-cni.io/ip: "10.60.0.x": must be "auto", an address, or addresses joined by hyphens'
why host annotations "a pod with hostNetwork gets no card; remove the tandem-cni.io annotations"
why unbound pod "pod default/unbound is bound to no node, and gets an address when it is; the scheduler says: 0/2 nodes are available"
why over pod "pod default/over is over (Succeeded); a pod that is over has no card"
why nosubnet subnet "MacvlanSubnet nosuch does not exist in namespace kube-system; create it, or correct annotation tandem-cni.io/subnet"
why wrongplace subnet "MacvlanSubnet elsewhere stands in namespace default, and only those in namespace kube-system count; create it there"
why invalid subnet 'MacvlanSubnet bad is invalid: spec.ranges[0].rangeStart: "10.2.0.1" lies outside the cidr'
why going subnet "MacvlanSubnet going is being deleted and gives no new addresses; choose another subnet"
why stranger subnet "MacvlanSubnet private is for namespaces with team=a, which default does not have; choose another subnet, or label the namespace"
why farnode subnet "node n1 does not reach MacvlanSubnet picky, which is for nodes with lan=no; set such a nodeSelector in the pod"
why nonode subnet "the pod is bound to node n9, which does not exist; it gets an address when the Node does"
why makers subnet "annotation tandem-cni.io/mac: 00:1c:42:00:00:05 is not locally administered (2, 6, a or e as its second digit), and MacvlanSubnet ok has no allowAnyMAC"
why late annotations "the pod's network was set up before it was annotated; annotations are read when the pod is scheduled; recreate the pod"
why outside address "MacvlanSubnet ok does not give 10.60.0.1; choose one of its ranges"
why taken address "10.60.0.50 is pod default/first's; choose another address in annotation tandem-cni.io/ip, or delete that pod"
why cooling address "10.60.0.60 was just given back, and cools down; it can be given again at $cool"
why mac address "MAC 02:00:00:00:00:50 is pod default/first's; choose another in annotation tandem-cni.io/mac, or delete that pod"
why empty address "MacvlanSubnet tiny has no free address: of 1 1 are used, 0 reserved, 0 cooling; extend its ranges, or delete pods"
why second address "namespace default has 1 cards in MacvlanSubnet few, and may have 1 (maxPerNamespace); delete pods there, or raise it"
why former address "an earlier pod of this name still has 10.60.0.70, and nobody saw its card on node n1 go; it is held until $held; if that machine is certainly off: kubectl macvlan release 10.60.0.70 --node-is-off"
why sick node "node n2 is not ready: Kubelet stopped posting node status.; its kubelet starts nothing"
why plugin plugin 'on node n1: master "ens4" does not exist on this node; correct spec.master of the MacvlanSubnet'
why silent plugin "node n1 has not set the pod up yet, and its kubelet tells nothing; see kubectl describe pod -n default silent"
why naked card "the pod runs without its card, node n1 reports: tandem was not the node's CNI when it started; see kubectl macvlan status, then recreate the pod"
why image containers "the card is not to blame: a container waits (ImagePullBackOff); see kubectl describe pod -n default image"
FULL='MacvlanSubnet tiny has no free address: of 1 1 are used, 0 reserved, 0 cooling; extend its ranges, or delete pods'
FAR='node n1 does not reach MacvlanSubnet picky, which is for nodes with lan=no; set such a nodeSelector in the pod'
why none annotations "pod default/none asks for no card: annotation tandem-cni.io/subnet says none; name a MacvlanSubnet there, and recreate the pod"
why racks subnet "none of the 2 subnets that it names will do; picky: $FAR; nosuch: MacvlanSubnet nosuch does not exist in namespace kube-system; create it, or correct annotation tandem-cni.io/subnet"
why rackone address "$FULL"
# step NAME WHAT: the text of a step that is not the last
step() { m why "$1" -o json | jq -r --arg what "$2" '.steps[] | select(.what == $what) | .text'; }
same "the one that will do, and why not the others" "MacvlanSubnet tiny is for this pod and its node; not picky: $FAR" "$(step rackone subnet)"
why rackfull address "none of the 2 subnets that it may have has an address for it; tiny: $FULL; few: namespace default has 1 cards in MacvlanSubnet few, and may have 1 (maxPerNamespace); delete pods there, or raise it"
why rackfree plugin "node n1 has not set the pod up yet, and its kubelet tells nothing; see kubectl describe pod -n default rackfree"
why shop/byns address "$FULL"
same "a namespace's default" "MacvlanSubnet tiny, the default of namespace shop, is for this pod and its node; not picky: $FAR" "$(step shop/byns subnet)"
why shop/hostns annotations "a pod with hostNetwork gets no card, and the default of namespace shop is not for it"
why shop/ownns subnet "MacvlanSubnet nosuch does not exist in namespace kube-system; create it, or correct annotation tandem-cni.io/subnet"
why shop/oldns annotations "the pod's network was set up without a card, before namespace shop had a default; recreate the pod"
same "why fine" "pod ok default/fine is bound to node n1
address ok MacvlanIP default/fine has $(k get macvlanip fine -o jsonpath='{.spec.cidr}'), MAC $(k get macvlanip fine -o jsonpath='{.spec.mac}')
card ok its node reports the card
Nothing is wrong." "$(m why fine | tr -s ' ')"
wrong_is() { local rc=0; m why "$1" >/dev/null || rc=$?; [ "$rc" -eq "$2" ]; }
check "nothing wrong: 0" wrong_is fine 0
check "something wrong: 1" wrong_is plain 1
doc() {
	awk -v name="<!-- output: $1 -->" '$0 == name { on = 1; next } on && /^```/ { if (n++) exit; next } on && n { print }' \
		"$ROOT/docs/kubectl.md"
}
same "a table as well, as documented" "$(doc why)" "$(m why nosubnet)"
# Each block of these pages, as it is today; which address the pod got is chance.
for page in troubleshooting fixed-addresses subnets; do
	while read -r name; do
		same "docs/$page.md: $name" "$(awk -v name="<!-- output: why $name -->" \
			'$0 == name { on = 1; next } on && /^```/ { if (n++) exit; next } on && n { print }' "$ROOT/docs/$page.md")" \
			"$(m why "$name" | sed -E "s/ has [0-9.]+\/24, MAC [0-9a-f:]+$/ has ADDRESS, MAC ADDRESS/; s/$cool/TIME/")"
	done < <(sed -n 's/^<!-- output: why \(.*\) -->$/\1/p' "$ROOT/docs/$page.md")
done

# Nobody leads, and nothing else is wrong.
kill -9 "$pid_controller"
wait "$pid_controller" 2>/dev/null
make waits "$S: ok"
why waits controller "no controller has ever led: there is no Lease tandem-controller in namespace kube-system; is the Deployment there?; see kubectl macvlan status"
k delete pods -n shop --all --force --grace-period=0 >/dev/null 2>&1
k delete namespace shop --wait=false >/dev/null

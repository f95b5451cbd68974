# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Part of controller.sh: what kubectl-macvlan shows of subnets and addresses. This script plays the kubelets and nodes.
IPS=/apis/tandem-cni.io/v1/namespaces/default/macvlanips

# m ARG...: the program, as an administrator
m() { env -i PATH="$PATH" KUBECONFIG="$DIR/admin.conf" "$TANDEM_KUBECTL_BIN" "$@"; }
# doc NAME: the output that docs/kubectl.md has under that name
doc() {
	awk -v name="<!-- output: $1 -->" '$0 == name { on = 1; next } on && /^```/ { if (n++) exit; next } on && n { print }' \
		"$ROOT/docs/kubectl.md"
}
# phase NAME PHASE [MESSAGE]: what the node says about a record
phase() {
	jq -nc --arg phase "$2" --arg message "${3:-}" \
		'{status: {phase: $phase, message: (if $message == "" then null else $message end)}}' |
		curl -sS -o /dev/null -X PATCH --cacert "$DIR/tls.crt" -H "Authorization: Bearer admin" \
			-H "Content-Type: application/merge-patch+json" --data-binary @- "$API$IPS/$1/status"
}
# ends_with STATUS COMMAND...: its exit status
ends_with() {
	local want=$1 rc=0
	shift
	"$@" >/dev/null 2>&1 || rc=$?
	[ "$rc" -eq "$want" ]
}
state_of() { m ips -o json | jq -r --arg a "$1" '.items[] | select(.address == $a) | .state'; }
state_is() { [ "$(state_of "$1")" = "$2" ]; }

if controller_alive; then
	kill -9 "$pid_controller"
	wait "$pid_controller" 2>/dev/null
fi
clean_slate
same "without subnets" "there are no MacvlanSubnets in namespace kube-system" "$(m subnets 2>&1)"
same "without addresses" "no address is in use" "$(m ips 2>&1)"

subnet vlan100 192.168.100.0/24 'vlan: 100' 'ipDelayReuse: 600' \
	'ranges: [{rangeStart: 192.168.100.20, rangeEnd: 192.168.100.39}]' | k apply -f - >/dev/null
subnet broken 10.1.0.0/24 'ranges: [{rangeStart: 10.2.0.1, rangeEnd: 10.2.0.1}]' | k apply -f - >/dev/null
same "a subnet that no controller has seen" \
	"vlan100 192.168.100.0/24 [] unseen no controller has seen it: kubectl macvlan status" \
	"$(m subnets vlan100 -o wide --no-headers | awk '{ $2 = $3 = $5 = $7 = $8 = $9 = $11 = $12 = $13 = "" } 1' | tr -s ' ')"
candidate controller --leader-elect=false --hold-unwitnessed 3600
check "the subnets get a status" wait_for 20 status_is vlan100 free 20
# One after the other, so that each has the address of its number.
for ((i = 1; i <= 5; i++)); do
	pods "$i" "$i" vlan100 | k create -f - >/dev/null
	wait_for 10 served_is "$i"
done
check "five pods are served" served_is 5
phase p1 Attached
phase p2 Missing "the pod has an IP, and its node reports no card"
k delete pod p3 --force --grace-period=0 >/dev/null 2>&1
finish 4 4
phase p5 Conflict "in use by 0a:00:00:00:00:01"
check "another address after a conflict" wait_for 10 state_is 192.168.100.24 quarantined
check "held" wait_for 10 state_is 192.168.100.22 held
check "cooling" wait_for 10 state_is 192.168.100.23 cooling
phase p5 Attached
k apply -f - >/dev/null <<-YAML
	apiVersion: apps/v1
	kind: Deployment
	metadata: {name: web, namespace: default}
	spec:
	  replicas: 0
	  selector: {matchLabels: {app: web}}
	  template:
	    metadata:
	      labels: {app: web}
	      annotations: {tandem-cni.io/subnet: vlan100, tandem-cni.io/ip: 192.168.100.30}
	    spec: {containers: [{name: c, image: none}]}
YAML
k create -f - >/dev/null <<-YAML
	apiVersion: v1
	kind: Pod
	metadata:
	  name: p9
	  namespace: default
	  labels: {app: web, pod-template-hash: "1"}
	  annotations: {tandem-cni.io/subnet: vlan100, tandem-cni.io/ip: 192.168.100.30}
	  ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-1, uid: "1", controller: true}]
	spec: {nodeName: n1, containers: [{name: c, image: none}]}
YAML
check "the Deployment's pod is served" wait_for 10 state_is 192.168.100.30 allocated
finish 9 9
check "its address cools and is kept" wait_for 10 state_is 192.168.100.30 cooling

counts() { status_is vlan100 used 3 && status_is vlan100 cooling 3 && status_is vlan100 reserved 1; }
check "the subnet counts" wait_for 10 counts
same "subnets" "$(doc subnets)" "$(m subnets)"
same "why it is invalid" 'spec.ranges[0].rangeStart: "10.2.0.1" lies outside the cidr' \
	"$(m subnets broken -o json | jq -r '.items[0].reason')"
same "names" "macvlansubnet.tandem-cni.io/broken macvlansubnet.tandem-cni.io/vlan100" "$(m subnets -o name | xargs)"
check "a subnet that is not there: 1" ends_with 1 m subnets nosuch

until_gone() { sed -E 's/in (9m|[0-9]+m|[0-9]+s)/in N/'; }
same "ips" "$(doc ips)" \
	"$(m ips | until_gone | sed -E 's/UNTIL +WHY/UNTIL   WHY/; s/in N +/in N    /; s/n1     - +/n1     -       /')"
mac=$(k get macvlanip p1 -o jsonpath='{.spec.mac}')
uid=$(k get pod p1 -o jsonpath='{.metadata.uid}')
for filter in "--pod p1" "--mac $mac"; do
	# shellcheck disable=SC2086 # words
	same "ips $filter" "192.168.100.20" "$(m ips $filter -o json | jq -r '.items[].address')"
done
same "ips --node" 4 "$(m ips --node n1 --no-headers | wc -l)"
same "ips --subnet" "" "$(m ips --subnet other 2>/dev/null)"
same "ips -n" "" "$(m ips -n kube-system 2>/dev/null)"
same "names of records" "p1 p2 p3 p5" "$(m ips -o name | sed 's/.*\///' | xargs)"
since=$(k get macvlanip p1 -o jsonpath='{.metadata.creationTimestamp}')
same "yaml" "items:
- subnet: vlan100
  address: \"192.168.100.20\"
  state: attached
  namespace: default
  pod: p1
  podUID: $uid
  node: n1
  mac: \"$mac\"
  since: \"$since\"" "$(m ips --pod p1 -o yaml | sed "s/podUID: \"$uid\"/podUID: $uid/")"
held=$(k get macvlanip p3 -o json | jq -r '.metadata.annotations["tandem-cni.io/unwitnessed-since"] | fromdate + 3600 | todate')
same "until when it is held" "$held" "$(m ips --pod p3 -o json | jq -r '.items[0].until')"

same "who, by address" "Address:   192.168.100.20
Subnet:    vlan100
State:     attached
Pod:       default/p1
Pod UID:   $uid
Node:      n1
MAC:       $mac
Since:     $since" "$(m who 192.168.100.20)"
same "who, by MAC" "192.168.100.20" "$(m who "$mac" -o json | jq -r '.items[].address')"
same "who, by pod" "192.168.100.20" "$(m who p1 -o json | jq -r '.items[].address')"
same "who, by namespace and pod" "192.168.100.20" "$(m -n other who default/p1 -o json | jq -r '.items[].address')"
same "the gateway" "192.168.100.1 is the gateway of MacvlanSubnet vlan100" "$(m who 192.168.100.1)"
same "a free one" "192.168.100.39 is free in MacvlanSubnet vlan100" "$(m who 192.168.100.39)"
same "one outside the ranges" "192.168.100.99 lies in the network, outside the ranges, of MacvlanSubnet vlan100" \
	"$(m who 192.168.100.99)"
same "one of nobody's" "10.99.0.1 is in no MacvlanSubnet's network" "$(m who 10.99.0.1)"
check "of nobody: 1" ends_with 1 m who 10.99.0.1
same "a MAC of nobody's" "nobody has 02:00:00:00:00:99" "$(m who 02:00:00:00:00:99 2>&1)"

# --------------------------------------------------------------------------- the program itself
check "wrong usage: 2" ends_with 2 m ips --mac none
check "an unknown command: 2" ends_with 2 m nosuch
check "no API server: 3" ends_with 3 m --kubeconfig /nonexistent ips
esc=$(printf '\033')
same "no colours off a terminal" "" "$(m ips | grep "$esc")"
same "colours when asked for" "${esc}[32mattached${esc}[0m" "$(m ips --pod p1 --no-headers --color=always | grep -o "$esc\[32m.*0m")"
on_terminal() { script -qec "env -i ${2:-A=1} TERM=xterm KUBECONFIG=$DIR/admin.conf $TANDEM_KUBECTL_BIN $1" /dev/null; }
check "colours on a terminal" grep -q "$esc" <(on_terminal ips)
check_fails "not with NO_COLOR" grep -q "$esc" <(on_terminal ips NO_COLOR=1)
phase p2 Missing "${esc}[2J evil"
same "what others write cannot steer the terminal" "?[2J evil" "$(m ips --pod p2 --no-headers | sed 's/.*- *//')"
kubeconfig nobody
kubeconfig node
same "without the right to list: 3" "3" "$(m --kubeconfig "$DIR/nobody.conf" ips >/dev/null 2>&1; echo $?)"
# The node's account may list records and no subnets.
same "with the right to records alone: what pods have" "192.168.100.20 192.168.100.21 192.168.100.22 192.168.100.25" \
	"$(m --kubeconfig "$DIR/node.conf" ips -o json 2>/dev/null | jq -r '.items[].address' | xargs)"
same "--as" 3 "$(m --as nobody ips >/dev/null 2>&1; echo $?)"

# A credential plugin, and several files.
cat >"$DIR/login" <<-'SH'
	#!/bin/sh
	echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"admin"}}'
SH
chmod +x "$DIR/login"
cat >"$DIR/users.conf" <<-CONF
	users:
	- name: u
	  user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: ./login, interactiveMode: Never}}
CONF
same "a credential plugin" "192.168.100.20" \
	"$(KUBECONFIG=$DIR/users.conf:$DIR/nobody.conf "$TANDEM_KUBECTL_BIN" who p1 -o json | jq -r '.items[].address')"
ln -s "$TANDEM_KUBECTL_BIN" "$DIR/kubectl-macvlan"
same "kubectl finds it" "192.168.100.1 is the gateway of MacvlanSubnet vlan100" \
	"$(PATH=$DIR:$PATH KUBECONFIG=$DIR/admin.conf "$KUBE_BIN/kubectl" macvlan who 192.168.100.1)"

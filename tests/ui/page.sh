#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The page of kubectl macvlan ui in Debian's Chromium (drive.mjs), with a real API server and our webhook behind it. This
# script plays the kubelets. SHOTS=folder: what it looks like.
# shellcheck source=tests/ui/lib-page.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib-page.sh"
IPS=/apis/tandem-cni.io/v1/namespaces/default/macvlanips
UI=$ROOT/ui

for tool in node npm chromium; do
	if ! command -v "$tool" >/dev/null; then
		skip "the page in a browser" "no $tool: tools/setup.sh ui"
		exit 0
	fi
done
MODULES=$("$ROOT/tools/page.sh" modules dev) || { fail "modules" "see above" && exit 1; }
export MODULES

# ---------------------------------------------------------------- the source
jq -n --arg m "$MODULES" --arg ui "$(realpath "$UI")" \
	'{extends: "\($ui)/tsconfig.json", include: ["\($ui)/src"], compilerOptions: {paths: {preact: ["\($m)/preact"], "preact/*": ["\($m)/preact/*"]}}}' \
	>"$DIR/tsconfig.json"
check "its types fit" "$MODULES/.bin/tsc" -p "$DIR/tsconfig.json"
"$ROOT/tools/page.sh" build "$DIR/one"
# From another place: no path may be in it.
mkdir "$DIR/tree"
cp -r "$ROOT/tools" "$ROOT/ui" "$DIR/tree/"
"$DIR/tree/tools/page.sh" build "$DIR/two"
check "the same source makes the same bytes" diff -r "$DIR/one" "$DIR/two"
check_fails "no HTML is made of texts" grep -rnE 'innerHTML|dangerouslySet|insertAdjacent|document\.write|eval\(|new Function' "$UI/src"
same "preact is all that it runs" preact "$(grep -rhoE 'from "[a-z][^"]*"' "$UI/src" | sed -E 's/from "([^"\/]*).*/\1/' | sort -u)"
mkdir "$DIR/bin"
for tool in bash cat cut dirname env sha256sum mkdir cp rm mv flock uname; do ln -s "$(command -v "$tool")" "$DIR/bin/"; done
same "without node it is said what is missing" \
	"page: node is missing, which only kubectl-macvlan is built with: install Debian's package nodejs (tools/setup.sh ui)" \
	"$(PATH=$DIR/bin "$ROOT/tools/page.sh" build "$DIR/none" 2>&1)"

# ---------------------------------------------------------------- the cluster
phase() {
	curls PATCH application/merge-patch+json "{\"status\":{\"phase\":\"$2\"${3:+,\"message\":\"$3\"}}}" "$IPS/$1/status"
}
state_is() { [ "$(k get macvlanip "$1" -o jsonpath='{.spec.cidr}')" = "$2" ]; }
counts() { status_is lan used 2 && status_is lan cooling 2 && status_is lan quarantined 1; }

world_start
subnet lan 10.60.0.0/24 'vlan: 60' 'ipDelayReuse: 3600' 'exclude: [10.60.0.20]' \
	'ranges: [{rangeStart: 10.60.0.10, rangeEnd: 10.60.0.20}]' | k apply -f - >/dev/null
check "the subnet is served" wait_for 20 status_is lan free 10
k create -f - >/dev/null <<-YAML
	apiVersion: v1
	kind: Pod
	metadata:
	  name: p1
	  namespace: default
	  labels: {pod-template-hash: "1"}
	  annotations: {tandem-cni.io/subnet: lan}
	  ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-1, uid: "1", controller: true}]
	spec: {nodeName: n1, containers: [{name: c, image: none}]}
YAML
check "p1 is served" wait_for 10 state_is p1 10.60.0.10/24
for i in 2 3; do
	pods "$i" "$i" lan | k create -f - >/dev/null
	check "p$i is served" wait_for 10 state_is "p$i" "10.60.0.$((9 + i))/24"
done
finish 3 3
phase p2 Conflict "in use by 0a:00:00:00:00:01"
check "p2 has another address after a conflict" wait_for 10 state_is p2 10.60.0.13/24
phase p1 Attached
phase p2 Attached
pods 9 9 nosuch | sed 's/name: p9/name: lost/' | k create -f - >/dev/null
check "the subnet counts" wait_for 10 counts

# kubectl, and 5,000 records with addresses, for drive.mjs
printf '#!/bin/sh\nexec %q --kubeconfig %q --cache-dir %q "$@"\n' "$KUBE_BIN/kubectl" "$DIR/admin.conf" "$DIR/cache" >"$DIR/k"
cat >"$DIR/many" <<-SH
	#!/bin/bash
	kill -9 $pid_controller
	$DIR/k delete validatingwebhookconfiguration tandem-controller
	$DIR/k apply -f $DIR/many.yaml
	curl -sS --fail-early -K $DIR/many.curl
SH
chmod +x "$DIR/k" "$DIR/many"
subnet many 10.70.0.0/19 'ranges: [{rangeStart: 10.70.0.6, rangeEnd: 10.70.19.141}]' >"$DIR/many.yaml"
for ((i = 1; i <= 5000; i++)); do
	request POST "$IPS" /dev/null application/json \
		"{\"apiVersion\":\"tandem-cni.io/v1\",\"kind\":\"MacvlanIP\",\"metadata\":{\"name\":\"m$i\"},\"spec\":{\"subnet\":\"many\",\"podId\":\"m$i\",\"master\":\"ens4\",\"node\":\"<b>n$i</b>\",\"cidr\":\"10.70.$(((i + 5) / 256)).$(((i + 5) % 256))/19\",\"mac\":\"$(printf '02:00:00:00:%02x:%02x' $((i / 256)) $((i % 256)))\"}}"
done | sed '$d' >"$DIR/many.curl"

ui_start --request-timeout 30
MAC1=$(k get macvlanip p1 -o jsonpath='{.spec.mac}') || exit
export MAC1
# Its lines are counted as this script's.
URL=$UI_URL UI_PID=$pid_ui K=$DIR/k MANY=$DIR/many HOME=$DIR timeout 900 node "$(dirname "${BASH_SOURCE[0]}")/drive.mjs"
rc=$?
[ "$rc" -le 1 ] || fail "the browser's tests come to their end" "exit $rc"
[ "$rc" -eq 0 ]

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Puts tandem on the running test cluster by hand, step by step as docs/install.md says.
#
#   install.sh                everything: objects, controller, nodes
#   install.sh objects        CRDs, accounts and their rights
#   install.sh controller     the controller, as the component `controller` of cluster.sh
#   install.sh nodes          on each node the plugin, its kubeconfig, and last its conf
#
# Programs: TANDEM_BIN and TANDEM_CONTROLLER_BIN, by default those of build/static. The controller
# runs on the machine itself. A node's files are named as on a real node and lie below the folder
# that `cluster.sh dir` prints: n1/etc/cni/net.d/00-tandem.conflist and so on.
set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
TREE=$(cd "$HERE/../.." && pwd)
TANDEM_BIN=${TANDEM_BIN:-$TREE/build/static/tandem}
TANDEM_CONTROLLER_BIN=${TANDEM_CONTROLLER_BIN:-$TREE/build/static/tandem-controller}
NAMESPACE=kube-system
API_URL=https://10.99.0.254:6443

say() {
	echo "install: $*" >&2
}

die() {
	say "$*"
	exit 1
}

cluster() {
	"$HERE/cluster.sh" "$@"
}

# Arguments: file, mode; content on stdin. The file appears whole, under a temporary name without
# a conf suffix until then: runtimes watch these folders.
put() {
	local tmp
	tmp=$(mktemp "$(dirname "$1")/.tandem.XXXXXX")

	cat >"$tmp"
	chmod "$2" "$tmp"
	mv "$tmp" "$1"
}

objects() {
	cluster kubectl apply -f "$TREE/manifests/base/crds.yaml" -f "$TREE/manifests/base/rbac.yaml" >/dev/null
	cluster kubectl wait --for condition=established --timeout=30s \
		crd/macvlansubnets.tandem-cni.io crd/macvlanips.tandem-cni.io >/dev/null
	say "custom resources and accounts are there"
}

# Argument: service account. Prints a token of a day.
token() {
	local request=/api/v1/namespaces/$NAMESPACE/serviceaccounts/$1/token

	echo '{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest",
		"spec":{"expirationSeconds":86400}}' |
		cluster kubectl create --raw "$request" -f - | jq -re .status.token ||
		die "no token for the account $NAMESPACE/$1"
}

# Arguments: account, folder on this machine, the same folder as its reader names it.
account_files() {
	local account=$1 dir=$2 seen_as=$3

	mkdir -p "$dir"
	chmod 700 "$dir"
	put "$dir/ca.crt" 644 <"$LAB/pki/ca.crt"
	token "$account" | put "$dir/token" 600
	put "$dir/kubeconfig" 600 <<-CONF
		apiVersion: v1
		kind: Config
		clusters:
		- name: cluster
		  cluster:
		    server: $API_URL
		    certificate-authority: $seen_as/ca.crt
		users:
		- name: $account
		  user:
		    tokenFile: $seen_as/token
		contexts:
		- name: default
		  context: {cluster: cluster, user: $account}
		current-context: default
	CONF
}

# Elected as in production, by a lease that is short: tests kill the controller and start it again, and the
# next one waits until its predecessor's has run out.
controller() {
	local dir=$LAB/controller

	[ -x "$TANDEM_CONTROLLER_BIN" ] || die "no controller at $TANDEM_CONTROLLER_BIN ('make static')"
	account_files tandem-controller "$dir" "$dir"
	cp "$TANDEM_CONTROLLER_BIN" "$dir/tandem-controller.new"
	mv "$dir/tandem-controller.new" "$dir/tandem-controller"
	# Serving is: since its latest start it has filled its caches. Pods that end before that, a second
	# after they were deleted, are ones whose end it has not seen, and it then holds their addresses.
	cluster run controller \
		"tac '$LAB/log/controller.log' | awk '/allocation begins/ { f = 1 } /msg=started/ { exit } END { exit !f }'" \
		"$dir/tandem-controller" --kubeconfig "$dir/kubeconfig" --v=2 --attached-by=pod-ip \
		--leader-elect-lease-duration=10s --leader-elect-renew-deadline=8s --leader-elect-retry-period=1s
	say "the controller runs"
}

# The runtime's major version: containerd 2 also sends what came with CNI 1.1.0.
containerd_major() {
	"$(cat "$LAB/containerd")/containerd" --version | awk '{ sub(/^v/, "", $3); print int($3) }'
}

conf() {
	local version=0.4.0 no_check=true

	[ "$(containerd_major)" -lt 2 ] || version=1.1.0 no_check=false
	jq -n --arg version "$version" --argjson no_check "$no_check" '{
		cniVersion: $version, disableCheck: $no_check, name: "cbr0",
		plugins: [{
			type: "tandem",
			capabilities: ({"io.kubernetes.cri.pod-annotations": true} +
				(["portMappings", "bandwidth", "dns", "ipRanges", "ips", "mac",
				  "aliases", "cgroupPath", "infinibandGUID", "deviceID"] |
				 map({(.): true}) | add)),
			delegateFile: "/etc/cni/net.d/10-flannel.conflist",
			kubeconfig: "/etc/cni/net.d/tandem.d/kubeconfig",
			clusterCIDR: "10.42.0.0/16", serviceCIDR: "10.43.0.0/16",
			systemNamespace: "kube-system",
			stateDir: "/var/lib/cni/tandem", deadlineSeconds: 25,
			logFile: "/var/log/tandem.log", logLevel: "info"
		}]}'
}

nodes() {
	local node dir netd

	[ -x "$TANDEM_BIN" ] || die "no plugin at $TANDEM_BIN ('make static')"
	for dir in "$LAB"/n[0-9]*/; do
		node=$(basename "$dir")
		netd=$LAB/$node/etc/cni/net.d
		put "$LAB/$node/opt/cni/bin/tandem" 755 <"$TANDEM_BIN"
		account_files tandem-node "$netd/tandem.d" /etc/cni/net.d/tandem.d
		conf | put "$netd/00-tandem.conflist" 600
		say "$node: plugin, kubeconfig and conf are in place"
	done
}

LAB=$(cluster dir)
[ -d "$LAB/run" ] || die "no cluster; '$HERE/cluster.sh up' boots one"
if [ $# -eq 0 ]; then
	set -- objects controller nodes
fi
for part; do
	case $part in
	objects | controller | nodes) "$part" ;;
	*) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" && exit 2 ;;
	esac
done

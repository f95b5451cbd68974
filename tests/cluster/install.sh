#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs tandem on the running test cluster as docs/install.md says: images on the nodes, one apply.
#
#   install.sh                   everything, and waits until it is ready
#   install.sh images [VERSION]  brings the images to the nodes, by the name of another version
#   install.sh yaml [VERSION]    prints what is applied
#   install.sh ready             waits until what was applied is ready
#
# Programs: TANDEM_BUILD, by default build/static. Of the overlays the default one is used, on Kubernetes 1.20 its own.
set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
TREE=$(cd "$HERE/../.." && pwd)
: "${TANDEM_BUILD:=$TREE/build/static}"
PATIENCE=$((90 * ${TEST_TIME_FACTOR:-5}))
LAB=$("$HERE/cluster.sh" dir)

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

# The nodes are of this machine's architecture, and no other is looked for.
images() {
	local version=$1
	VERSION=$version REGISTRY=localhost ARCHES=amd64 "$TREE/tools/image.sh" "$(dirname "$TANDEM_BUILD")" \
		"$LAB/images/oci" tandem-controller tandem-node >/dev/null
	cluster load "$LAB"/images/oci/tandem-{controller,node}-"$version.oci.tar"
}

# A minute between two looks at everything is long for a test.
yaml() {
	local version=$1 overlay=default
	cluster kubectl get --raw /apis/policy/v1 >/dev/null 2>&1 || overlay=kubernetes-1.20
	cluster kubectl kustomize "$TREE/manifests/overlays/$overlay" |
		sed -E "s,(image: localhost/tandem-[a-z]+):.*,\1:$version,; s,^( *)- --host-root=/host$,&\n\1- --sweep-period=3,"
}

ready() {
	local what
	for what in deployment/tandem-controller daemonset/tandem-node; do
		cluster kubectl rollout status "$what" -n kube-system --timeout "${PATIENCE}s" >/dev/null || {
			cluster kubectl get pods -n kube-system -l app.kubernetes.io/name=tandem -o wide
			cluster kubectl get events -n kube-system --sort-by=.lastTimestamp | tail -n 20
			cluster kubectl logs -n kube-system -l app.kubernetes.io/name=tandem --tail 20
			die "$what is not ready after $PATIENCE s"
		} >&2
	done
}

[ -d "$LAB/run" ] || die "no cluster; '$HERE/cluster.sh up' boots one"
[ -x "$TANDEM_BUILD/tandem-node" ] || die "no programs in $TANDEM_BUILD ('make static')"
version=${2:-$(make -s --no-print-directory -C "$TREE" print-VERSION)}
case ${1:-} in
images | yaml) "$1" "$version" ;;
ready) ready ;;
"")
	images "$version"
	yaml "$version" >"$LAB/tandem.yaml"
	began=$SECONDS
	cluster kubectl apply -f "$LAB/tandem.yaml" >/dev/null
	ready
	say "ready $((SECONDS - began)) s after the apply"
	;;
*) die "unknown command '$1'" ;;
esac

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What is applied: dist/tandem.yaml, the overlays and the chart say the same, and give no container more than it needs.
# shellcheck disable=SC2016 # the variables are jq's
set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/image/lib.sh
. "$TESTS_ROOT/tests/image/lib.sh"

scratch DIR
cd "$TESTS_ROOT" || exit 1
build_render "$DIR/render" || { fail "the renderer" "does not build" && exit 1; }
VERSION=$VERSION tools/manifests.sh "$DIR/out" || { fail "make manifests" "fails" && exit 1; }

objects() { "$DIR/render" objects "$1"; }
# chart NAMESPACE VALUES: rendered in the order of tandem.yaml
chart() { "$DIR/render" chart "$CHART" "$1" "$2" rbac controller node; }
CHART=$DIR/out/tandem-$VERSION.tgz
# of FILE FILTER: a look at one of its objects, the template of a workload's pods being .spec.template.spec
of() { objects "$1" | jq -rc "$2"; }

# ------------------------------------------------------------------------------- tandem.yaml
same "the definitions come first" "CustomResourceDefinition CustomResourceDefinition" \
	"$(grep '^kind:' "$DIR/out/tandem.yaml" | head -n 2 | cut -d ' ' -f 2 | paste -sd ' ')"
check "tandem-crds.yaml is how it begins" cmp -n "$(stat -c %s "$DIR/out/tandem-crds.yaml")" \
	"$DIR/out/tandem-crds.yaml" "$DIR/out/tandem.yaml"
same "the images are those of make image" "localhost/tandem-node:$VERSION
localhost/tandem-controller:$VERSION" "$(of "$DIR/out/tandem.yaml" '.spec.template.spec | select(.)? | .containers[].image')"
same "nothing of the chart is left in it" "" "$(grep -nE '#\||\{\{' "$DIR/out/tandem.yaml")"
VERSION=9.9 REGISTRY=lan.example:5000/net tools/manifests.sh "$DIR/other"
same "another registry and version" "lan.example:5000/net/tandem-node:9.9
lan.example:5000/net/tandem-controller:9.9" "$(of "$DIR/other/tandem.yaml" '.spec.template.spec | select(.)? | .containers[].image')"
VERSION=$VERSION tools/manifests.sh "$DIR/again"
check "the same bytes twice" diff -r "$DIR/out" "$DIR/again"

# ------------------------------------------------------------------------------- least privileges
CONTAINERS='.kind as $kind | .spec.template.spec | select(.)? | . as $pod | .containers[] |'
same "requests are limits" '[true,true] node
[true,true] controller' "$(of "$DIR/out/tandem.yaml" "$CONTAINERS"' "\(.resources |
	[.requests == .limits, (.limits | has("cpu") and has("memory"))]) \(.name)"')"
same "seccomp, a root file system that is read-only, no way to more privileges" \
	'RuntimeDefault true false null node
RuntimeDefault true false null controller' "$(of "$DIR/out/tandem.yaml" "$CONTAINERS"' .name as $name | .securityContext |
	"\($pod.securityContext.seccompProfile.type) \(.readOnlyRootFilesystem) \(.allowPrivilegeEscalation) \(.privileged) \($name)"')"
same "capabilities" '["ALL"] ["NET_ADMIN","NET_RAW","SYS_ADMIN","SYS_CHROOT"] 0 node
["ALL"] null 65532 controller' "$(of "$DIR/out/tandem.yaml" "$CONTAINERS"' .name as $name |
	(.securityContext.runAsUser // $pod.securityContext.runAsUser) as $user | .securityContext.capabilities |
	"\(.drop) \(.add) \($user) \($name)"')"
same "the daemon is on every node" '[{"operator":"Exists"}] system-node-critical true 10%' \
	"$(of "$DIR/out/tandem.yaml" 'select(.kind == "DaemonSet") | .spec.updateStrategy.rollingUpdate.maxUnavailable as $max |
		.spec.template.spec | "\(.tolerations) \(.priorityClassName) \(.hostNetwork) \($max)"')"

# ------------------------------------------------------------------------------- overlays
for dir in manifests/overlays/*/; do
	name=$(basename "$dir")
	check "overlay $name: kubectl 1.20 renders it" kubectl_old kustomize "$dir"
	kubectl_old kustomize "$dir" >"$DIR/$name.yaml" 2>/dev/null
done
same "overlay default is tandem.yaml" "$(objects "$DIR/out/tandem.yaml")" "$(objects "$DIR/default.yaml")"
# changed OVERLAY: the objects of which it has another edition
changed() {
	comm -13 <(objects "$DIR/default.yaml") <(objects "$DIR/$1.yaml") | jq -r '"\(.apiVersion) \(.kind) \(.metadata.name)"'
}
same "overlay kubernetes-1.20" "policy/v1beta1 PodDisruptionBudget tandem-controller" "$(changed kubernetes-1.20)"
NODE='select(.kind == "DaemonSet") | .spec.template.spec |'
for name in k3s microk8s; do
	same "overlay $name changes the daemon alone" "apps/v1 DaemonSet tandem-node" "$(changed $name)"
	same "overlay $name: each volume is mounted" "true" "$(of "$DIR/$name.yaml" "$NODE"'
		([.volumes[].name] | sort) == ([.containers[].volumeMounts[].name] | unique)')"
	# The plugin is named by paths of the node, and the daemon has to see the same under the same name.
	same "overlay $name: mounted where it is on the node" "" "$(of "$DIR/$name.yaml" "$NODE"'
		(.volumes | map({key: .name, value: .hostPath.path}) | from_entries) as $path | .containers[].volumeMounts[] |
		select(.name | IN("host", "netns") | not) | select(.mountPath != $path[.name])')"
	same "overlay $name: what the arguments name is mounted" "true true true" "$(of "$DIR/$name.yaml" "$NODE"'
		.containers[0] | [.volumeMounts[].mountPath] as $mounts | [.args[] | capture("^--(conf|plugin|cni-bin-dir)=(?<p>.*)") |
		.p as $p | any($mounts[]; . as $m | ($p + "/") | startswith($m + "/"))] | join(" ")')"
done
same "overlay rke2" "apps/v1 Deployment tandem-controller" "$(changed rke2)"
same "overlay hostnetwork" "apps/v1 Deployment tandem-controller" "$(changed hostnetwork)"
same "overlay hostnetwork: ports" '[["webhook",19443],["metrics",19080]] true' "$(of "$DIR/hostnetwork.yaml" \
	'select(.kind == "Deployment") | .spec.template.spec | "\(.containers[0].ports | map([.name, .containerPort])) \(.hostNetwork)"')"

# ------------------------------------------------------------------------------- the chart
chart kube-system - >"$DIR/chart.yaml"
check "the chart's defaults render to the bytes of tandem.yaml" cmp "$DIR/chart.yaml" "$DIR/out/tandem.yaml"
cat >"$DIR/values.yaml" <<-YAML
	image: {registry: "lan.example:5000/net", tag: "7"}
	imagePullSecrets: [{name: login}]
	cniConfDir: /var/lib/rancher/k3s/agent/etc/cni/net.d
	cniBinDir: /var/lib/rancher/k3s/data/cni
	controller:
	  logLevel: 4
	  extraArgs: ["--quarantine=600"]
	  priorityClassName: high
	  nodeSelector: {}
	  tolerations: []
	  resources: {limits: {memory: 256Mi}, requests: {memory: 256Mi}}
	node:
	  tolerations: [{key: lan, operator: Exists}]
	  nodeSelector: {lan: "yes"}
YAML
chart network "$DIR/values.yaml" >"$DIR/set.yaml"
same "values: the controller" '["--system-namespace=network","--v=4","--quarantine=600"]
lan.example:5000/net/tandem-controller:7
[{"name":"login"}]
high
[null,{"kubernetes.io/os":"linux"},null]
{"limits":{"cpu":"250m","memory":"256Mi"},"requests":{"cpu":"250m","memory":"256Mi"}}' "$(of "$DIR/set.yaml" \
	'select(.kind == "Deployment") | .spec.template.spec | .containers[0].args, .containers[0].image, .imagePullSecrets,
	.priorityClassName, [.affinity, .nodeSelector, .tolerations], .containers[0].resources')"
same "values: the node" '["--conf=/var/lib/rancher/k3s/agent/etc/cni/net.d/00-tandem.conflist","--plugin=/var/lib/rancher/k3s/data/cni/tandem","--cni-bin-dir=/var/lib/rancher/k3s/data/cni","--host-root=/host","--v=2"]
["/var/lib/rancher/k3s/agent/etc/cni/net.d","/var/lib/rancher/k3s/data/cni"]
["/var/lib/rancher/k3s/agent/etc/cni/net.d","/var/lib/rancher/k3s/data/cni"]
[{"key":"lan","operator":"Exists"}]
{"kubernetes.io/os":"linux","lan":"yes"}' "$(of "$DIR/set.yaml" 'select(.kind == "DaemonSet") | .spec.template.spec |
	.containers[0].args, [.containers[0].volumeMounts[:2][].mountPath], [.volumes[:2][].hostPath.path], .tolerations, .nodeSelector')"
same "values: every object is in the release's namespace" "network" \
	"$(of "$DIR/set.yaml" '.metadata.namespace // empty, (.subjects // [])[].namespace' | sort -u)"
# refused NAME TEXT: values that the schema does not let pass
refused() {
	printf '%s\n' "$2" >"$DIR/bad.yaml"
	check_fails "schema refuses $1" chart kube-system "$DIR/bad.yaml"
}
refused "what it does not know" 'controller: {replicas: 3}'
refused "a path that is not absolute" 'cniBinDir: opt/cni/bin'
refused "an argument that is no flag" 'node: {extraArgs: [restart]}'
refused "a log level that is a word" 'node: {logLevel: debug}'
refused "a tag with a repository" 'image: {tag: "tandem:1"}'

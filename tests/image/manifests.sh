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

# ------------------------------------------------------------------------------- tandem-services
same "tandem-services is no part of tandem.yaml" "" "$(grep -l tandem-services "$DIR/out/tandem.yaml")"
same "tandem-services.yaml" "apps/v1 DaemonSet tandem-services
rbac.authorization.k8s.io/v1 ClusterRole tandem-services
rbac.authorization.k8s.io/v1 ClusterRoleBinding tandem-services
v1 ServiceAccount tandem-services" "$(of "$DIR/out/tandem-services.yaml" '"\(.apiVersion) \(.kind) \(.metadata.name)"')"
same "its rights: it reads, and tells of its node" "create:events
get,list,watch:endpointslices
get,list,watch:macvlansubnets
get,list,watch:services,endpoints" "$(of "$DIR/out/tandem-services.yaml" 'select(.kind == "ClusterRole") | .rules[] | "\(.verbs | join(",")):\(.resources | join(","))"' | sort)"
same "capabilities: bpf(2), the cgroup, setns(), RLIMIT_MEMLOCK" '["ALL"] ["BPF","NET_ADMIN","SYS_ADMIN","SYS_RESOURCE"] null false true services' \
	"$(of "$DIR/out/tandem-services.yaml" "$CONTAINERS"' .name as $name | .securityContext |
	"\(.capabilities.drop) \(.capabilities.add) \(.privileged) \(.allowPrivilegeEscalation) \(.readOnlyRootFilesystem) \($name)"')"
same "one container alone is privileged, mounts for the node, and ends" '[["mount",["mount"],true]] ["/run/tandem","/sys/fs/bpf"]' \
	"$(of "$DIR/out/tandem-services.yaml" 'select(.kind == "DaemonSet") | .spec.template.spec.initContainers |
	"\(map([.name, .args, .securityContext.privileged])) \([.[].volumeMounts[] | select(.mountPropagation == "Bidirectional") | .mountPath] | sort)"')"
same "no mount of the other one goes on to the node" "" \
	"$(of "$DIR/out/tandem-services.yaml" "$CONTAINERS"' .volumeMounts[] | select(.mountPropagation == "Bidirectional") | .mountPath')"
same "the pins are the node's, by a name that AppArmor lets be written" 'bpf /sys/fs/bpf /bpf --pins=/bpf/tandem' \
	"$(of "$DIR/out/tandem-services.yaml" "$CONTAINERS"' (.args[] | select(startswith("--pins"))) as $pins |
	.volumeMounts[] | select(.name == "bpf") | .mountPath as $to | $pod.volumes[] | select(.name == "bpf") | "\(.name) \(.hostPath.path) \($to) \($pins)"')"
same "requests are limits there, too" "true true" "$(of "$DIR/out/tandem-services.yaml" 'select(.kind == "DaemonSet") |
	.spec.template.spec | [(.initContainers + .containers)[] | .resources.requests == .resources.limits] | join(" ")')"
same "tandem-services-uninstall.yaml" '["unload","--stay"] true ["/sys/fs/bpf","/run/tandem"]' \
	"$(of "$DIR/out/tandem-services-uninstall.yaml" "$CONTAINERS"' "\(.args) \(.securityContext.privileged) \([.volumeMounts[] | select(.mountPropagation == "Bidirectional") | .mountPath])"')"

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
same "overlays k3s and microk8s: the daemon finds the folders" "" "$(changed k3s)$(changed microk8s)"
same "overlay rke2" "apps/v1 Deployment tandem-controller" "$(changed rke2)"
same "overlay hostnetwork" "apps/v1 Deployment tandem-controller" "$(changed hostnetwork)"
same "overlay hostnetwork: ports" '[["webhook",19443],["metrics",19080]] true' "$(of "$DIR/hostnetwork.yaml" \
	'select(.kind == "Deployment") | .spec.template.spec | "\(.containers[0].ports | map([.name, .containerPort])) \(.hostNetwork)"')"

same "overlay services is tandem-services.yaml" "$(objects "$DIR/out/tandem-services.yaml")" "$(objects "$DIR/services.yaml")"

# ------------------------------------------------------------------------------- the chart
chart kube-system - >"$DIR/chart.yaml"
check "the chart's defaults render to the bytes of tandem.yaml" cmp "$DIR/chart.yaml" "$DIR/out/tandem.yaml"
# services NAMESPACE VALUES: its objects alone
services() { "$DIR/render" chart "$CHART" "$1" "$2" services | sed "1,$(wc -l <"$DIR/out/tandem-crds.yaml")d"; }
same "tandem-services is off by default" "" "$(services kube-system - | grep -v '^#' | grep -v '^---$')"
echo 'services: {enabled: true}' >"$DIR/on.yaml"
services kube-system "$DIR/on.yaml" >"$DIR/chart-services.yaml"
same "services.enabled: the objects of tandem-services.yaml" "$(objects "$DIR/out/tandem-services.yaml")" "$(objects "$DIR/chart-services.yaml")"
cat >"$DIR/values.yaml" <<-YAML
	image: {registry: "lan.example:5000/net", tag: "7"}
	imagePullSecrets: [{name: login}]
	platform: k3s
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
same "values: the node" '["--install","--platform=k3s","--cni-conf-dir=/var/lib/rancher/k3s/agent/etc/cni/net.d","--cni-plugin-dir=/var/lib/rancher/k3s/data/cni","--host-root=/host","--metrics-bind-address=:19081","--v=2"]
[{"key":"lan","operator":"Exists"}]
{"kubernetes.io/os":"linux","lan":"yes"}' "$(of "$DIR/set.yaml" 'select(.kind == "DaemonSet") | .spec.template.spec |
	.containers[0].args, .tolerations, .nodeSelector')"
same "values: every object is in the release's namespace, but for Events of Nodes" "default
network" \
	"$(of "$DIR/set.yaml" '.metadata.namespace // empty, (.subjects // [])[].namespace' | sort -u)"
# refused NAME TEXT: values that the schema does not let pass
refused() {
	printf '%s\n' "$2" >"$DIR/bad.yaml"
	check_fails "schema refuses $1" chart kube-system "$DIR/bad.yaml"
}
cat >"$DIR/services-values.yaml" <<-YAML
	image: {registry: "lan.example:5000/net", tag: "7"}
	imagePullSecrets: [{name: login}]
	services:
	  enabled: true
	  logLevel: 4
	  extraArgs: ["--udp=false"]
	  tolerations: [{key: lan, operator: Exists}]
	  resources: {limits: {memory: 128Mi}, requests: {memory: 128Mi}}
YAML
services network "$DIR/services-values.yaml" >"$DIR/set-services.yaml"
same "values: services" '["--pins=/bpf/tandem","--metrics-bind-address=:19082","--v=4","--udp=false"]
["lan.example:5000/net/tandem-services:7","lan.example:5000/net/tandem-services:7"]
[{"name":"login"}] [{"key":"lan","operator":"Exists"}]
["128Mi","128Mi"]
network' "$(of "$DIR/set-services.yaml" 'select(.kind == "DaemonSet") | .metadata.namespace as $ns | .spec.template.spec |
	(.initContainers + .containers) as $all | .containers[0].args, ($all | map(.image)), "\(.imagePullSecrets) \(.tolerations)",
	($all | map(.resources.limits.memory)), $ns')"
refused "services that are switched on by a word" 'services: {enabled: "yes"}'
refused "what it does not know of services" 'services: {replicas: 1}'
refused "what it does not know" 'controller: {replicas: 3}'
refused "a path that is not absolute" 'cniBinDir: opt/cni/bin'
refused "an argument that is no flag" 'node: {extraArgs: [restart]}'
refused "a log level that is a word" 'node: {logLevel: debug}'
refused "a tag with a repository" 'image: {tag: "tandem:1"}'

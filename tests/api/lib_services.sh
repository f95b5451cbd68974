# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Part of controller.sh: headless Services for the second card, at an API server that serves Endpoints (1.20:
# EndpointSlices of v1 come with 1.21). The real controller manager makes pods and eth0's Endpoints, mirrors
# ours into slices and collects garbage; this script plays the kubelet.

svc_kcm() {
	kcm_up 'deployment,replicaset,statefulset,garbagecollector,endpoint,endpointslice,endpointslicemirroring'
}
svc_kcm
controller_alive || controller_up
subnet svc 10.80.0.0/16 'ipDelayReuse: 0' \
	'ranges: [{rangeStart: 10.80.0.10, rangeEnd: 10.80.3.250}]' | k apply -f - >/dev/null

# service NAME SELECTOR-LABEL PORTS [SPEC LINE...]
service() {
	local name=$1 app=$2 ports=$3 line
	shift 3
	cat <<-YAML
		---
		apiVersion: v1
		kind: Service
		metadata: {name: $name, namespace: default}
		spec:
		  selector: {app: $app}
		  ports: [$ports]
	YAML
	for line; do printf '  %s\n' "$line"; done
}

# svc_deploy NAME REPLICAS [ANNOTATIONS] [CONTAINER-PORTS]
svc_deploy() {
	cat <<-YAML
		---
		apiVersion: apps/v1
		kind: ${KIND:-Deployment}
		metadata: {name: $1, namespace: default}
		spec:
		  replicas: $2
		  ${KIND:+serviceName: $1}
		  selector: {matchLabels: {app: $1}}
		  template:
		    metadata: {labels: {app: $1}, annotations: {${3-tandem-cni.io/subnet: svc}}}
		    spec: {nodeName: n1, containers: [{name: c, image: none, ports: [${4:-}]}]}
	YAML
}

# svc_pod NAME APP ANNOTATIONS [CONTAINER-PORTS]
svc_pod() {
	cat <<-YAML
		---
		apiVersion: v1
		kind: Pod
		metadata: {name: $1, namespace: default, labels: {app: $2}, annotations: {$3}}
		spec: {nodeName: n1, containers: [{name: c, image: none, ports: [${4:-}]}]}
	YAML
}

# up POD IP [READY]: as the kubelet reports a pod that runs
up() {
	curls PATCH application/merge-patch+json \
		"{\"status\":{\"phase\":\"Running\",\"podIP\":\"$2\",\"podIPs\":[{\"ip\":\"$2\"}],\"conditions\":[{\"type\":\"Ready\",\"status\":\"${3:-True}\"}]}}" \
		"/api/v1/namespaces/default/pods/$1/status"
}

# all_up APP N: once the deployment has N pods, all of them run; true when they have been told
all_up() {
	local pod n=0
	for pod in $(app_pods "$1"); do
		n=$((n + 1))
		up "$pod" "10.42.0.$((10 + n))"
	done
	[ "$n" -eq "$2" ]
}
app_pods() {
	k get pods -l "app=$1" -o json |
		jq -r '.items[] | select(.metadata.deletionTimestamp == null) | .metadata.name' | sort
}
# ends APP: its pods that are being deleted end
ends() {
	local pod
	for pod in $(k get pods -l "app=$1" -o json |
		jq -r '.items[] | select(.metadata.deletionTimestamp) | .metadata.name'); do
		curls PATCH application/merge-patch+json \
			'{"status":{"phase":"Running","containerStatuses":[{"name":"c","image":"i","imageID":"","restartCount":0,"ready":false,"state":{"terminated":{"exitCode":0}}}]}}' \
			"/api/v1/namespaces/default/pods/$pod/status" 2>/dev/null
		curls DELETE application/json '{"gracePeriodSeconds":0}' "/api/v1/namespaces/default/pods/$pod" 2>/dev/null
	done
}

# eps NAME: "address:port" of its Endpoints, those that are not ready with "!", sorted; "-" where there is no object
eps() {
	k get endpoints "$1" -o json 2>/dev/null | jq -r '[.subsets[]? | (.ports // [{port: 0}]) as $p |
		((.addresses[]? | {ip, r: ""}), (.notReadyAddresses[]? | {ip, r: "!"})) as $a |
		$p[] | "\($a.ip):\(.port)\($a.r)"] | sort | join(" ")' | grep . || echo -
}
eps_are() { [ "$(eps "$1")" = "$2" ]; }
eps_count() { [ "$(eps "$1" | wc -w)" -eq "$2" ]; }
# addrs APP: "address:PORT" of the cards of its pods that are not being deleted, sorted
addrs() {
	local pod
	for pod in $(app_pods "$1"); do
		k get macvlanip "$pod" -o json | jq -r --arg p "$2" '"\(.spec.cidr | split("/")[0]):\($p)"'
	done | sort | xargs
}
lists_cards() { [ "$(eps "$1-macvlan")" = "$(addrs "$1" "$2")" ] && eps_count "$1-macvlan" "$3"; }
svc_is() { [ "$(k get svc "$1" -o jsonpath="$2")" = "$3" ]; }
svc_event() {
	k get events -o json | jq -re --arg n "$1" --arg r "$2" \
		'.items[] | select(.involvedObject.kind == "Service" and .involvedObject.name == $n and .reason == $r) | .message'
}

# ------------------------------------------------------------------------------- picture (d)
{ svc_deploy app2 2; service app2 app2 '{port: 43, protocol: TCP}'; } | k apply -f - >/dev/null
check "the Service comes with the pods' addresses" wait_for 20 svc_is app2-macvlan '{.spec.clusterIP}' None
check "pods that do not run yet are not published" wait_for 10 eps_are app2-macvlan -
check "two pods run" wait_for 20 all_up app2 2
check "then they are" wait_for 10 lists_cards app2 43 2
same "get svc" "app2-macvlan ClusterIP None <none> 43/TCP" \
	"$(k get svc app2-macvlan --no-headers | awk '{ print $1, $2, $3, $4, $5 }')"
same "get ep" "app2-macvlan $(addrs app2 43 | tr ' ' ',')" "$(k get ep app2-macvlan --no-headers | awk '{ print $1, $2 }')"
same "who made it, and for whom" '{"l":{"app.kubernetes.io/managed-by":"tandem-controller","tandem-cni.io/service":"app2"},"o":[{"apiVersion":"v1","kind":"Service","name":"app2"}],"s":null,"p":false}' \
	"$(k get svc app2-macvlan -o json | jq -c '{l: .metadata.labels, o: [.metadata.ownerReferences[] | del(.uid)],
		s: .spec.selector, p: (.spec.publishNotReadyAddresses // false)}')"
same "where an address leads" '{"kind":"Pod","namespace":"default","node":"n1"}' \
	"$(k get ep app2-macvlan -o json | jq -c '.subsets[0].addresses[0] | {kind: .targetRef.kind, namespace: .targetRef.namespace, node: .nodeName}')"
mirrored() {
	k get endpointslices -l kubernetes.io/service-name=app2-macvlan -o json |
		jq -e '[.items[] | select(.metadata.labels["endpointslice.kubernetes.io/managed-by"] == "endpointslicemirroring-controller.k8s.io") | .endpoints[]] | length == 2'
}
check "the mirroring controller makes slices of it" wait_for 20 mirrored
check "eth0's Endpoints stay as Kubernetes made them" wait_for 20 eps_are app2 "10.42.0.11:43 10.42.0.12:43"

# ------------------------------------------------------------------------------- network-status
pod=$(app_pods app2 | head -n 1)
netstatus() { k get pod "$1" -o json | jq -r '.metadata.annotations["k8s.v1.cni.cncf.io/network-status"] // ""'; }
mac=$(k get macvlanip "$pod" -o jsonpath='{.spec.mac}') addr=$(k get macvlanip "$pod" -o json | jq -r '.spec.cidr | split("/")[0]')
want='[{"name":"cluster-default","interface":"eth0","ips":["10.42.0.11"],"default":true,"dns":{}},{"name":"kube-system/svc","interface":"eth1","ips":["'$addr'"],"mac":"'$mac'","dns":{}}]'
netstatus_is() { [ "$(netstatus "$1")" = "$2" ]; }
check "network-status" wait_for 10 netstatus_is "$pod" "$want"
k annotate pod "$pod" --overwrite 'k8s.v1.cni.cncf.io/network-status=[{"name":"default/ib0","interface":"net1","ips":["10.9.9.9"]}]' >/dev/null
want='[{"name":"cluster-default","interface":"eth0","ips":["10.42.0.11"],"default":true,"dns":{}},{"name":"default/ib0","interface":"net1","ips":["10.9.9.9"]},{"name":"kube-system/svc","interface":"eth1","ips":["'$addr'"],"mac":"'$mac'","dns":{}}]'
check "what another tool wrote in it stays" wait_for 10 netstatus_is "$pod" "$want"

# ------------------------------------------------------------------------------- readiness
mapfile -t two < <(app_pods app2)
a=$(k get macvlanip "${two[0]}" -o json | jq -r '.spec.cidr | split("/")[0]')
b=$(k get macvlanip "${two[1]}" -o json | jq -r '.spec.cidr | split("/")[0]')
tests_now_ms begin
up "${two[0]}" 10.42.0.11 False
check "a failing probe: not ready" wait_for 5 eps_are app2-macvlan "$(printf '%s\n' "$a:43!" "$b:43" | sort | xargs)"
tests_now_ms end
echo "# published $((end - begin)) ms after the kubelet said so, kubectl's own time included"
up "${two[0]}" 10.42.0.11 True
check "ready again" wait_for 5 lists_cards app2 43 2
k patch svc app2 -p '{"spec":{"publishNotReadyAddresses":true}}' >/dev/null
check "publishNotReadyAddresses is followed" wait_for 5 svc_is app2-macvlan '{.spec.publishNotReadyAddresses}' true
up "${two[0]}" 10.42.0.11 False
sleep_stays() { lists_cards app2 43 2; }
check "and publishes what is not ready" wait_for 5 sleep_stays
up "${two[0]}" 10.42.0.11 True
k patch svc app2 -p '{"spec":{"publishNotReadyAddresses":false}}' >/dev/null
check "taken back" wait_for 5 svc_is app2-macvlan '{.spec.publishNotReadyAddresses}' ''

# ------------------------------------------------------------------------------- ports
k patch svc app2 --type json -p '[{"op":"replace","path":"/spec/ports","value":[{"name":"web","port":80,"targetPort":8080},{"name":"dns","port":53,"protocol":"UDP"}]}]' >/dev/null
check "an edit of the ports is followed" wait_for 5 svc_is app2-macvlan '{.spec.ports[*].name} {.spec.ports[*].port} {.spec.ports[*].targetPort} {.spec.ports[*].protocol}' 'web dns 80 53 8080 53 TCP UDP'
both_ports() { [ "$(eps app2-macvlan)" = "$(printf '%s\n' "$a:53" "$a:8080" "$b:53" "$b:8080" | sort | xargs)" ]; }
check "by the addresses too" wait_for 5 both_ports
k patch svc app2 --type json -p '[{"op":"replace","path":"/spec/ports/0/name","value":"http"}]' >/dev/null
check "a port renamed" wait_for 5 svc_is app2-macvlan '{.spec.ports[*].name}' 'http dns'
renamed() { [ "$(k get ep app2-macvlan -o json | jq -r '[.subsets[].ports[].name] | sort | join(" ")')" = "dns http" ]; }
check "everywhere" wait_for 5 renamed

# ------------------------------------------------------------------------------- rollout, 0 and back
k patch svc app2 --type json -p '[{"op":"replace","path":"/spec/ports","value":[{"port":43}]}]' >/dev/null
check "back to one port" wait_for 5 lists_cards app2 43 2
k patch deployment app2 -p '{"spec":{"template":{"metadata":{"labels":{"v":"2"}}}}}' >/dev/null
rolled() {
	all_up app2 2 || true
	ends app2
	[ "$(k get pods -l app=app2,v=2 -o name | wc -l)" -eq 2 ] && [ "$(app_pods app2 | wc -l)" -eq 2 ] && lists_cards app2 43 2
}
check "a rollout: the new pods' addresses" wait_for 40 rolled
k scale deployment app2 --replicas=0 >/dev/null
emptied() { ends app2 && eps_are app2-macvlan -; }
check "scaled to 0: none" wait_for 20 emptied
check "the Service stays, since the Deployment is there" svc_is app2-macvlan '{.spec.clusterIP}' None
uid=$(k get svc app2-macvlan -o jsonpath='{.metadata.uid}')
k scale deployment app2 --replicas=2 >/dev/null
check "and back" wait_for 20 all_up app2 2
check "two again" wait_for 10 lists_cards app2 43 2
same "the Service was never made again" "$uid" "$(k get svc app2-macvlan -o jsonpath='{.metadata.uid}')"

# ------------------------------------------------------------------------------- taken away by hand
k delete ep app2-macvlan >/dev/null
check "Endpoints deleted by hand come back" wait_for 5 lists_cards app2 43 2
k delete svc app2-macvlan >/dev/null
back() { [ "$(k get svc app2-macvlan -o jsonpath='{.metadata.uid}')" != "$uid" ] && lists_cards app2 43 2; }
check "so does the Service" wait_for 20 back
k patch svc app2-macvlan --type merge -p '{"spec":{"selector":{"app":"app2"},"ports":[{"port":44}]}}' >/dev/null
put_back() { svc_is app2-macvlan '{.spec.selector}{.spec.ports[*].port}' 43 && lists_cards app2 43 2; }
check "an edit by hand is put back" wait_for 5 put_back
k apply -f - >/dev/null 2>&1 <<-YAML
	apiVersion: discovery.k8s.io/v1beta1
	kind: EndpointSlice
	metadata:
	  name: app2-macvlan-0
	  namespace: default
	  labels: {kubernetes.io/service-name: app2-macvlan, endpointslice.kubernetes.io/managed-by: tandem-controller.tandem-cni.io}
	addressType: IPv4
	endpoints: [{addresses: [10.9.9.9]}]
	ports: []
YAML
check "a slice of ours, left from a server that has them, goes" wait_for 10 gone endpointslice app2-macvlan-0

# ------------------------------------------------------------------------------- switched off and on
k annotate svc app2 tandem-cni.io/macvlan-service=disabled >/dev/null
check "disabled by annotation: the Service goes" wait_for 5 gone svc app2-macvlan
check "and the Endpoints" wait_for 5 gone ep app2-macvlan
k annotate svc app2 tandem-cni.io/macvlan-service- >/dev/null
check "enabled again" wait_for 10 lists_cards app2 43 2
mapfile -t two < <(app_pods app2)
k annotate pod "${two[0]}" tandem-cni.io/macvlan-service=disabled >/dev/null
check "disabled on one pod: that one is left out" wait_for 5 eps_count app2-macvlan 1
k patch deployment app2 -p '{"spec":{"template":{"metadata":{"annotations":{"tandem-cni.io/macvlan-service":"disabled"}}}}}' >/dev/null
off() {
	all_up app2 2 || true
	ends app2
	gone svc app2-macvlan && gone ep app2-macvlan
}
check "disabled in the template: it goes with the last pod that is not" wait_for 40 off
k delete deployment app2 --wait=false >/dev/null
k delete svc app2 >/dev/null
no_pods() { ends "$1" && pods_gone_of "$1"; }
pods_gone_of() { [ -z "$(k get pods -l "app=$1" -o name)" ]; }
check "the pods go" wait_for 30 no_pods app2

# ------------------------------------------------------------------------------- names in the way
svc_pod own-0 own 'tandem-cni.io/subnet: svc' | k create -f - >/dev/null
{ service own own '{port: 80}'; service own-macvlan own '{port: 81}'; } | k apply -f - >/dev/null
up own-0 10.42.0.40
check "a Service of the user's in the way: told" wait_for 10 svc_event own MacvlanServiceNameTaken
same "and left alone" '{"app":"own"} 81' "$(k get svc own-macvlan -o json | jq -rc '"\(.spec.selector | tojson) \(.spec.ports[0].port)"')"
same "nor is one made for it" "" "$(k get svc own-macvlan-macvlan -o name 2>/dev/null)"
check "its Endpoints are Kubernetes' own" wait_for 10 eps_are own-macvlan 10.42.0.40:81
k delete svc own-macvlan >/dev/null
check "gone, ours takes the name" wait_for 10 lists_cards own 80 1
k delete svc own >/dev/null
check "the Service deleted: ours goes with it" wait_for 10 gone svc own-macvlan
check "with its Endpoints" wait_for 10 gone ep own-macvlan
k delete pod own-0 --wait=false >/dev/null
ends own

# ------------------------------------------------------------------------------- what kinds of pods
{
	svc_pod mix-0 mix 'tandem-cni.io/subnet: svc' '{name: web, containerPort: 8000}'
	svc_pod mix-1 mix 'tandem-cni.io/subnet: svc' '{name: web, containerPort: 9000}'
	svc_pod mix-2 mix '' '{name: web, containerPort: 8000}'
	svc_pod mix-3 mix 'tandem-cni.io/subnet: svc, tandem-cni.io/interface: eth0' '{name: web, containerPort: 8000}'
	svc_pod mix-4 mix 'tandem-cni.io/subnet: nowhere' '{name: web, containerPort: 8000}'
	svc_pod mix-5 mix 'tandem-cni.io/subnet: svc' '{name: other, containerPort: 8000}'
	svc_pod mix-6 mix 'tandem-cni.io/subnet: svc' '{name: web, containerPort: 8000}'
	service mix mix '{port: 80, targetPort: web}' 'clusterIP: None'
} | k apply -f - >/dev/null
card_of() { k get macvlanip "$1" -o json 2>/dev/null | jq -re '.spec.cidr | split("/")[0]'; }
check "cards" wait_for 20 card_of mix-6
for i in 0 1 2 5; do up "mix-$i" "10.42.0.5$i"; done
wait_for 10 card_of mix-3
up mix-3 "$(card_of mix-3)"
want=$(printf '%s\n' "$(card_of mix-0):8000" "$(card_of mix-1):9000" "$(card_of mix-3):8000" | sort | xargs)
check "named ports of each pod, a single card too, those without a card or port or pod IP left out" \
	wait_for 10 eps_are mix-macvlan "$want"
same "of a headless Service the ports are the same" "80 web" \
	"$(k get svc mix-macvlan -o jsonpath='{.spec.ports[0].port} {.spec.ports[0].targetPort}')"
curls PATCH application/merge-patch+json '{"status":{"phase":"Failed"}}' /api/v1/namespaces/default/pods/mix-1/status
check "an ended pod is not published" wait_for 5 eps_count mix-macvlan 2
curls PATCH application/merge-patch+json '{"status":{"phase":"Missing"}}' \
	/apis/tandem-cni.io/v1/namespaces/default/macvlanips/mix-0/status
check "nor one whose card is reported missing" wait_for 5 eps_are mix-macvlan "$(card_of mix-3):8000"
k delete pods -l app=mix --force --grace-period=0 >/dev/null 2>&1
check "no pod and no workload left: the Service goes" wait_for 30 gone svc mix-macvlan
k delete svc mix >/dev/null

# ------------------------------------------------------------------------------- long names, StatefulSets
long=a23456789-123456789-123456789-123456789-123456789-123456789-xyz
{ KIND=StatefulSet svc_deploy db 1; service db db '{port: 5432}' 'clusterIP: None'; service $long db '{port: 1}'; } |
	k apply -f - >/dev/null
check "a StatefulSet's pod runs" wait_for 20 all_up db 1
check "and is published" wait_for 10 lists_cards db 5432 1
same "by its own name too" db-0 "$(k get ep db-macvlan -o jsonpath='{.subsets[0].addresses[0].hostname}')"
short() { k get svc -l tandem-cni.io/service -o json | jq -re --arg l "$long" '.items[] | select(.metadata.ownerReferences[0].name == $l) | .metadata.name'; }
check "a name of 63 characters is shortened" wait_for 10 short
head=$(short)
same "to 63" 63 "${#head}"
same "with a hash" "a23456789-123456789-123456789-12345678 -macvlan" "${head:0:38} ${head: -8}"
controller_bounce
up db-0 10.42.0.11 False
not_ready() { eps "$head" | grep -q '!$' && eps db-macvlan | grep -q '!$'; }
check "a restarted controller goes on with it" wait_for 20 not_ready
same "with the same one" "$head" "$(short)"
same "and only that" 2 "$(k get svc -l tandem-cni.io/service -o name | wc -l)"
k delete statefulset db --wait=false >/dev/null
k delete svc db $long >/dev/null
check "all of it goes" wait_for 30 no_pods db
check "the shortened one" wait_for 10 gone svc "$head"
stop "$pid_kcm"

# ------------------------------------------------------------------------------- 200 pods, and what they cost
# Without the controller manager whoever writes Endpoints is ours.
writes() {
	curl -s --cacert "$DIR/tls.crt" -H "Authorization: Bearer admin" "$API/metrics" |
		awk -v r="resource=\"$1\"" '/^apiserver_request_total/ && index($0, r) && /subresource=""/ &&
			/verb="(POST|PUT|PATCH|DELETE)"/ { n += $NF } END { print n + 0 }'
}
pods_write() {
	local i
	for ((i = 1; i <= 200; i++)); do svc_pod "p$i" crowd 'tandem-cni.io/subnet: svc'; done
}
service crowd crowd '{port: 80}' | k apply -f - >/dev/null
pods_write | k create -f - >/dev/null
check "200 pods have addresses" wait_for 60 served_is 200
check "their Service is there" wait_for 10 svc_is crowd-macvlan '{.spec.clusterIP}' None
before=$(writes endpoints)
tests_now_ms begin
running='{"status":{"phase":"Running","podIP":"10.42.0.9","podIPs":[{"ip":"10.42.0.9"}],"conditions":[{"type":"Ready","status":"True"}]}}'
mapfile -t urls < <(pod_urls 1 200 /status)
curls PATCH application/merge-patch+json "$running" "${urls[@]}"
crowd_listed() {
	[ "$(eps crowd-macvlan)" = "$(k get macvlanips -o json | jq -r '[.items[].spec.cidr | split("/")[0] + ":80"] | sort | join(" ")')" ]
}
check "200 pods come up" wait_for 60 crowd_listed
same "200 addresses" 200 "$(eps crowd-macvlan | wc -w)"
tests_now_ms end
took=$((end - begin)) cost=$(($(writes endpoints) - before))
echo "# 200 pods came up in $took ms: $cost writes of the Endpoints"
few() { [ "$1" -le $((3 + took / 300)) ]; }
check "a few writes, not one for each pod" few "$cost"
before=$(writes endpoints) services=$(writes services)
tests_now_ms begin
mapfile -t urls < <(pod_urls 1 200)
curls DELETE application/json '{"gracePeriodSeconds":0}' "${urls[@]}"
check "and go" wait_for 30 gone svc crowd-macvlan
tests_now_ms end
took=$((end - begin)) cost=$(($(writes endpoints) - before))
echo "# 200 pods went in $took ms: $cost writes of the Endpoints"
check "a few again" few "$cost"
same "one of the Service, its end" 1 "$(($(writes services) - services))"
k delete svc crowd >/dev/null
check "the addresses are free" wait_for 90 status_is svc used 0
k delete macvlansubnet -n kube-system svc --timeout=20s >/dev/null

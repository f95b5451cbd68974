# shellcheck shell=bash
# Part of controller.sh: records and subnet are gone, with their definitions or by a backup that is older, and so is
# the controller that knew them. The pods live on, and their own network-status is no proof: whoever may edit a pod writes it.
controller_alive || controller_up
restored_subnet() {
	subnet restored 10.88.0.0/24 'vlan: 8' 'ipDelayReuse: 0' 'ranges: [{rangeStart: 10.88.0.10, rangeEnd: 10.88.0.17}]' \
		'ipv6: {cidr: "fd88::/64", ranges: [{rangeStart: "fd88::10", rangeEnd: "fd88::1f"}]}' | k apply -f - >/dev/null
}
restored_subnet
pods 71 73 restored | k create -f - >/dev/null
pods 74 74 restored 'tandem-cni.io/interface: eth0' | k create -f - >/dev/null
pods 75 75 restored | k create -f - >/dev/null
check "five pods" wait_for 20 served_is 5
mapfile -t urls < <(pod_urls 71 74 /status)
curls PATCH application/merge-patch+json '{"status":{"phase":"Running","podIP":"10.42.0.9"}}' "${urls[@]}"
told_by_pods() {
	[ "$(k get pods p71 p72 p73 p74 -o json |
		jq '[.items[].metadata.annotations["k8s.v1.cni.cncf.io/network-status"] // empty | select(contains("kube-system/restored"))] | length')" = 4 ]
}
check "four of them run, and tell their cards" wait_for 20 told_by_pods
cards() { # cards POD...
	k get macvlanips "$@" -o json |
		jq -r '.items | sort_by(.metadata.name)[] | "\(.metadata.name) \(.spec.podId) \(.spec.cidr) \(.spec.cidr6) \(.spec.mac)"'
}
before=$(cards p71 p72 p74)

# One that makes its card up, to come to a subnet that is not for it.
subnet closed 10.89.0.0/24 'allowedNamespaces: {matchLabels: {site: elsewhere}}' | k apply -f - >/dev/null
pods 70 70 closed | k create -f - >/dev/null
mapfile -t urls < <(pod_urls 70 70 /status)
curls PATCH application/merge-patch+json '{"status":{"phase":"Running","podIP":"10.42.0.8"}}' "${urls[@]}"
k annotate pod p70 'k8s.v1.cni.cncf.io/network-status=[{"name":"kube-system/closed","ips":["10.89.0.10"]}]' >/dev/null

kill -9 "$pid_controller"
wait "$pid_controller" 2>/dev/null
k get macvlanips -o name | while read -r one; do
	k patch "$one" --type merge -p '{"metadata":{"finalizers":null}}'
	k delete "$one" --wait=false
done >/dev/null
k patch macvlansubnet -n kube-system restored --type merge -p '{"metadata":{"finalizers":null}}' >/dev/null
k delete macvlansubnet -n kube-system restored >/dev/null
same "no record is left" "" "$(k get macvlanips -A -o name)"
same "and no subnet of that name" "" "$(k get macvlansubnet -A -o name | grep restored)"
# What tells of another namespace's network of that name, or of an address outside, tells nothing.
k annotate pod p73 --overwrite 'k8s.v1.cni.cncf.io/network-status=[{"name":"default/restored","ips":["10.88.0.10"]},{"name":"kube-system/restored","ips":["10.89.0.10"]}]' >/dev/null
restored_subnet
pods 76 80 restored | k create -f - >/dev/null
controller_up
check "who waits is served" wait_for 30 served_is 6
told_late() {
	local i
	for i in 71 72 73 74; do event_is "p$i" AnnotatedTooLate || return 1; done
}
check "those that run hear that they have no record" wait_for 20 told_late
same "nobody gets a record by what a pod says of itself" "" \
	"$(k get macvlanips -o name | grep -wE 'p70|p71|p72|p73|p74')"
same "no address is in two records" "" "$(records | awk '{ print $2 }' | sort | uniq -d)"
same "whoever gets an address now asks the LAN first" "true true true true true true" \
	"$(k get macvlanips -o json | jq -r '[.items[].spec.conflictDetection] | map(tostring) | join(" ")')"

# Annotated when it ran already, with a card that it has made up: an address that is free, the gateway's, the node's, one
# outside of the ranges.
subnet liars 10.90.0.0/24 'gateway: 10.90.0.1' 'ranges: [{rangeStart: 10.90.0.10, rangeEnd: 10.90.0.17}]' | k apply -f - >/dev/null
check "another subnet" wait_for 20 status_is liars total 8
NONE=$(pods 61 64 none | sed '/annotations:/d')
k create -f - >/dev/null <<<"$NONE"
mapfile -t urls < <(pod_urls 61 64 /status)
curls PATCH application/merge-patch+json '{"status":{"phase":"Running","podIP":"10.42.0.7"}}' "${urls[@]}"
lies=(10.90.0.12 10.90.0.1 192.168.100.11 10.90.0.200)
for i in 0 1 2 3; do
	k annotate pod "p6$((i + 1))" tandem-cni.io/subnet=liars \
		'k8s.v1.cni.cncf.io/network-status=[{"name":"kube-system/liars","ips":["'"${lies[i]}"'"]}]' >/dev/null
done
controller_bounce
liars_told() {
	local i
	for i in 61 62 63 64; do event_is "p$i" AnnotatedTooLate || return 1; done
}
check "a pod annotated afterwards hears that it is too late" wait_for 30 liars_told
pods 65 65 liars | k create -f - >/dev/null
check "another one is served" wait_for 20 k get macvlanip p65
same "by the next leader no liar has a record" "" "$(k get macvlanips -o name | grep -wE 'p6[1-4]')"
check "nor does it take an address" wait_for 20 status_is liars used 1
k delete macvlansubnet -n kube-system liars --wait=false >/dev/null
finish 61 65
check "that subnet goes" wait_for 30 gone macvlansubnet -n kube-system liars
subnet liars 10.90.0.0/24 | k apply -f - >/dev/null
k create -f - >/dev/null <<<"$NONE"
curls PATCH application/merge-patch+json '{"status":{"phase":"Running","podIP":"10.42.0.7"}}' "${urls[@]}"
for i in 0 1 2 3; do
	k annotate pod "p6$((i + 1))" tandem-cni.io/subnet=young \
		'k8s.v1.cni.cncf.io/network-status=[{"name":"kube-system/young","ips":["'"${lies[i]/.90./.91.}"'"]}]' >/dev/null
done
subnet young 10.91.0.0/24 | k apply -f - >/dev/null
check "a subnet that is new" wait_for 20 ready_is young True
pods 65 65 young | k create -f - >/dev/null
check "serves who asks in time" wait_for 20 k get macvlanip p65
same "and nobody whose card is made up" "" "$(k get macvlanips -o name | grep -wE 'p6[1-4]')"
check "nor are their addresses used" wait_for 20 status_is young used 1
finish 61 65
finish 70 80
check "all go" wait_for 30 no_records
k delete macvlansubnet -n kube-system restored closed liars young --timeout=20s >/dev/null

# shellcheck shell=bash
# Part of controller.sh: records and subnet are gone, with their definitions or by a backup that is older, and so is
# the controller that knew them. The pods live on; what is left of their addresses is their own network-status.
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
one_waits() {
	local i
	for i in 75 76 77 78 79 80; do event_is "p$i" SubnetExhausted && return 0; done
	return 1
}
check "all that can be served are" wait_for 30 served_is 8
same "whose card has an address have a record of it again" "$before" "$(cards p71 p72 p74)"
same "no address is in two records" "" "$(records | awk '{ print $2 }' | sort | uniq -d)"
same "all eight are in use" "8 8" "$(k get macvlansubnet -n kube-system restored -o json | jq -r '.status | "\(.total) \(.used)"' | xargs)"
check "one of the others waits" wait_for 20 one_waits
check "the one of whose card nobody knows hears that it has none" wait_for 20 event_is p73 AnnotatedTooLate
same "so that whoever gets an address now asks the LAN first, and nobody else" "p71 p72 p74; true true true true true" \
	"$(k get macvlanips -o json | jq -r '[.items[] | select(.spec.cidr)] | group_by(.spec.conflictDetection == true) |
		([.[0][].metadata.name] | sort | join(" ")) + "; " + ([.[1][].spec.conflictDetection] | map(tostring) | join(" "))')"
same "who makes a card up comes no further than with the annotation for a fixed address" "" \
	"$(k get macvlanips -o name | grep -w p70)"
finish 70 80
check "all go" wait_for 30 no_records
k delete macvlansubnet -n kube-system restored closed --timeout=20s >/dev/null

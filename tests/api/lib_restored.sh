# SPDX-License-Identifier: Apache-2.0
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
asked() { [ "$(k get macvlanips "$@" -o json | jq '[.items[] | select(.metadata.annotations["tandem-cni.io/tell-card"] == .spec.podId and .spec.cidr == null)] | length')" = $# ]; }
# told POD IP IP6 MAC: the node's answer; without IP that there is no card
told() {
	local url=/apis/tandem-cni.io/v1/namespaces/default/macvlanips/$1/status uid
	uid=$(k get pod "$1" -o jsonpath='{.metadata.uid}')
	curls PATCH application/merge-patch+json "$(jq -nc --arg uid "$uid" --arg a "${2:-}" --arg b "${3:-}" --arg mac "${4:-}" \
		'{status: {card: ({podId: $uid, ips: ([$a, $b] | map(select(. != "")))} + if $mac == "" then {} else {mac: $mac} end)}}')" "$url"
}
check "their nodes are asked" wait_for 30 asked p71 p72 p73 p74
check "that something was lost stands in the subnet" wait_for 10 status_is restored allocation.lost true
controller_bounce
check "another leads" wait_for 20 status_is restored allocation.term 2
check "and asks as the first did" wait_for 30 asked p71 p72 p73 p74
while read -r name _ cidr cidr6 mac; do
	[ "$name" = p74 ] || told "$name" "${cidr%/*}" "${cidr6%/*}" "$mac"
done <<<"$before"
told p73 10.88.0.200 "" 02:00:00:00:00:73
told p74
check "by its node's word a pod has a record again, and who waits is served" wait_for 30 served_is 8
same "with the address that its card has" "$(grep -v p74 <<<"$before")" "$(cards p71 p72)"
same "and is asked no more" "null null" "$(k get macvlanips p71 p72 -o json | jq -r '[.items[].metadata.annotations["tandem-cni.io/tell-card"]] | map(tostring) | join(" ")')"
check "what the subnet does not give is refused, and told" wait_for 20 event_is p73 CardRefused
same "without an address" null "$(k get macvlanip p73 -o json | jq .spec.cidr)"
check "who has no card hears that it is too late" wait_for 20 event_is p74 AnnotatedTooLate
same "nobody gets a record by what a pod says of itself" "" "$(k get macvlanips -o name | grep -wE 'p70|p74')"
same "no address is in two records" "" "$(records | awk '{ print $2 }' | sort | uniq -d)"
same "whoever gets an address now asks the LAN first, and nobody else" "p71 p72; true true true true true true" \
	"$(k get macvlanips -o json | jq -r '[.items[] | select(.spec.cidr)] | group_by(.spec.conflictDetection == true) |
		([.[0][].metadata.name] | sort | join(" ")) + "; " + ([.[1][].spec.conflictDetection] | map(tostring) | join(" "))')"

# The subnet is there, and one record goes while nobody leads: its address stands as used.
kill -9 "$pid_controller"
wait "$pid_controller" 2>/dev/null
for i in 71 72; do
	k patch macvlanip "p$i" --type merge -p '{"metadata":{"finalizers":null}}' >/dev/null
	k delete macvlanip "p$i" >/dev/null
done
controller_up
check "the nodes are asked again" wait_for 30 asked p71 p72
other=$(k get macvlanip p76 -o jsonpath='{.spec.cidr}')
told p71 "${other%/*}" "" 02:00:00:00:00:76
check "an address that another pod has is refused" wait_for 20 event_is p71 CardRefused
read -r _ _ cidr cidr6 mac < <(grep p72 <<<"$before")
told p72 "${cidr%/*}" "${cidr6%/*}" "$mac"
check "one that was lost comes back" wait_for 20 served_is 7
same "as it was" "$(grep p72 <<<"$before")" "$(cards p72 p71 | grep p72)"

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
# One that can have no card, and one whose annotations are no good any more: only the second is asked.
pods 66 66 young | sed 's/^  nodeName:/  hostNetwork: true\n&/' | k create -f - >/dev/null
pods 67 67 young 'tandem-cni.io/ip: junk' | k create -f - >/dev/null
mapfile -t urls < <(pod_urls 66 67 /status)
curls PATCH application/merge-patch+json '{"status":{"phase":"Running","podIP":"10.42.0.7"}}' "${urls[@]}"
subnet young 10.91.0.0/24 | k apply -f - >/dev/null
check "a subnet that is new" wait_for 20 ready_is young True
check "the node of those that lie is asked" wait_for 20 asked p61 p62 p63 p64 p67
same "that of one with hostNetwork is not" "" "$(k get macvlanips -o name | grep -w p66)"
for i in 61 62 63 64 67; do told "p$i"; done
check "nothing is lost when every node has answered" wait_for 20 status_is young allocation.lost ""
pods 65 65 young | k create -f - >/dev/null
check "serves who asks in time" wait_for 30 status_is young used 1
same "and nobody whose card is made up" "" "$(records | grep -wE 'p6[1-4]')"
check "nor are their addresses used" wait_for 20 status_is young used 1
finish 61 67
finish 70 80
check "all go" wait_for 30 no_records
k delete macvlansubnet -n kube-system restored closed liars young --timeout=20s >/dev/null

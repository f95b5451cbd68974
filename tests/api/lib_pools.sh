# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Part of controller.sh: dual stack, order, neighbours on one wire.
controller_alive || controller_up

# both NAME: "cidr cidr6" of its record
both() { k get macvlanip "$1" -o jsonpath='{.spec.cidr} {.spec.cidr6}'; }
both_is() { [ "$(both "$1")" = "$2" ]; }
spec_of() { k get macvlanip "$1" -o json | jq -S .spec; }
condition_is() {
	[ "$(k get macvlansubnet -n kube-system "$1" \
		-o jsonpath="{.status.conditions[?(@.type==\"$2\")].status}")" = "$3" ]
}
message_of() {
	k get macvlansubnet -n kube-system "$1" -o jsonpath="{.status.conditions[?(@.type==\"$2\")].message}"
}
message_of_is() { [ "$(message_of "$1" "$2")" = "$3" ]; }

# ------------------------------------------------------------------------------- dual stack
subnet dual 10.70.0.0/24 'vlan: 70' 'ipDelayReuse: 0' \
	'ranges: [{rangeStart: 10.70.0.10, rangeEnd: 10.70.0.19}]' 'exclude: [10.70.0.11, "fd70::11"]' \
	'ipv6: {cidr: "fd70::/64", ranges: [{rangeStart: "fd70::10", rangeEnd: "fd70::13"}]}' |
	k apply -f - >/dev/null
check "dual stack: counts are those of the family that runs out first" wait_for 20 status_is dual total 3
same "both gateways" "10.70.0.1 fd70::1" \
	"$(k get macvlansubnet -n kube-system dual -o jsonpath='{.status.gateway} {.status.gateway6}')"
pods 1 1 dual | k create -f - >/dev/null
check "a pod has one of each" wait_for 10 both_is p1 "10.70.0.10/24 fd70::10/64"
pods 2 2 dual | k create -f - >/dev/null
check "the next has the next ones, excluded ones left out" wait_for 10 both_is p2 "10.70.0.12/24 fd70::12/64"
same "the network has both gateways" "10.70.0.1 fd70::1" \
	"$(k get macvlanip p1 -o jsonpath='{.spec.gateway} {.spec.gateway6}')"
check "the event names both" wait_for 5 event_is p1 AddressAllocated
same "... in words" "MacvlanSubnet dual gave 10.70.0.10/24 and fd70::10/64, MAC $(k get macvlanip p1 -o jsonpath='{.spec.mac}')" \
	"$(event_is p1 AddressAllocated)"
check "used counts cards" wait_for 5 status_is dual used 2
check "the entry leaves flight" wait_for 5 status_is dual allocation.inflight '[]'
same "what stands in the record of the subnet" '["10.70.0.0/24 10,12","fd70::/120 10,12"]' \
	"$(k get macvlansubnet -n kube-system dual -o json | jq -c .status.allocation.used)"

before=$(spec_of p1)
k patch macvlanip p1 --type merge -p '{"spec":{"cidr6":"fd70::13/64"}}' >/dev/null
restored6() { [ "$(spec_of p1)" = "$before" ]; }
check "an IPv6 address edited by hand is put back" wait_for 5 restored6
k patch macvlanip p1 --type merge -p '{"spec":{"cidr6":null}}' >/dev/null
check "taken away, it is put back" wait_for 5 restored6
k delete macvlanip p1 --wait=false >/dev/null
k patch macvlanip p1 --type merge -p '{"metadata":{"finalizers":null}}' >/dev/null
check "forced away, the record comes again with both" wait_for 5 restored6

pods 3 3 dual | k create -f - >/dev/null
check "the third has the last" wait_for 10 both_is p3 "10.70.0.13/24 fd70::13/64"
pods 4 4 dual | k create -f - >/dev/null
check "the fourth is told which family lacks" wait_for 5 event_is p4 SubnetExhausted
same "... in words" "MacvlanSubnet dual has no free IPv6 address; the pod gets one as soon as one is free; largest holders: namespace default (3)" \
	"$(event_is p4 SubnetExhausted)"
same "and has neither" "" "$(k get macvlanip p4 -o jsonpath='{.spec.cidr}{.spec.cidr6}')"
check "no IPv4 address is taken for it" wait_for 5 status_is dual allocation.used '["10.70.0.0/24 10,12-13","fd70::/120 10,12-13"]'
before="$(spec_of p1)$(spec_of p3)"
controller_bounce
check "a restart takes over" wait_for 20 status_is dual allocation.term 2
same "a restart changes no record" "$before" "$(spec_of p1)$(spec_of p3)"
finish 1 1
check "one ends: the waiter has the next IPv4 and the freed IPv6 address" wait_for 10 both_is p4 "10.70.0.14/24 fd70::10/64"
check "both of the former are free" wait_for 5 status_is dual allocation.used '["10.70.0.0/24 12-14","fd70::/120 10,12-13"]'
finish 2 3

# Lists: paired by index, or of one family alone.
pods 5 5 dual 'tandem-cni.io/ip: 10.70.0.18-fd70::13-10.70.0.19-fd70::12, tandem-cni.io/mac: "0a:00:00:00:00:18-0a:00:00:00:00:19"' | k create -f - >/dev/null
check "a list of both families" wait_for 10 both_is p5 "10.70.0.18/24 fd70::13/64"
same "with its MAC" 0a:00:00:00:00:18 "$(k get macvlanip p5 -o jsonpath='{.spec.mac}')"
pods 6 6 dual 'tandem-cni.io/ip: 10.70.0.18-fd70::13-10.70.0.19-fd70::12, tandem-cni.io/mac: "0a:00:00:00:00:18-0a:00:00:00:00:19"' | k create -f - >/dev/null
check "its next pair goes to the next replica" wait_for 10 both_is p6 "10.70.0.19/24 fd70::12/64"
same "with the MAC of that index" 0a:00:00:00:00:19 "$(k get macvlanip p6 -o jsonpath='{.spec.mac}')"
finish 4 6
pods 7 7 dual 'tandem-cni.io/ip: fd70::13' | k create -f - >/dev/null
check "IPv6 fixed: IPv4 stays automatic" wait_for 10 both_is p7 "10.70.0.15/24 fd70::13/64"
subnet six fd71::/126 'vlan: 71' 'ipDelayReuse: 0' | k apply -f - >/dev/null
pods 8 8 six 'tandem-cni.io/ip: fd71::3' | k create -f - >/dev/null
check "a fixed address of an IPv6 subnet" wait_for 10 both_is p8 "fd71::3/126 "
pods 9 9 six 'tandem-cni.io/ip: 10.70.0.15' | k create -f - >/dev/null
check "IPv4 named in it" wait_for 5 event_is p9 AddressNotInSubnet
same "... in words" 'annotation tandem-cni.io/ip: "10.70.0.15": MacvlanSubnet six has no IPv4 addresses' \
	"$(event_is p9 AddressNotInSubnet)"
pods 10 10 dual 'tandem-cni.io/ip: 10.70.0.15-fd70::10-fd70::12' | k create -f - >/dev/null
check "pairs that do not match" wait_for 5 event_is p10 InvalidAnnotation
same "... in words" 'annotation tandem-cni.io/ip: "10.70.0.15-fd70::10-fd70::12": the i-th IPv4 address goes with the i-th IPv6 address; name as many of each, or only one family' \
	"$(event_is p10 InvalidAnnotation)"
finish 7 10
check "all records are gone" wait_for 20 no_records
check "nothing is used" wait_for 5 status_is dual allocation.used '[]'

# ------------------------------------------------------------------------------- killed in the middle
subnet pairs 10.76.0.0/24 'vlan: 76' 'ipDelayReuse: 0' \
	'ranges: [{rangeStart: 10.76.0.101, rangeEnd: 10.76.0.160}]' \
	'ipv6: {cidr: "fd76::/64", ranges: [{rangeStart: "fd76::1:1", rangeEnd: "fd76::1:3c"}]}' | k apply -f - >/dev/null
check "as many pairs as pods" wait_for 10 status_is pairs free 60
pods 101 160 pairs >"$DIR/pairs.yaml"
k create -f "$DIR/pairs.yaml" >/dev/null &
creating=$!
for n in 5 25; do
	wait_for 60 eval "[ \"\$(records | wc -l)\" -ge $n ]"
	controller_bounce
done
wait "$creating"
check "60 pods are served, the controller killed twice" wait_for 60 served_is 60
k get macvlanips -o json | jq -r '.items[].spec | "\(.cidr) \(.cidr6) \(.mac)"' >"$DIR/pairs"
same "each has both" 60 "$(grep -cE '^10\.76\.0\.1[0-9]{2}/24 fd76::1:[0-9a-f]+/64 ' "$DIR/pairs")"
for i in 1 2 3; do
	same "column $i: all are distinct" 60 "$(awk -v i="$i" '{ print $i }' "$DIR/pairs" | sort -u | wc -l)"
done
check "nothing is left in flight" wait_for 10 status_is pairs allocation.inflight '[]'
finish 101 160 &
ending=$!
wait_for 60 eval "[ \"\$(records | wc -l)\" -le 40 ]"
controller_bounce
wait "$ending"
check "all records are gone" wait_for 60 no_records
check "both families are free again" wait_for 20 status_is pairs allocation.used '[]'

# ------------------------------------------------------------------------------- small networks
# small NAME CIDR ADDRESSES: what pods get out of a network without ranges
small() {
	local name=$1 cidr=$2 want=()
	subnet "$name" "$cidr" 'vlan: 72' 'ipDelayReuse: 0' | k apply -f - >/dev/null
	read -ra want <<<"$3"
	wait_for 10 status_is "$name" total ${#want[@]}
	check "$name: that many addresses" status_is "$name" total ${#want[@]}
	pods 20 $((19 + ${#want[@]})) "$name" | k create -f - >/dev/null
	wait_for 10 served_is ${#want[@]}
	same "$name: these" "$3" "$(records | awk '{ print $2 }' | LC_ALL=C sort | xargs)"
	finish 20 $((19 + ${#want[@]}))
	wait_for 20 no_records
	k delete macvlansubnet -n kube-system "$name" --timeout=60s >/dev/null
}
small ipv4-31 10.72.0.4/31 "10.72.0.5/31"
small ipv4-32 10.72.0.4/32 "10.72.0.4/32"
small ipv6-127 fd72::4/127 "fd72::5/127"
small ipv6-128 fd72::4/128 "fd72::4/128"
small ipv4-30 10.72.0.4/30 "10.72.0.6/30"
small ipv6-126 fd72::4/126 "fd72::6/126 fd72::7/126"

# ------------------------------------------------------------------------------- order
subnet order 10.73.0.0/24 'vlan: 73' 'ipDelayReuse: 0' \
	'ranges: [{rangeStart: 10.73.0.10, rangeEnd: 10.73.0.14}]' | k apply -f - >/dev/null
pods 30 32 order | k create -f - >/dev/null
check "three are served" wait_for 10 served_is 3
first=$(k get macvlanips -o json | jq -r '.items[] | select(.spec.cidr=="10.73.0.10/24") | .metadata.name[1:]')
finish "$first" "$first"
check "the first address is free again" wait_for 10 status_is order used 2
controller_bounce
pods 33 34 order | k create -f - >/dev/null
check "after a restart two more are served" wait_for 20 served_is 4
same "longest free first, over the restart" "10.73.0.13/24 10.73.0.14/24" \
	"$(records | awk '$1 == "p33" || $1 == "p34" { print $2 }' | sort | xargs)"
finish 30 34 2>/dev/null
check "all are freed" wait_for 20 no_records

# ------------------------------------------------------------------------------- one wire
subnet left 10.74.0.0/24 'vlan: 74' 'ranges: [{rangeStart: 10.74.0.10, rangeEnd: 10.74.0.19}]' \
	'ipv6: {cidr: "fd74::/64", ranges: [{rangeStart: "fd74::10", rangeEnd: "fd74::1f"}]}' | k apply -f - >/dev/null
subnet right 10.74.0.0/24 'vlan: 74' 'ranges: [{rangeStart: 10.74.0.20, rangeEnd: 10.74.0.29}]' \
	'ipv6: {cidr: "fd74::/64", ranges: [{rangeStart: "fd74::20", rangeEnd: "fd74::2f"}]}' | k apply -f - >/dev/null
check "disjoint ranges: each gives its own" wait_for 10 status_is right total 10
check "no overlap is told" wait_for 5 condition_is left Overlap False
pods 40 40 left | k create -f - >/dev/null
pods 41 41 right | k create -f - >/dev/null
check "one from the left" wait_for 10 both_is p40 "10.74.0.10/24 fd74::10/64"
check "one from the right" wait_for 10 both_is p41 "10.74.0.20/24 fd74::20/64"
# Two at once, each over an edge of its own: every pair counts, in both families.
{
	subnet middle 10.74.0.0/24 'vlan: 74' 'ranges: [{rangeStart: 10.74.0.18, rangeEnd: 10.74.0.21}]'
	echo ---
	subnet deep fd74::/64 'vlan: 74' 'ranges: [{rangeStart: "fd74::1f", rangeEnd: "fd74::21"}]'
	echo ---
	subnet elsewhere 10.74.0.0/24 'vlan: 75' 'ranges: [{rangeStart: 10.74.0.10, rangeEnd: 10.74.0.29}]'
} | k apply -f - >/dev/null
check "overlap: the one in the middle gives nothing" wait_for 10 status_is middle total 0
check "nor the IPv6 subnet" wait_for 10 status_is deep total 0
check "the left one loses two" wait_for 10 status_is left total 8
check "the right one too" wait_for 10 status_is right total 8
check "on another VLAN nothing is shared" wait_for 10 status_is elsewhere total 20
check "the condition is true" condition_is left Overlap True
overlap_told() {
	case $(message_of left Overlap) in
	*"2 with MacvlanSubnet middle (from 10.74.0.18)"*) ;;
	*) return 1 ;;
	esac
	case $(message_of left Overlap) in
	*"1 with MacvlanSubnet deep (fd74::1f)"*) ;;
	*) return 1 ;;
	esac
}
check "it names every neighbour" wait_for 5 overlap_told
k delete macvlansubnet -n kube-system middle deep --timeout=20s >/dev/null
check "when they are gone, all is given again" wait_for 10 status_is left total 10
finish 40 41
check "all are freed again" wait_for 20 no_records
k delete macvlansubnets -n kube-system --all --timeout=60s >/dev/null

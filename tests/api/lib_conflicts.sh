# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Part of controller.sh: conditions and their events, and addresses that another machine has. This script
# plays the plugin: it patches the status of records.
IPS=/apis/tandem-cni.io/v1/namespaces/default/macvlanips

# restart SECONDS [OPTION...]: kill -9, and a controller that sets conflicting addresses aside for so long
restart() {
	local quarantine=$1
	shift
	if controller_alive; then
		kill -9 "$pid_controller"
		wait "$pid_controller" 2>/dev/null
	fi
	candidate controller --leader-elect=false --quarantine "$quarantine" "$@"
}

# report NAME PHASE [MAC]: what the plugin says about a record
report() {
	curls PATCH application/merge-patch+json \
		"{\"status\":{\"phase\":\"$2\",\"message\":\"in use by ${3:-nobody}\"}}" "$IPS/$1/status"
}
cidr_is() { [ "$(k get macvlanip "$1" -o jsonpath='{.spec.cidr}')" = "$2" ]; }
uid_of() { k get macvlanip "$1" -o jsonpath='{.metadata.uid}'; }
condition_is() {
	[ "$(k get macvlansubnet -n kube-system "$1" \
		-o jsonpath="{.status.conditions[?(@.type==\"$2\")].status}")" = "$3" ]
}
reason_is() {
	[ "$(k get macvlansubnet -n kube-system "$1" \
		-o jsonpath="{.status.conditions[?(@.type==\"$2\")].reason}")" = "$3" ]
}
since() {
	k get macvlansubnet -n kube-system "$1" \
		-o jsonpath="{.status.conditions[?(@.type==\"$2\")].lastTransitionTime}"
}
# events of a subnet, or the messages of a pod's events of one reason
subnet_events() {
	k get events -n kube-system --field-selector "involvedObject.name=$1" -o json |
		jq -r '.items[].reason' | sort | xargs
}
subnet_events_are() { [ "$(subnet_events "$1")" = "$2" ]; }
messages() {
	k get events -n default --field-selector "involvedObject.name=$1,reason=$2" -o json |
		jq -r '.items[].message'
}
told() { messages "$1" AddressConflict | grep -qE "$2"; }
quarantined() {
	k get macvlansubnet -n kube-system "$1" -o json |
		jq -r '[.status.allocation.quarantine[].addresses[]] | join(" ")'
}
quarantined_are() { [ "$(quarantined "$1")" = "$2" ]; }

# ------------------------------------------------------------------------------- conditions
restart 3600
subnet few 10.80.0.0/24 'vlan: 80' 'ipDelayReuse: 0' \
	'ranges: [{rangeStart: 10.80.0.10, rangeEnd: 10.80.0.19}]' | k apply -f - >/dev/null
subnet whole 10.81.0.0/29 'vlan: 81' | k apply -f - >/dev/null
check "ready: an event" wait_for 20 subnet_events_are few Ready
check "without ranges: an event more" wait_for 20 subnet_events_are whole "Ready WholeCIDR"
check "and a condition" condition_is whole WholeCIDR True
check "not with ranges" condition_is few WholeCIDR False
pods 1 8 few | k create -f - >/dev/null
check "eight of ten are used" wait_for 10 status_is few free 2
check "that is not nearly exhausted" condition_is few NearlyExhausted False
pods 9 9 few | k create -f - >/dev/null
check "at nine it is" wait_for 10 condition_is few NearlyExhausted True
check "not exhausted" condition_is few Exhausted False
check "one event" wait_for 5 subnet_events_are few "NearlyExhausted Ready"
before=$(since few NearlyExhausted)
pods 10 12 few | k create -f - >/dev/null
check "at ten it is exhausted" wait_for 10 condition_is few Exhausted True
check "one more event" wait_for 5 subnet_events_are few "Exhausted NearlyExhausted Ready"
waiting_told() {
	[ "$(k get macvlansubnet -n kube-system few \
		-o jsonpath='{.status.conditions[?(@.type=="Exhausted")].message}')" = \
		"all 10 addresses are taken: 10 used, 0 cooling; 2 pods wait; extend the ranges or delete pods" ]
}
check "it says who waits" wait_for 10 waiting_told
same "a condition that stands keeps its time" "$before" "$(since few NearlyExhausted)"
restart 3600
check "a restart takes over" wait_for 20 status_is few allocation.term 2
same "and keeps it too" "$before" "$(since few NearlyExhausted)"
same "and tells nothing twice" "Exhausted NearlyExhausted Ready" "$(subnet_events few)"
finish 1 12
check "all are freed" wait_for 20 no_records
check "no longer exhausted" wait_for 10 condition_is few Exhausted False
k delete macvlansubnet -n kube-system few whole --timeout=60s >/dev/null

# ------------------------------------------------------------------------------- quarantine
subnet lan 10.82.0.0/24 'vlan: 82' 'ipDelayReuse: 0' \
	'ranges: [{rangeStart: 10.82.0.10, rangeEnd: 10.82.0.16}]' | k apply -f - >/dev/null
pods 20 20 lan | k create -f - >/dev/null
check "a pod is served" wait_for 20 cidr_is p20 10.82.0.10/24
uid=$(uid_of p20)
report p20 Conflict 0a:00:00:00:00:01
check "in conflict: it gets another" wait_for 10 cidr_is p20 10.82.0.11/24
check_fails "in another record" [ "$(uid_of p20)" = "$uid" ]
check "the address is in quarantine" wait_for 5 quarantined_are lan "10.82.0.0/24 10"
check "it counts as cooling" status_is lan cooling 1
check "and as quarantined" status_is lan quarantined 1
check "the event names the MAC and the time" wait_for 5 told p20 \
	'^the machine with MAC 0a:00:00:00:00:01 uses 10\.82\.0\.10 on the LAN, node n1 reports; the address is in quarantine until 20[0-9:TZ-]+, and the pod gets another$'
same "the condition is not true yet" "False" \
	"$(k get macvlansubnet -n kube-system lan -o jsonpath='{.status.conditions[?(@.type=="Conflicts")].status}')"
restart 3600
check "a restart takes over" wait_for 20 status_is lan allocation.term 2
check "the quarantine stands" quarantined_are lan "10.82.0.0/24 10"
report p20 Conflict 0a:00:00:00:00:02
check "a second one" wait_for 20 cidr_is p20 10.82.0.12/24
report p20 Conflict 0a:00:00:00:00:03
check "a third one" wait_for 10 cidr_is p20 10.82.0.13/24
uid=$(uid_of p20)
report p20 Conflict 0a:00:00:00:00:04
check "not a fourth: the condition says so" wait_for 10 condition_is lan Conflicts True
check "... with its reason" reason_is lan Conflicts PodLimit
check "an event on the subnet" wait_for 5 subnet_events_are lan "Conflicts Ready"
check "an event on the pod" wait_for 5 told p20 'MAC 0a:00:00:00:00:04 uses 10\.82\.0\.13 .* no further one goes into quarantine'
same "its record stays" "$uid 10.82.0.13/24" "$(uid_of p20) $(k get macvlanip p20 -o jsonpath='{.spec.cidr}')"
check "three are in quarantine" wait_for 5 status_is lan quarantined 3

pods 21 21 lan | k create -f - >/dev/null
check "another pod" wait_for 10 cidr_is p21 10.82.0.14/24
curls PATCH application/merge-patch+json '{"status":{"phase":"Running","podIP":"10.42.0.9"}}' "$(pod_urls 21 21 /status)"
uid=$(uid_of p21)
report p21 Conflict 0a:00:00:00:00:05
check "once it has a network, an event is all" wait_for 10 told p21 'MAC 0a:00:00:00:00:05 uses 10\.82\.0\.14 .* the pod keeps it'
pods 22 22 lan | k create -f - >/dev/null
check "a third pod" wait_for 10 cidr_is p22 10.82.0.15/24
report p22 Attached
sleep 0.5
report p22 Conflict 0a:00:00:00:00:06
check "likewise when its card was attached before" wait_for 10 told p22 'the pod keeps it'
same "both records stay" "$uid 10.82.0.15/24" "$(uid_of p21) $(k get macvlanip p22 -o jsonpath='{.spec.cidr}')"
finish 20 22
check "all are freed" wait_for 20 no_records
check "the three stay in quarantine" wait_for 5 status_is lan quarantined 3
k delete macvlansubnet -n kube-system lan --timeout=60s >/dev/null

# A fixed address: there is no other, so it is tried again.
restart 4
subnet short 10.83.0.0/24 'vlan: 83' 'ipDelayReuse: 0' \
	'ranges: [{rangeStart: 10.83.0.10, rangeEnd: 10.83.0.19}]' \
	'ipv6: {cidr: "fd83::/64", ranges: [{rangeStart: "fd83::10", rangeEnd: "fd83::19"}]}' | k apply -f - >/dev/null
pods 30 30 short 'tandem-cni.io/ip: 10.83.0.15' | k create -f - >/dev/null
check "a fixed address" wait_for 20 cidr_is p30 10.83.0.15/24
uid=$(uid_of p30)
report p30 Conflict 0a:00:00:00:00:07
check "in conflict: both families of the card are set aside" wait_for 10 quarantined_are short "10.83.0.0/24 15 fd83::/120 10"
check "the event names the time" wait_for 5 told p30 \
	'MAC 0a:00:00:00:00:07 uses 10\.83\.0\.15 or fd83::10 .* the pod may have no other address; this one is tried again at 20[0-9:TZ-]+$'
check "then it is the pod's again" wait_for 20 cidr_is p30 10.83.0.15/24
check_fails "in another record" [ "$(uid_of p30)" = "$uid" ]
check "nothing is in quarantine any more" wait_for 5 quarantined_are short ""
check "the last hour's are remembered" [ "$(k get macvlansubnet -n kube-system short -o json | jq -c '.status.allocation.conflicts[] | .mac')" = '"0a:00:00:00:00:07"' ]

# One MAC that answers for everything.
pods 31 33 short | k create -f - >/dev/null
check "three more pods" wait_for 10 served_is 4
for pod in p31 p32 p33; do report "$pod" Conflict 0a:00:00:00:00:08; done
check "the third in a minute is taken for proxy ARP" wait_for 10 reason_is short Conflicts ProxyARP
told_proxy() { told p31 proxy || told p32 proxy || told p33 proxy; }
check "the pod is told" wait_for 5 told_proxy
finish 30 33
check "all are freed" wait_for 20 no_records
k delete macvlansubnet -n kube-system short --timeout=60s >/dev/null

# Seventeen in an hour.
restart 3600
subnet many 10.84.0.0/24 'vlan: 84' 'ipDelayReuse: 0' \
	'ranges: [{rangeStart: 10.84.0.100, rangeEnd: 10.84.0.199}]' | k apply -f - >/dev/null
pods 40 56 many | k create -f - >/dev/null
check "17 pods" wait_for 30 served_is 17
for ((i = 40; i <= 56; i++)); do report "p$i" Conflict "0a:00:00:00:01:$i"; done
check "the 17th is refused" wait_for 20 reason_is many Conflicts SubnetLimit
check "16 are in quarantine" wait_for 10 status_is many quarantined 16
check "17 have an address" wait_for 10 served_is 17
same "one of them that in conflict" 1 "$(k get macvlanips -o json | jq '[.items[] | select(.status.phase == "Conflict")] | length')"
finish 40 56
check "all are freed" wait_for 20 no_records
k delete macvlansubnets -n kube-system --all --timeout=60s >/dev/null
# ------------------------------------------------------------------------------- the node's word
# Where nodes report, what they say of a conflict frees nothing before they say that there is no card.
restart 3600 --attached-by report
subnet asked 10.85.0.0/24 'vlan: 85' 'ipDelayReuse: 0' \
	'ranges: [{rangeStart: 10.85.0.10, rangeEnd: 10.85.0.19}]' | k apply -f - >/dev/null
marked() { [ -n "$(k get macvlanip "$1" -o jsonpath='{.metadata.deletionTimestamp}' 2>/dev/null)" ]; }
# What is served after this has been said is served by who has seen it.
looked() {
	pods "$1" "$1" asked | k create -f - >/dev/null
	check "p$1 is served meanwhile" wait_for 10 cidr_is "p$1" "$2"
}
# down NAME: the node's answer
down() {
	curls PATCH application/merge-patch+json \
		"{\"status\":{\"cardDown\":\"$(k get macvlanip "$1" -o jsonpath='{.spec.podId}')\"}}" "$IPS/$1/status"
}
pods 60 60 asked | k create -f - >/dev/null
check "a pod whose ADD is through, and that has no IP yet" wait_for 20 cidr_is p60 10.85.0.10/24
uid=$(uid_of p60)
report p60 Conflict 0a:00:00:00:02:01
check "a conflict marks its record" wait_for 10 marked p60
looked 61 10.85.0.11/24
same "and its address stays: nobody has said that the card is down" "$uid 10.85.0.10/24" \
	"$(uid_of p60) $(k get macvlanip p60 -o jsonpath='{.spec.cidr}')"
same "nor is it set aside" "" "$(quarantined asked)"
report p60 Attached
looked 62 10.85.0.12/24
down p60
report p60 Conflict 0a:00:00:00:02:01
check "its card is up: it keeps it, whatever follows" wait_for 10 told p60 'the pod keeps it'
same "in the same record" "$uid 10.85.0.10/24" \
	"$(uid_of p60) $(k get macvlanip p60 -o jsonpath='{.spec.cidr}')"
# Over with that: a new leader would not know that the card was up before the node said that it is down.
report p60 Attached

report p61 Conflict 0a:00:00:00:02:02
check "another's conflict" wait_for 10 marked p61
same "... is told with what follows" 1 "$(messages p61 AddressConflict | grep -c 'once node n1 says that the pod has no card')"
restart 3600 --attached-by report
check "a restart takes over" wait_for 20 status_is asked allocation.term 2
looked 63 10.85.0.13/24
check "... and waits for the node's word, too" cidr_is p61 10.85.0.11/24
down p61
check "no card, says the node: it gets another" wait_for 10 cidr_is p61 10.85.0.14/24
check "the address is in quarantine" wait_for 5 quarantined_are asked "10.85.0.0/24 11"
finish 60 63
for ((i = 60; i <= 63; i++)); do marked "p$i" && down "p$i"; done
check "all are freed" wait_for 20 no_records
k delete macvlansubnets -n kube-system --all --timeout=60s >/dev/null
controller_bounce

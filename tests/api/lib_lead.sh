# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Part of controller.sh: two controllers, one of which leads.
# replica NAME: with a short lease, and an end that nobody saw held for longer than this test lasts
replica() {
	candidate "$1" --hold-unwitnessed 600 --leader-elect-lease-duration 6s \
		--leader-elect-renew-deadline 5s --leader-elect-retry-period 500ms
}

lease_is() { [ "$(k get "${LEASE[@]}" -o jsonpath="{.spec.$1}")" = "$2" ]; }
stands_by() { grep -E "msg=(started|leading|\"standing by\")" "$DIR/$1.log" | tail -n 1 | grep -q "standing by"; }
ended() { ! kill -0 "$1" 2>/dev/null; }

# ends NAME CODE DESCRIPTION
ends() {
	local pid=pid_$1 code=0
	pid=${!pid}
	check "$3" wait_for 20 ended "$pid"
	wait "$pid" || code=$?
	same "with status $2" "$2" "$code"
}

! controller_alive || stop "$pid_controller"
subnet lead 10.70.0.0/24 'ipDelayReuse: 0' \
	'ranges: [{rangeStart: 10.70.0.10, rangeEnd: 10.70.0.14}]' | k apply -f - >/dev/null
replica one
check "one leads" wait_for 20 leads one
check "it claims the subnet" wait_for 10 status_is lead free 5
replica two
check "the other stands by" wait_for 10 stands_by two
pods 6001 6003 lead | k create -f - >/dev/null
check "pods are served" wait_for 10 served_is 3
same "by the leader" "$(holder_of one) 1" \
	"$(k get macvlansubnet -n kube-system lead -o jsonpath='{.status.allocation.holder} {.status.allocation.term}')"
check "the Lease is made as others make it" lease_is leaseTransitions 0
same "with its duration" 6 "$(k get "${LEASE[@]}" -o jsonpath='{.spec.leaseDurationSeconds}')"

# What ends while nobody leads: the standby has seen how.
kill -9 "$pid_one"
finish 6001 6001
k delete pod p6002 --force --grace-period=0 >/dev/null 2>&1
pods 6004 6004 lead | k create -f - >/dev/null
check "killed, the other leads" wait_for 20 leads two
check "with the next term" wait_for 10 status_is lead allocation.term 2
check "and serves" wait_for 10 have 6004 6004
check "a pod whose end it saw as the standby frees its address" wait_for 10 gone macvlanip p6001
check "one taken from under the kubelet does not" wait_for 10 status_is lead reserved 1
same "beside the two that live" 2 "$(k get macvlansubnet -n kube-system lead -o jsonpath='{.status.used}')"

# A record taken away by force while its pod lives; the leader writes it, so both have seen it come.
k patch macvlanip p6003 --type merge -p '{"metadata":{"finalizers":null}}' >/dev/null
before=$(k get macvlanip p6003 -o jsonpath='{.spec}')
k delete macvlanip p6003 --wait=false >/dev/null 2>&1
made_anew() { [ "$(k get macvlanip p6003 -o jsonpath='{.spec}')" = "$before" ]; }
check "a record made again has its address" wait_for 10 made_anew

replica one
check "the first one again stands by" wait_for 10 stands_by one
kill -TERM "$pid_two"
ends two 0 "SIGTERM ends the leader"
check "the lease was released" grep -q 'level=info.*msg=leading' <(
	wait_for 10 leads one
	cat "$DIR/one.log"
)
check "the next one claims it at once" wait_for 10 status_is lead allocation.term 3
same "and the count goes on" 2 "$(k get "${LEASE[@]}" -o jsonpath='{.spec.leaseTransitions}')"

replica two
check "another stands by" wait_for 10 stands_by two
kill -STOP "$pid_one"
check "frozen, it loses the lease" wait_for 20 leads two
check "and the subnet" wait_for 10 status_is lead allocation.term 4
kill -CONT "$pid_one"
ends one 3 "woken, it exits"
k patch "${LEASE[@]}" --type merge -p '{"spec":{"holderIdentity":"somebody"}}' >/dev/null
ends two 3 "the lease in another hand ends it"

k delete "${LEASE[@]}" >/dev/null
k delete pods --all --force --grace-period=0 >/dev/null 2>&1
controller_up
check "the last are held, then free" wait_for 20 no_records
k delete macvlansubnets -n kube-system --all --timeout=20s >/dev/null

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the schema of MacvlanSubnet refuses, through kubectl as a user would meet it, and what it
# lets pass. Nothing is stored.
set -euo pipefail
# shellcheck source=tests/cluster/testlib.sh
. "$(dirname "$0")/testlib.sh"

offer() {
	k create --dry-run=server --validate=false -f - 2>&1
}

# refused FIELD LINE...: a subnet whose lines replace those of a good one; the answer names FIELD
refused() {
	local field=$1 answer rc=0 line

	shift
	answer=$(body "$@" | offer) || rc=$?
	line="refused: $*"
	if [ "$rc" -eq 0 ]; then
		fail "$line" "was accepted"
	elif [[ $answer != *"$field"* ]]; then
		fail "$line" "the answer does not name $field: $answer"
	else
		pass "$line"
	fi
}

accepted() {
	local answer

	if answer=$(body "$@" | offer); then
		pass "accepted: $*"
	else
		fail "accepted: $*" "$answer"
	fi
}

# body LINE...: a good subnet in which each line replaces the one of the same key; "-key" drops it
body() {
	local line key spec="master: ens4
vlan: 100
cidr: 192.168.100.0/24"

	for line; do
		key=${line%%:*}
		key=${key#-}
		spec=$(grep -v "^$key:" <<<"$spec" || true)
		[ "${line#-}" != "$line" ] || spec+=$'\n'$line
	done
	printf 'apiVersion: tandem-cni.io/v1\nkind: MacvlanSubnet\n'
	printf 'metadata: {name: schema, namespace: kube-system}\nspec:\n'
	printf '  %s\n' "${spec//$'\n'/$'\n'  }"
}

refused spec.master -master
refused spec.master 'master: ""'
refused spec.master 'master: "a b"'
refused spec.cidr -cidr
refused spec.cidr 'cidr: 192.168.100.0'
refused spec.cidr 'cidr: 192.168.100.256/24'
refused spec.cidr 'cidr: 192.168.100.0/33'
refused spec.cidr 'cidr: nonsense'
refused spec.vlan 'vlan: -1'
refused spec.vlan 'vlan: 4095'
refused spec.vlan 'vlan: "100"'
refused spec.mode 'mode: routed'
refused spec.linkType 'linkType: vlan'
refused spec.gateway 'gateway: 192.168.100'
refused spec.mtu 'mtu: -5'
refused spec.ipDelayReuse 'ipDelayReuse: -1'
refused spec.ipDelayReuse 'ipDelayReuse: 216001'
refused spec.ranges 'ranges: [{rangeStart: 192.168.100.9}]'
refused spec.ranges 'ranges: [{rangeStart: x, rangeEnd: y}]'
refused spec.routes 'routes: [{gw: 192.168.100.1}]'
refused spec.routes 'routes: [{dst: 10.0.0.0/40}]'
refused spec.routes 'routes: [{dst: 10.0.0.0/8, iface: eth2}]'
refused spec.podDefaultGateway 'podDefaultGateway: {enable: "yes"}'
refused spec.podDefaultGateway 'podDefaultGateway: {enable: true, serviceCidr: all}'

accepted
accepted 'vlan: 0'
accepted 'vlan: 4094'
accepted 'mode: private'
accepted 'linkType: ipvlan' 'mode: l3s'
accepted 'ipDelayReuse: 216000'
accepted 'routes: [{dst: 0.0.0.0/0, gw: 192.168.100.1, iface: eth0}]'
accepted 'podDefaultGateway: {enable: true, serviceCidr: "10.43.0.0/16,fd00:43::/112"}'
accepted 'cidr: fd00:100::/64'

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The cluster's own proxy is behind it: what the programs leave alone goes by the node and its iptables rules, as kube-proxy
# writes them, and what they translate never meets these.

. "$(dirname "$0")/lib.sh"
services_lab macvlan
pod A 5
pod B 10
pod C 11
serve "$B" b 192.168.10.10 5201
serve "$C" c 192.168.10.11 5201

# The node leads every ClusterIP to c, those without endpoints to REJECT; the socket programs will lead them to b.
in_ns "$NODE" ip link add host0 link lan0 type macvlan mode bridge
in_ns "$NODE" ip addr add 192.168.10.1/24 dev host0
in_ns "$NODE" ip link set host0 up
in_ns "$NODE" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.host0.send_redirects=0
in_ns "$A" ip route add 10.96.0.0/16 via 192.168.10.1
in_ns "$NODE" ip route add 10.96.0.0/16 dev lan1 # it has one for everything, as nodes have
NONE=10.96.0.102 HOST=10.96.0.110
for proto in tcp udp; do
	for ip in $VIP $HOST; do
		in_ns "$NODE" iptables -t nat -A PREROUTING -d "$ip" -p $proto --dport 80 -j DNAT --to-destination 192.168.10.11:5201
	done
	in_ns "$NODE" iptables -A FORWARD -d $NONE -p $proto -j REJECT
done
in_ns "$NODE" iptables -t nat -A POSTROUTING -s 192.168.10.0/24 -d 192.168.10.0/24 -j MASQUERADE
met() { in_ns "$NODE" iptables -t nat -vxnL PREROUTING | awk -v ip="$1" '$9 == ip { n += $1 } END { print n + 0 }'; }

same "before: by the node" "c peer $VIP:80 source 192.168.10.5" "$(ask "$A" tcp $VIP 80)"
same "before: no endpoints" ECONNREFUSED "$(ask "$A" tcp $NONE 80)"
check "svc add" services svc add --service=$VIP:80 --backend=192.168.10.10:5201
before=$(met $VIP)
for way in tcp udp datagram; do same "$way: by the programs" b "$(ask "$A" $way $VIP 80 | cut -c 1)"; done
same "no packet has met a rule" "$before" "$(met $VIP)"
same "another ClusterIP goes by the node" c "$(ask "$A" tcp $HOST 80 | cut -c 1)"

# ---------------------------------------------------------------------------- left to it
check "svc add without endpoints" services svc add --service=$NONE:80 --backend=
check "load --no-endpoints pass" services load --no-endpoints pass
same "without endpoints it meets REJECT, TCP" ECONNREFUSED "$(ask "$A" tcp $NONE 80)"
same "UDP" ECONNREFUSED "$(ask "$A" udp $NONE 80)"
services ep add --netns="/run/netns/$A" --skip
before=$(met $VIP)
for way in tcp udp datagram tcp6; do same "skipped, $way: the packets leave with the ClusterIP" c "$(ask "$A" $way $VIP 80 | cut -c 1)"; done
check "and have met the rules" [ "$(met $VIP)" -gt "$before" ]
services ep add --netns="/run/netns/$A" --scope=7 --single
same "a single card with hostAccess: by the node" c "$(ask "$A" tcp $VIP 80 | cut -c 1)"
services svc add --service=$VIP:80 --backend=192.168.10.10:5201 --scope=7
same "to what is on its LAN: straight" b "$(ask "$A" tcp $VIP 80 | cut -c 1)"
services ep del --netns="/run/netns/$A"
check "load --udp=false" services load --udp=false
same "without UDP: by the node" "b c" "$(ask "$A" tcp $VIP 80 | cut -c 1) $(ask "$A" udp $VIP 80 | cut -c 1)"
check "unload" services unload
same "after: by the node" "c peer $VIP:80 source 192.168.10.5" "$(ask "$A" tcp $VIP 80)"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The node's door: the plugin without kubeconfig, tandem-node that asks for it, and a real API server.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-apiserver.sh"
contract_node
apiserver_start
SOCKET=$DIR/run/node.sock

show_logs() { [ "$tests_failed" -eq 0 ] || tail -n 40 "$DIR"/api/{node,second}.log | sed 's/^/    | /'; }
at_exit show_logs

# node_up [NAME]: a daemon; its process ID in PID_NAME (node)
node_up() {
	apiserver_spawn "${1:-node}" "$TANDEM_NODE_BIN" --kubeconfig "$DIR/kubeconfig" --node-name n1 --state-dir "$DIR/state" \
		--conf "$DIR/none" --plugin "$TANDEM_BIN" --socket "${2:-$SOCKET}" --v 4
}
door_is_open() { [ -S "$SOCKET" ]; }
# node_is_up NAME: a daemon has opened the door. Not for check(), which has a shell of its own.
node_is_up() {
	node_up
	check "$1" wait_for 60 door_is_open
}
watches() { [ "$(asked tandem-node/ watch)" -gt 0 ]; }
logged() { grep -qF "$2" "$DIR/api/$1.log"; }

# asked AGENT VERB [NAME]: how many requests of it the API server has seen
asked() {
	grep -F "\"verb\":\"$2\"" "$DIR/api/audit.log" | grep -F "\"userAgent\":\"$1" | grep -cF "${3:+\"name\":\"$3\"}"
}
asked_for() { [ "$(asked tandem-node-door/ get "$1")" -ge "${2:-1}" ]; }

# asks [KEYS]: a pod with a card, in a conf without kubeconfig; directly: with it
directly() { conf "${2:-$(primary)}" '{"io.kubernetes.cri.pod-annotations":{"tandem-cni.io/subnet":"vlan100"}}' "${1:-}" | sed "s,$DIR/node.sock,$SOCKET,"; }
asks() { directly "$@" | without_kubeconfig; }
without_kubeconfig() { sed -E 's/"kubeconfig":"[^"]*",//'; }
net() { echo '{"cidr":"192.168.100.'"$1"'/24","mac":"0a:00:00:00:00:'"$(printf %02x "$1")"'","gateway":"192.168.100.1"}'; }
pod() { # pod NAME [ADDRESS]
	new_pod
	POD_NAME=$1 POD_UID=$(cat /proc/sys/kernel/random/uuid)
	[ $# -lt 2 ] || record "$1" "$POD_UID" "$(net "$2")"
}
addresses() { ip -n "$POD" -j -4 addr show eth1 2>/dev/null | jq -r '.[0].addr_info[] | "\(.local)/\(.prefixlen)"'; }
ended() { # ended CONF NAME: DEL leaves nothing
	cni DEL "$1"
	silent "$2: DEL"
	same "$2: nothing left" "" "$(leftovers)"
	drop_pod
}
# unserved NAME TEXT: code 11, and nothing left but the hint for the next ADD
unserved() {
	says "$1" 11 "$2"
	rm -f "$DIR/state/hints/$POD_UID"
	same "$1: nothing left" "" "$(leftovers)"
}

# speak WHAT: raw bytes, a Perl string, to the socket; the answer without its length, or nothing
speak() {
	perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or exit 3; $s->autoflush; local $SIG{PIPE} = "IGNORE";
		print $s eval $ARGV[1]; local $/; my $a = <$s> // ""; print substr($a, 4) if length $a' "$SOCKET" "$1"
}
# shellcheck disable=SC2016 # Perl's own variables
ask_json() { speak 'my $j = q('"$1"'); pack("N", length $j) . $j'; }
# guests: how many connections the daemon has that are not to the API server, its listening socket among them
guests() {
	find "/proc/$PID_node/fd" -lname 'socket:*' -printf '%l\n' | tr -dc '0-9\n' |
		grep -cvxFf <(awk '{ print $10 }' "/proc/$PID_node/net/tcp" "/proc/$PID_node/net/tcp6")
}
guests_are() { [ "$(guests)" = "$1" ]; }

# --- open -------------------------------------------------------------------------------------------

node_is_up "tandem-node opens the door"
check "it watches the records of its node" wait_for 60 watches
same "its folder is made, and the socket is root's alone" "755 600 0 0" "$(stat -c %a "$DIR/run") $(stat -c '%a %u %g' "$SOCKET")"

pod there 50
cni ADD "$(asks)"
succeeded "ADD by the door, without kubeconfig"
same "the card is there" 192.168.100.50/24 "$(addresses)"
same "nobody but the door has asked, once" "1 0 0 0" \
	"$(asked tandem-node-door/ get there) $(asked tandem-node-door/ watch) $(asked tandem-node-door/ list) $(grep -c '"userAgent":"tandem/' "$DIR/api/audit.log")"
ended "$(asks)" "the same conf"
for n in 2 3; do
	new_pod
	cni ADD "$(asks)"
	succeeded "ADD number $n of a record that the node has long seen"
	same "each asks again" "$n" "$(asked tandem-node-door/ get there)"
	cni DEL "$(asks)"
	drop_pod
done

# --- waiting ----------------------------------------------------------------------------------------

# A call in the background: begin CONF; end_of_call sets RC OUT ERR as cni does
begin() {
	rm -f "$DIR/pid"
	(
		# shellcheck disable=SC2016 # its own $$
		CNI_UNDER=(env --default-signal=TERM sh -c 'echo $$ >"$0" && exec "$@"' "$DIR/pid")
		cni ADD "$1" && echo "$RC" >"$DIR/rc"
	) &
	CALL=$!
}
end_of_call() {
	wait "$CALL"
	RC=$(cat "$DIR/rc") OUT=$(cat "$DIR/out") ERR=$(cat "$DIR/err")
}
now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }
LONG='"deadlineSeconds":29,'

pod late
begin "$(asks "$LONG")"
check "an ADD before its record has asked" wait_for 20 asked_for late
record late "$POD_UID" "$(net 51)"
given=$(now_ms)
end_of_call
took=$(($(now_ms) - given))
succeeded "it is served when the address comes"
same "with it" 192.168.100.51/24 "$(addresses)"
check "at once: ${took} ms" [ "$took" -lt "$(scaled 2000 20000)" ]
same "it cost no watch, and one GET more" "2 0 0" \
	"$(asked tandem-node-door/ get late) $(asked tandem-node-door/ watch) $(asked tandem/ watch)"
ended "$(asks)" "a late record"

pod former 52
POD_UID=$(cat /proc/sys/kernel/random/uuid)
cni ADD "$(asks "$SHORT")"
unserved "the record of a former pod" "it still belongs to a former pod of that name"
drop_pod
pod nobody
cni ADD "$(asks "$SHORT")"
unserved "no record" "address of pod default/nobody: waiting for nobody: deadline exceeded: "
# On a machine that is busy the last of its questions may not have been answered.
check "no record: the reason" grep -qE 'it does not exist|macvlanips/nobody: no answer before the deadline' <<<"$OUT"
drop_pod

pod stopped
begin "$(asks "$LONG")"
check "an ADD waits" wait_for 20 asked_for stopped
kill -TERM "$(cat "$DIR/pid")"
end_of_call
says "SIGTERM ends it" 11 "stopped by SIGTERM"
rm -f "$DIR/state/hints/$POD_UID"
same "with everything taken back" "" "$(leftovers)"
drop_pod

pod away
apiserver_away
begin "$(asks "$LONG")"
check "an ADD while the API server is away has begun" wait_for 20 test -e "$(state_file)"
apiserver_back
record away "$POD_UID" "$(net 61)"
end_of_call
succeeded "is served when it is back"
ended "$(asks)" "the API server away"

# --- what else is asked -----------------------------------------------------------------------------

kubectl_node apply -f - >/dev/null <<-'YAML'
	apiVersion: v1
	kind: Pod
	metadata: {name: silent, namespace: default, annotations: {tandem-cni.io/subnet: vlan100}}
	spec: {nodeName: n1, containers: [{name: c, image: none, env: [{name: SECRET, value: hush}]}]}
YAML
unsaid() { conf "$(primary)" '{}' "${1:-}" | sed "s,$DIR/node.sock,$SOCKET," | without_kubeconfig; }
new_pod
POD_NAME=silent POD_UID=$(kubectl_node get pod silent -o jsonpath='{.metadata.uid}')
record silent "$POD_UID" "$(net 53)"
cni ADD "$(unsaid)" CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=silent"
succeeded "a runtime that passes neither annotations nor UID"
same "the pod's are asked for" 192.168.100.53/24 "$(addresses)"
ended "$(unsaid)" "a runtime without annotations"
same "of a pod the door tells who it is and its annotations, and no more" '[["metadata"],["annotations","name","namespace","uid"]]' \
	"$(ask_json '{"version":1,"verb":"pod","namespace":"default","name":"silent","waitMilliseconds":5000}' |
		jq -c '.object | [keys, (.metadata | keys)]')"
new_pod
POD_NAME=absent POD_UID=
cni ADD "$(unsaid "$SHORT")"
refused "a pod that is not there" 11 "get pod default/absent"
drop_pod

pod claimed 54
kubectl_node get macvlanip claimed -o json | jq --arg uid "$POD_UID" '.status = {cardDown: $uid}' |
	kubectl_node replace --raw /apis/tandem-cni.io/v1/namespaces/default/macvlanips/claimed/status -f - >/dev/null
cni ADD "$(asks)"
succeeded "a record whose card is said to be down"
same "is claimed" null "$(kubectl_node get macvlanip claimed -o json | jq .status.cardDown)"
same "by the door, in one write" "1 0" "$(asked tandem-node-door/ patch claimed) $(asked tandem/ patch)"
ended "$(asks)" "a claim"
patch='{"version":1,"verb":"patch","namespace":"default","name":"claimed","waitMilliseconds":5000,"message":"x","uid":"1","resourceVersion":"1"}'
same "a write is refused where the record is not as it was read" "conflict 409" \
	"$(ask_json "$patch" | jq -r '.error | "\(.kind) \(.status)"')"
same "and where it is not there" "not-found 404" "$(ask_json "${patch/claimed/nothing}" | jq -r '.error | "\(.kind) \(.status)"')"

# --- the order --------------------------------------------------------------------------------------

# What a question finds on the disk at the moment at which it comes, then no answer.
OTHER=$DIR/other.sock
perl -MIO::Socket::UNIX -e 'my $l = IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 1) or die; open(my $out, ">", $ARGV[2]); $out->autoflush;
	my $s = $l->accept; read $s, my $n, 4; read $s, my $q, unpack("N", $n); print $out join(" ", map { s,.*/,,r } glob "$ARGV[1]/*"), " $q\n"' \
	"$OTHER" "$DIR/state/attachments" "$DIR/found" &
other=$!
wait_for 20 test -S "$OTHER" || fail "the other door" "does not open"
pod order 55
cni ADD "$(directly | sed "s,$SOCKET,$OTHER,")"
wait "$other"
succeeded "a door that breaks off: the direct way"
same "the state file stands before the question" "$CID@eth0 record order" \
	"$(cut -d' ' -f1 "$DIR/found") $(cut -d' ' -f2- "$DIR/found" | jq -r '"\(.verb) \(.name)"')"
same "it asked directly, once" 1 "$(asked tandem/ get order)"
ended "$(directly)" "the direct way"

# --- no door ----------------------------------------------------------------------------------------

kill "$PID_node"
wait "$PID_node"
check_fails "a daemon that ends takes its socket along" test -e "$SOCKET"
pod shut 56
cni ADD "$(asks "$SHORT")"
unserved "neither door nor kubeconfig" "tandem-node does not answer at $SOCKET"
cni ADD "$(directly)"
succeeded "no door, but a kubeconfig"
ended "$(directly)" "no door"
new_pod
CID=plain-$CID
cni ADD "$(conf "$(primary)" | sed "s,$DIR/node.sock,$SOCKET," | without_kubeconfig)"
succeeded "a pod that asks for nothing needs neither"
cni DEL "$(asks)"
drop_pod

pod opens 57
begin "$(asks "$LONG")"
node_is_up "the door is opened while an ADD waits for it"
end_of_call
succeeded "the ADD is served"
ended "$(asks)" "a door that opens late"

# A daemon that has stopped takes questions and never answers.
pod hung 58
kill -STOP "$PID_node"
cni ADD "$(directly "$LONG")"
kill -CONT "$PID_node"
succeeded "a door that never answers: the direct way, inside the deadline"
ended "$(directly)" "a door that never answers"

# --- one daemon -------------------------------------------------------------------------------------

node_up second
check "a second daemon says that the socket is taken" wait_for 20 logged second "another daemon has this socket"
pod both 59
cni ADD "$(asks)"
succeeded "the first serves"
ended "$(asks)" "two daemons"
kill -9 "$PID_node"
wait "$PID_node" 2>/dev/null
check "the second takes over when the first is killed" wait_for 20 logged second "the door is open"
new_pod
cni ADD "$(asks)"
succeeded "and serves"
ended "$(asks)" "the second"
apiserver_end second
node_is_up "a socket that a killed daemon has left is replaced"
mkdir "$DIR/open" && chmod 777 "$DIR/open" && mkdir "$DIR/taken" && echo mine >"$DIR/taken/node.sock"
node_up open "$DIR/open/node.sock"
check "no door in a folder where others may write" wait_for 20 logged open "others may write in this folder"
node_up taken "$DIR/taken/node.sock"
check "none in the place of another file" wait_for 20 logged taken "what is there is not a socket"
same "which stays" mine "$(cat "$DIR/taken/node.sock")"
apiserver_end open
apiserver_end taken

# --- who else comes ---------------------------------------------------------------------------------

# shellcheck disable=SC2016 # the same
nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or
	do { print "no: $!"; exit }; my $j = q({"version":1,"verb":"record","namespace":"default","name":"there","waitMilliseconds":1000});
	local $SIG{PIPE} = "IGNORE"; print $s pack("N", length $j) . $j; $s->flush; local $/; print "said: ", scalar <$s> // ""' "$SOCKET"; }
chmod 711 "$DIR"
same "the socket is not for others" "no: Permission denied" "$(nobody)"
chmod 666 "$SOCKET"
same "nor is the door, whatever the socket's mode" "said: " "$(nobody)"
chmod 600 "$SOCKET"
chmod 700 "$DIR"

quiet=$(guests)
said() { jq -r '.error | "\(.kind): \(.message)"' <<<"$1"; }
same "no length" "decode: a message of 0 bytes; 1 to 16384 are possible" "$(said "$(speak '"\0\0\0\0"')")"
same "too long" "decode: a message of 16385 bytes; 1 to 16384 are possible" "$(said "$(speak '"\0\0\x40\x01"')")"
same "HTTP" "decode: a message of 1195725856 bytes; 1 to 16384 are possible" "$(said "$(speak '"GET / HTTP/1.1\r\n\r\n"')")"
same "more than it says" "decode: bytes beyond the end of the message" "$(said "$(speak '"\0\0\0\2{}{}"')")"
same "no JSON" "decode: request: no JSON value at byte 0" "$(said "$(speak '"\0\0\0\2xx"')")"
same "another version" "version: request: version 2, not 1" "$(said "$(ask_json '{"version":2}')")"
same "an unknown verb" 'unsupported: request: verb: "list" is not known' "$(said "$(ask_json '{"version":1,"verb":"list"}')")"
same "a name that is none" "decode: request: not a name of Kubernetes'" \
	"$(said "$(ask_json '{"version":1,"verb":"record","namespace":"default","name":"../secrets/x","waitMilliseconds":1}')")"
same "a write without conditions" "decode: request: resourceVersion: is missing" \
	"$(said "$(ask_json '{"version":1,"verb":"patch","namespace":"default","name":"there","uid":"1","waitMilliseconds":1}')")"
same "half a question gets nothing, and is not waited for" "" "$(speak '"\0\0\0\x40{"')"
check "nothing of them is left" wait_for 20 guests_are "$quiet"

# crowd N: so many connections that say nothing, as long as it lives
crowd() {
	perl -MIO::Socket::UNIX -e 'my @s; for (1 .. $ARGV[1]) { my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "$_: $!"; push @s, $s }
		print "in\n"; close STDOUT; sleep 300' "$SOCKET" "$1" >"$DIR/crowd" &
	CROWD=$!
}
crowd 2000
check "two thousand connections" wait_for 60 grep -q in "$DIR/crowd"
check "of which 512 at most are kept" [ "$(guests)" -le $((quiet + 512)) ]
pod crowded 60
cni ADD "$(asks "$LONG")"
succeeded "an ADD meanwhile"
check "those that say nothing are closed" wait_for 20 guests_are "$quiet"
kill "$CROWD"
wait "$CROWD" 2>/dev/null
ended "$(asks)" "a crowd"

question='{"version":1,"verb":"record","namespace":"default","name":"gone","podUID":"u","waitMilliseconds":60000}'
ask_json "$question" >"$DIR/gone" &
gone=$!
check "who waits for a record" wait_for 20 asked_for gone
check "has a connection" [ "$(guests)" -gt "$quiet" ]
kill -9 "$(pgrep -P "$gone" perl || echo "$gone")"
wait "$gone" 2>/dev/null
check "which goes when he goes" wait_for 20 guests_are "$quiet"

# --- fifty wait, and the daemon dies ----------------------------------------------------------------

MANY=50
declare -a pods
mkdir -p "$DIR/state/hints"
for ((i = 0; i < MANY; i++)); do
	new_pod
	POD_UID=$(cat /proc/sys/kernel/random/uuid)
	pods+=("$POD $NETNS $CID many-$i $POD_UID")
	# A former ADD has got no address: so this one asks before it runs the primary.
	: >"$DIR/state/hints/$POD_UID"
done
# of I: the variables of that pod
of() { read -r POD NETNS CID POD_NAME POD_UID <<<"${pods[$1]}"; }
# Every other one has a kubeconfig as well.
conf_of() { if [ $(($1 % 2)) = 0 ]; then asks "$LONG"; else directly "$LONG"; fi; }
# many_add I: in a shell of its own, again as a kubelet does when a busy machine lets the deadline pass
many_add() {
	local out=$DIR/many-$1 tries
	of "$1"
	mkdir "$out"
	for tries in 1 2 3 4; do
		many_try "$1" "$out"
		echo "$tries" >"$out/tries"
		[ "$(cat "$out/rc")" != 0 ] && [ "$(jq .code "$out/out")" = 11 ] || break
	done
}
many_try() {
	conf_of "$1" | env -i PATH="$PATH" CNI_COMMAND=ADD CNI_CONTAINERID="$CID" CNI_NETNS="$NETNS" CNI_IFNAME=eth0 \
		CNI_PATH="$DIR/bin:$CNI_PLUGINS" CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=$POD_NAME;K8S_POD_UID=$POD_UID" \
		nsenter --net=/run/netns/"$NODE" "$TANDEM_BIN" >"$2/out" 2>"$2/err"
	echo $? >"$2/rc"
}
waiting() { # how many of them have asked at the door
	grep -F '"userAgent":"tandem-node-door/' "$DIR/api/audit.log" | grep -oE '"name":"many-[0-9]+"' | sort -u | wc -l
}
all_wait() { [ "$(waiting)" = "$MANY" ]; }
watched() { asked tandem-node-door/ watch; }
jobs=()
for ((i = 0; i < MANY; i++)); do
	many_add "$i" &
	jobs+=($!)
done
check "$MANY ADDs wait at the door" wait_for 25 all_wait
same "which watches nothing for them" 0 "$(watched)"
kill -9 "$PID_node"
wait "$PID_node" 2>/dev/null
for ((i = 0; i < MANY; i++)); do
	of "$i"
	jq -nc --arg name "$POD_NAME" --arg uid "$POD_UID" --argjson net "$(net $((100 + i)))" '{apiVersion: "tandem-cni.io/v1", kind: "MacvlanIP",
		metadata: {namespace: "default", name: $name, labels: {"tandem-cni.io/node": "n1"}},
		spec: ({subnet: "vlan100", podId: $uid, node: "n1", master: "ens4", vlan: 0} + $net)}'
done | kubectl_node create -f - >/dev/null
node_is_up "the daemon is back"
wait "${jobs[@]}"
served=0
for ((i = 0; i < MANY; i++)); do
	of "$i"
	if [ "$(cat "$DIR/many-$i/rc")" = 0 ] && [ "$(addresses)" = "192.168.100.$((100 + i))/24" ]; then
		served=$((served + 1))
	else
		sed 's/^/    /' "$DIR/many-$i/out"
	fi
done
same "all are served, each with its address" "$MANY" "$served"
echo "    tries of each: $(cat "$DIR"/many-*/tries | sort | uniq -c | xargs)"
same "one attachment each" "$MANY" "$(find "$DIR/state/attachments" -type f | wc -l)"
same "one address of the primary's each" "$MANY" "$(find "$DIR/host-local" -type f ! -name 'last_reserved_ip*' ! -name lock | wc -l)"
for ((i = 0; i < MANY; i++)); do
	of "$i"
	cni DEL "$(conf_of "$i")"
	[ "$RC" = 0 ] || fail "DEL of many-$i" "$OUT"
	drop_pod
done
new_pod
same "and nothing is left behind" "" "$(leftovers)"
check "nor at the door" wait_for 20 guests_are "$quiet"
drop_pod

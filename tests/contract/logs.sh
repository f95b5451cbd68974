#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The log: a line for each step with its duration, a bounded file, no secrets; and log settings that make
# no sense never fail a pod.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-apiserver.sh"
contract_node
apiserver_start

NET100='{"cidr":"192.168.100.50/24","mac":"0a:00:00:00:00:32","gateway":"192.168.100.1"}'
asks() { conf "$(primary)" '{"io.kubernetes.cri.pod-annotations":{"tandem-cni.io/subnet":"vlan100"}}' | sed 's/"debug"/"info"/'; }
# lines COMMAND: its steps, in the order of the log
steps() { sed -nE "s/.* msg=step command=$1 container=$CID step=([A-Za-z]+) us=[0-9]+\$/\1/p" "$DIR/log" | tr '\n' ' ' | sed 's/ $//'; }

new_pod
POD_NAME=logged
POD_UID=$(cat /proc/sys/kernel/random/uuid)
record logged "$POD_UID" "$NET100"
cni ADD "$(asks)"
succeeded "ADD"
cni CHECK "$(asks)"
cni DEL "$(asks)"
# The record and the card overlap with the primary.
same "each step of ADD has a line with its duration" "annotations card conf primary record announce result routes" \
	"$(steps ADD | tr ' ' '\n' | head -n 5 | sort | tr '\n' ' ')$(steps ADD | tr ' ' '\n' | tail -n +6 | sort | tr '\n' ' ' | sed 's/ $//')"
same "of CHECK, which changes nothing, none" "" "$(steps CHECK)"
same "of DEL" "conf state primary card" "$(steps DEL)"
same "one line tells the whole of it" 1 "$(grep -c " msg=DEL container=$CID total_us=[0-9]*$" "$DIR/log")"
same "and of ADD" 1 "$(grep -c " msg=ADD container=$CID namespace=default pod=logged card=eth1 address=192.168.100.50/24 mac=0a:00:00:00:00:32 .*total_us=[0-9]*$" "$DIR/log")"
check_fails "all lines are key=value pairs" grep -vE '^time=[0-9T:.-]+Z level=[a-z]+ program=tandem pid=[0-9]+ msg=("[^"]*"|[^ "]+)( [a-zA-Z_]+=("([^"\\]|\\.)*"|[^ "]+))*$' "$DIR/log"
check_fails "no token is in it" grep -q secret-token "$DIR/log"
cni ADD "$(conf "$(primary)" '{"io.kubernetes.cri.pod-annotations":{"tandem-cni.io/subnet":"Not A Name","my-secret":"hunter2"}}')"
check "a failure is in it" grep -q 'level=error .* command=ADD ' "$DIR/log"
check_fails "other annotations are not" grep -q hunter2 "$DIR/log"
drop_pod

new_pod
cni ADD "$(conf)"
cni CHECK "$(conf)"
cni DEL "$(conf)"
same "with logLevel debug CHECK has its steps" "conf card primary" "$(steps CHECK)"
drop_pod

# --- the bound --------------------------------------------------------------------------------------

new_pod
POD_NAME=bounded
head -c 10485761 /dev/zero >"$DIR/log"
rm -f "$DIR/log.1"
jobs=()
for i in 1 2 3 4 5; do
	(CID=$CID-$i && text=$(conf) && : >"$DIR/go.$i" && wait_for 30 test -e "$DIR/go" && cni STATUS "$(VERSION=1.1.0 conf)") &
	jobs+=($!)
done
all_there() { [ "$(find "$DIR" -maxdepth 1 -name 'go.*' | wc -l)" = 5 ]; }
wait_for 30 all_there
: >"$DIR/go"
wait "${jobs[@]}"
same "a file of over 10 MiB is put away as a whole, once" 10485761 "$(head -c 10485761 "$DIR/log.1" | tr -d -c '\0' | wc -c)"
check "and a new one begun" test "$(stat -c %s "$DIR/log")" -lt 100000

# --- settings that make no sense -----------------------------------------------------------------------

pod_with() { # pod_with NAME CONF TEXT: ADD and DEL succeed, and a warning has the text
	cni ADD "$2"
	succeeded "$1: ADD"
	check "$1: a warning says so" grep -qF "$3" <<<"$ERR"
	cni DEL "$2"
	succeeded "$1: DEL"
}
mkdir "$DIR/folder"
pod_with "a directory that is missing" "$(conf | sed "s,\"$DIR/log\",\"$DIR/none/log\",")" "cannot open the log file"
pod_with "a directory instead of a file" "$(conf | sed "s,\"$DIR/log\",\"$DIR/folder\",")" "cannot open the log file"
pod_with "a level that is none" "$(conf | sed 's/"debug"/"chatty"/')" "logLevel: must be"
pod_with "a level that is a number" "$(conf | sed 's/"debug"/7/')" "logLevel: must be"
pod_with "a disk that is full" "$(conf | sed "s,\"$DIR/log\",\"/dev/full\",")" "step"
mkfifo "$DIR/fifo"
pod_with "a pipe that nobody reads" "$(conf | sed "s,\"$DIR/log\",\"$DIR/fifo\",")" "cannot open the log file"
cni ADD "$(conf | sed "s,\"$DIR/log\",\"\"," | sed 's/"debug"/"error"/')"
succeeded "no file and errors alone: ADD"
same "writes nothing" "" "$ERR"
cni DEL "$(conf)"
same "nothing left" "" "$(leftovers)"
drop_pod

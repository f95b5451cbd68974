#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What stands where a file of somebody else's should: a FIFO, a device, a folder, a file system that never answers.
# Each call ends within its deadline, with a text that names the file, and leaves nothing.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-apiserver.sh"
contract_node
apiserver_start

NET='{"cidr":"192.168.100.50/24","mac":"0a:00:00:00:00:32","gateway":"192.168.100.1"}'
POD_UID=$(cat /proc/sys/kernel/random/uuid)
record web "$POD_UID" "$NET"

# with_file CONF-KEY FILE [DELEGATE]: the conf of a pod that asks for a card, with that file
with_file() {
	local text
	text=$(conf "$(primary)" '{"io.kubernetes.cri.pod-annotations":{"tandem-cni.io/subnet":"vlan100"}}' '"deadlineSeconds":6,')
	case $1 in
	delegateFile) jq -c --arg f "$2" 'del(.delegate) | .delegateFile = $f' <<<"$text" ;;
	*) jq -c --arg k "$1" --arg f "$2" '.[$k] = $f' <<<"$text" ;;
	esac
}

# in_time NAME CODE TEXT LIMIT-MS CONF: an ADD fails with that, in less than so long
in_time() {
	local name=$1 code=$2 text=$3 limit=$4 start end
	tests_now_ms start
	cni ADD "$5"
	tests_now_ms end
	# Where the API server was not reached in time, the next ADD asks first.
	rm -f "$DIR/state/hints/$POD_UID"
	refused "$name" "$code" "$text"
	check "$name: in time ($((end - start)) ms)" test $((end - start)) -lt "$limit"
}

# kubeconfig KEY FILE: $DIR/kubeconfig with one more file in it
kubeconfig() {
	case $1 in
	certificate-authority) sed "s,insecure-skip-tls-verify: true,certificate-authority: $2," "$DIR/kubeconfig" ;;
	tokenFile) sed "s,token: secret-token,tokenFile: $2," "$DIR/kubeconfig" ;;
	*) sed "s,token: secret-token,token: secret-token\, client-certificate: $2\, client-key: $2," "$DIR/kubeconfig" ;;
	esac >"$DIR/kubeconfig.$1"
}

mkfifo "$DIR/fifo"
new_pod
# The machine's own trouble is worth trying again, as the kubelet does.
for what in "$DIR/fifo:a FIFO" "/dev/zero:a device" "$DIR/bin:a directory"; do
	file=${what%%:*} kind=${what#*:}
	in_time "$kind as delegateFile" 5 "open $file: it is $kind, not a regular file" 6000 "$(with_file delegateFile "$file")"
	in_time "$kind as kubeconfig" 5 "kubeconfig: open $file: it is $kind, not a regular file" 6000 "$(with_file kubeconfig "$file")"
	in_time "$kind as mastersFile" 5 "open $file: it is $kind, not a regular file" 6000 "$(with_file mastersFile "$file")"
	for key in certificate-authority tokenFile client-certificate; do
		kubeconfig $key "$file"
		in_time "$kind as $key" 5 "open $file: it is $kind, not a regular file" 6000 \
			"$(with_file kubeconfig "$DIR/kubeconfig.$key")"
	done
done

# --- in the state folder --------------------------------------------------------------------------

cni ADD "$(with_file none none)"
succeeded "an ADD with files that are files"
good=$(cat "$(state_file)"; echo x)
rm "$(state_file)"
mkfifo "$(state_file)"
cni CHECK "$(with_file none none)"
succeeded "CHECK goes on without a state file that is a FIFO"
case $ERR in
*"it is a FIFO, not a regular file"*) pass "and says so" ;;
*) fail "and says so" "$ERR" ;;
esac
rm "$(state_file)"
printf %s "${good%x}" >"$(state_file)"
cni DEL "$(with_file none none)"
silent "its DEL, once the file is back"
# What is written in their place would wait for a reader.
mkfifo "$DIR/state/attachments/$CID@eth0.tmp.0"
in_time "a FIFO where a state file is written" 5 "$CID@eth0.tmp.0" 6000 "$(with_file none none)"
rm -f "$DIR/state/attachments/$CID@eth0.tmp.0"
drop_pod

# --- a file system that is silent -----------------------------------------------------------------

mkdir "$DIR/silent"
# Whoever holds the descriptor is its server, and says nothing.
if (exec 9<>/dev/fuse) 2>/dev/null; then
	cat >"$DIR/bin/under" <<-'UNDER'
		#!/bin/bash
		exec 9<>/dev/fuse
		mount --make-rprivate / && mount -t fuse -o fd=9,rootmode=40000,user_id=0,group_id=0 silent "$1" || exit 125
		shift
		"$@" 9<&- <&0 &
		wait $!
	UNDER
	chmod +x "$DIR/bin/under"
	CNI_UNDER=(env "$NO_LEAK_CHECK" unshare -m "$DIR/bin/under" "$DIR/silent")
	new_pod
	in_time "a silent file system with delegateFile" 11 "read $DIR/silent/f: its file system did not answer in time" 7000 \
		"$(with_file delegateFile "$DIR/silent/f")"
	in_time "a silent file system with kubeconfig" 11 "read $DIR/silent/f: its file system did not answer in time" 7000 \
		"$(with_file kubeconfig "$DIR/silent/f")"
	in_time "a silent file system with mastersFile" 11 "read $DIR/silent/f: its file system did not answer in time" 7000 \
		"$(with_file mastersFile "$DIR/silent/f")"
	kubeconfig tokenFile "$DIR/silent/f"
	in_time "a silent file system with tokenFile" 11 "read $DIR/silent/f: its file system did not answer in time" 7000 \
		"$(with_file kubeconfig "$DIR/kubeconfig.tokenFile")"
	CNI_UNDER=()
	drop_pod
else
	skip "a silent file system" "no /dev/fuse"
fi

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Bad input of every kind: an error object on stdout with the specification's code, a text that names
# what is wrong, and nothing left behind. With the plugin's static binary, on real links.
# shellcheck disable=SC2016 # the scripts in quotes are plugins of their own

. "$(dirname "$0")/lib.sh"
contract_node
new_pod

# --- environment: code 4 (CNI specification 1.1.0, "Well-known Error Codes") -----------------------

cni ADD "$(conf)" CNI_CONTAINERID=
refused "ADD without CNI_CONTAINERID" 4 CNI_CONTAINERID
cni ADD "$(conf)" CNI_NETNS=
refused "ADD without CNI_NETNS" 4 CNI_NETNS
cni ADD "$(conf)" CNI_IFNAME=
refused "ADD without CNI_IFNAME" 4 CNI_IFNAME
cni ADD "$(conf)" CNI_PATH=
refused "ADD without CNI_PATH" 4 CNI_PATH
cni ADD "$(conf)" CNI_PATH= CNI_IFNAME= CNI_NETNS= CNI_CONTAINERID=
refused "all missing variables in one error" 4 "CNI_CONTAINERID"
for name in CNI_NETNS CNI_IFNAME CNI_PATH; do
	refused "all missing variables in one error: $name" 4 "$name"
done
cni DEL "$(conf)" CNI_CONTAINERID=
refused "DEL without CNI_CONTAINERID" 4 CNI_CONTAINERID
cni DEL "$(conf)" CNI_IFNAME=
refused "DEL without CNI_IFNAME" 4 CNI_IFNAME
cni BOGUS "$(conf)"
refused "unknown CNI_COMMAND" 4 BOGUS
cni ADD "$(conf)" CNI_CONTAINERID=../../etc/passwd
refused "container ID with slashes" 4 CNI_CONTAINERID
cni ADD "$(conf)" CNI_CONTAINERID=.hidden
refused "container ID that begins with a dot" 4 CNI_CONTAINERID
cni ADD "$(conf)" CNI_IFNAME=abcdefghijklmnop
refused "interface name of 16 bytes" 4 CNI_IFNAME
cni ADD "$(conf)" CNI_IFNAME=..
refused "interface name .." 4 CNI_IFNAME
cni ADD "$(conf)" CNI_IFNAME=a/b
refused "interface name with a slash" 4 CNI_IFNAME
cni ADD "$(conf)" CNI_IFNAME='a b'
refused "interface name with a blank" 4 CNI_IFNAME
cni ADD "$(conf)" CNI_ARGS='K8S_POD_NAME'
refused "CNI_ARGS without a value" 4 CNI_ARGS
cni ADD "$(conf)" CNI_ARGS='K8S_POD_NAME=a=b'
refused "CNI_ARGS with two equal signs" 4 CNI_ARGS

# --- network namespace: code 8, before anything is done -----------------------------------------

cni ADD "$(conf)" CNI_NETNS=/run/netns/"$NODE"
refused "the node's own namespace" 8 "of the host"
cni ADD "$(conf)" CNI_NETNS=/proc/1/ns/net
refused "the namespace of process 1" 8 /proc/1/ns/net
cni ADD "$(conf)" CNI_NETNS=/run/netns/no-such-namespace
refused "a namespace that is not there" 8 no-such-namespace
cni ADD "$(conf)" CNI_NETNS=/etc/hostname
refused "a file that is not a namespace" 8 /etc/hostname
cni ADD "$(conf)" CNI_NETNS=/proc/self/ns/uts
refused "a namespace of another kind" 8 uts

# --- conf: 6 for text, 7 for sense, 1 for the version --------------------------------------------

cni ADD ''
refused "empty stdin" 6 stdin
cni ADD '{'
refused "cut JSON" 6 stdin
cni ADD 'null'
refused "null instead of an object" 6 stdin
cni ADD '[]'
refused "an array instead of an object" 6 stdin
cni ADD "$(conf) x"
refused "garbage after the conf" 6 stdin
cni ADD "$(conf | sed 's/"cbr0"/"cbr0","name":"cbr1"/')"
refused "a key twice" 6 name
cni ADD "$(printf '{"name":"\xff","cniVersion":"0.4.0"}')"
refused "text that is not UTF-8" 6 stdin
cni ADD "$(printf '[%.0s' $(seq 100))"
refused "nested too deeply" 6 stdin
head -c 1100000 /dev/zero | tr '\0' ' ' >"$DIR/big"
cni ADD "$(cat "$DIR/big")x"
refused "a conf of over 1 MiB" 6 stdin
cni ADD "$(conf | sed 's/"name":"cbr0",//')"
refused "no network name" 7 name
cni ADD "$(conf | sed 's/"name":"cbr0"/"name":"a b"/')"
refused "a network name with a blank" 7 name
cni ADD "$(conf | sed 's/"name":"cbr0"/"name":7/')"
refused "a network name that is a number" 6 name
VERSION=2.0.0 cni ADD "$(VERSION=2.0.0 conf)"
refused "a cniVersion of the future" 1 2.0.0
cni ADD "$(VERSION=0.0.9 conf)"
refused "a cniVersion of the past" 1 0.0.9
cni ADD '{"cniVersion":"0.4.0","name":"cbr0","type":"tandem","stateDir":"'"$DIR/state"'"}'
refused "neither delegate nor delegateFile" 7 delegateFile
cni ADD "$(conf "$(primary)" '{}' '"delegateFile":"/etc/x",')"
refused "both delegate and delegateFile" 7 delegateFile
cni ADD "$(conf '"bridge"')"
refused "a delegate that is a string" 7 delegate
cni ADD "$(conf '{"cniVersion":"0.4.0","name":"cbr0","plugins":[]}')"
refused "a delegate without plugins" 7 plugins
cni ADD "$(conf '{"cniVersion":"0.4.0","name":"cbr0"}')"
refused "a delegate without a type" 7 plugins
cni ADD "$(conf '{"cniVersion":"9.9.9","name":"cbr0","type":"bridge"}')"
refused "a delegate of an unknown version" 1 9.9.9
cni ADD "$(conf '{"cniVersion":"0.4.0","name":"cbr0","type":"../bin/sh"}')"
refused "a delegate whose type is a path" 7 ../bin/sh
cni ADD "$(conf '{"cniVersion":"0.4.0","name":"cbr0","plugins":[{"type":"tandem"}]}')"
refused "a delegate that is this plugin again" 7 tandem
cni ADD "$(conf "$(primary)" '{}' '"deadlineSeconds":0,')"
refused "a deadline of 0" 7 deadlineSeconds
cni ADD "$(conf "$(primary)" '{}' '"deadlineSeconds":30,')"
refused "a deadline that blocks the runtime" 7 deadlineSeconds
cni ADD "$(conf | sed 's,10.43.0.0/16,10.43.0.0/33,')"
refused "a serviceCIDR that is none" 7 serviceCIDR
cni ADD "$(conf "$(primary)" '[]')"
refused "a runtimeConfig that is an array" 6 runtimeConfig
cni ADD "$(conf "$(primary)" '{"io.kubernetes.cri.pod-annotations":[]}')"
refused "annotations that are an array" 6 annotations

# --- delegateFile ------------------------------------------------------------------------------------

by_file() {
	conf x '{"io.kubernetes.cri.pod-annotations":null}' | tr -d '\n' | sed "s,\"delegate\":x,\"delegateFile\":\"$DIR/primary\","
}
cni ADD "$(by_file)"
refused "a delegateFile that is missing" 11 "$DIR/primary"
primary | head -c 200 >"$DIR/primary"
cni ADD "$(by_file)"
refused "a delegateFile that is half written" 11 "$DIR/primary"
touch -d '-31 seconds' "$DIR/primary"
cni ADD "$(by_file)"
refused "a delegateFile that is half for more than 30 s is no matter of waiting" 6 "delegateFile cannot be used, for more than 30 s: $DIR/primary: the text ends"
# Whole, and no later write of it mends it: the code says so at once.
while IFS='|' read -r name code text words; do
	echo "$text" >"$DIR/primary"
	cni ADD "$(by_file)"
	refused "a delegateFile $name" "$code" "$DIR/primary: $words"
	check_fails "a delegateFile $name: nothing is said of a time" grep -q 'cannot be used' "$DIR/out"
done <<-FILES
	whose plugins are an object|7|{"cniVersion":"0.3.1","name":"cbr0","plugins":{}}|plugins: must be an array
	that is an array|7|[1]|must be an object
	of an unknown version|1|{"cniVersion":"9.9.9","name":"cbr0","type":"bridge"}|cniVersion: "9.9.9" is not known
	that runs this plugin|7|{"cniVersion":"0.3.1","name":"cbr0","type":"tandem"}|type: "tandem" must not run itself
FILES
rm "$DIR/primary"
mkdir "$DIR/primary"
cni ADD "$(by_file)"
refused "a delegateFile that is a folder" 5 "delegateFile cannot be used: "
rmdir "$DIR/primary"
primary >"$DIR/primary"
cni ADD "$(by_file)"
succeeded "a whole delegateFile"
primary | head -c 200 >"$DIR/primary"
cni DEL "$(by_file)"
succeeded "half a delegateFile, DEL"
cni ADD "$(by_file)"
succeeded "half a delegateFile: its last good copy"
cni DEL "$(by_file)"
same "nothing left after delegateFile" "" "$(leftovers)"
rm "$DIR/state/delegate.json"

# --- the delegate's answers ---------------------------------------------------------------------------

one() { echo '{"cniVersion":"0.4.0","name":"cbr0","type":"'"$1"'"}'; }

cni ADD "$(conf "$(one no-such-plugin)")"
refused "a delegate whose binary is missing" 11 no-such-plugin
echo '#!/bin/sh' >"$DIR/bin/not-executable"
cni ADD "$(conf "$(one not-executable)")"
refused "a delegate that cannot be executed" 11 not-executable
plugin junk <<<'#!/bin/sh
[ "$CNI_COMMAND" = DEL ] || echo "hello, I am no JSON"'
cni ADD "$(conf "$(one junk)")"
refused "a delegate that prints junk" 6 junk
plugin cut <<<'#!/bin/sh
[ "$CNI_COMMAND" = DEL ] || printf "{\"cniVersion\":\"0.4.0\",\"ips\":["'
cni ADD "$(conf "$(one cut)")"
refused "a delegate whose result is cut" 6 cut
plugin bad-address <<<'#!/bin/sh
[ "$CNI_COMMAND" = DEL ] || echo "{\"cniVersion\":\"0.4.0\",\"ips\":[{\"version\":\"4\",\"address\":\"10.42.0.999/24\"}]}"'
cni ADD "$(conf "$(one bad-address)")"
refused "a delegate with an address that is none" 6 10.42.0.999
plugin no-address <<<'#!/bin/sh
[ "$CNI_COMMAND" = DEL ] || echo "{\"cniVersion\":\"0.4.0\",\"interfaces\":[{\"name\":\"eth0\",\"sandbox\":\"$CNI_NETNS\"}]}"'
cni ADD "$(conf "$(one no-address)")"
refused "a delegate whose result has no address" 6 "no address"
plugin null <<<'#!/bin/sh
[ "$CNI_COMMAND" = DEL ] || echo null'
cni ADD "$(conf "$(one null)")"
refused "a delegate whose result is null" 6 "no address"
plugin bad-version <<<'#!/bin/sh
[ "$CNI_COMMAND" = DEL ] || echo "{\"cniVersion\":\"7.0.0\",\"ips\":[]}"'
cni ADD "$(conf "$(one bad-version)")"
refused "a delegate with a result of an unknown version" 1 7.0.0
plugin says-no <<<'#!/bin/sh
[ "$CNI_COMMAND" = DEL ] && exit 0
echo "{\"cniVersion\":\"0.4.0\",\"code\":142,\"msg\":\"the switch is on fire\"}"; exit 1'
cni ADD "$(conf "$(one says-no)")"
refused "a delegate's own error keeps its code and text" 142 "the switch is on fire"
plugin stderr-only <<<'#!/bin/sh
[ "$CNI_COMMAND" = DEL ] && exit 0
echo "only on stderr" >&2; exit 3'
cni ADD "$(conf "$(one stderr-only)")"
refused "a delegate that fails with stderr alone" 999 "only on stderr"
plugin silent <<<'#!/bin/sh
[ "$CNI_COMMAND" = DEL ] || exit 1'
cni ADD "$(conf "$(one silent)")"
refused "a delegate that fails without a word" 999 silent
plugin killed <<<'#!/bin/sh
[ "$CNI_COMMAND" = DEL ] || kill -9 $$'
cni ADD "$(conf "$(one killed)")"
refused "a delegate that is killed" 999 killed
plugin flood <<<'#!/bin/sh
[ "$CNI_COMMAND" = DEL ] || head -c 3000000 /dev/zero'
cni ADD "$(conf "$(one flood)")"
refused "a delegate that floods stdout" 999 flood
# A time that no other program of this machine sleeps.
NAP=321.$$
plugin hang <<<'#!/bin/sh
[ "$CNI_COMMAND" = DEL ] && exit 0
sleep '$NAP' & sleep '$NAP
cni ADD "$(conf "$(one hang)" '{"io.kubernetes.cri.pod-annotations":{}}' '"deadlineSeconds":1,')"
refused "a delegate that hangs ends with the deadline" 11 hang
check_fails "its whole process group is ended" pgrep -f "^sleep $NAP"
plugin half <<<'#!/bin/sh
[ "$CNI_COMMAND" = DEL ] || { echo "{\"code\":11,\"msg\":\"second of two\"}"; exit 1; }'
cni ADD "$(conf "$(primary | sed 's/"type":"portmap"/"type":"half"/')")"
refused "the second plugin fails: the first one is rolled back" 11 "second of two"

# --- annotations, with no API server in reach: nothing is asked of it for these ------------------------

annotated() { conf "$(primary)" '{"io.kubernetes.cri.pod-annotations":{'"$1"'}}' "${2:-}"; }
cni ADD "$(annotated '"tandem-cni.io/subnet":"Not A Name"')"
refused "a subnet that is no name" 7 tandem-cni.io/subnet
cni ADD "$(annotated '"tandem-cni.io/ip":"192.168.100.50"')"
refused "an address without a subnet" 7 tandem-cni.io/subnet
cni ADD "$(annotated '"tandem-cni.io/subnet":"vlan100","tandem-cni.io/ip":"192.168.100.500"')"
refused "an address that is none" 7 192.168.100.500
cni ADD "$(annotated '"tandem-cni.io/subnet":"vlan100","tandem-cni.io/mac":"01:00:5e:00:00:01"')"
refused "a multicast MAC" 7 tandem-cni.io/mac
cni ADD "$(annotated '"tandem-cni.io/subnet":"vlan100","tandem-cni.io/interface":"eth7"')"
refused "an interface that is not on offer" 7 tandem-cni.io/interface
cni ADD "$(annotated '"tandem-cni.io/subnet":7')"
refused "an annotation that is no string" 6 tandem-cni.io/subnet
cni ADD "$(annotated '"tandem-cni.io/subnet":"vlan100","kubernetes.io/config.source":"file"')"
refused "a static pod" 7 static
cni ADD "$(annotated '"tandem-cni.io/subnet":"vlan100"' "$SHORT")"
refused "no kubeconfig" 5 "$DIR/kubeconfig"
echo 'clusters: [' >"$DIR/kubeconfig"
cni ADD "$(annotated '"tandem-cni.io/subnet":"vlan100"' "$SHORT")"
refused "a malformed kubeconfig" 6 "$DIR/kubeconfig"
cat >"$DIR/kubeconfig" <<-'KUBECONFIG'
	{apiVersion: v1, kind: Config, current-context: c, contexts: [{name: c, context: {cluster: c, user: u}}],
	clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}], users: [{name: u, user: {token: t}}]}
KUBECONFIG
POD_UID=93cd6a2e-26aa-4fda-81cd-6bff3089891c cni ADD "$(annotated '"tandem-cni.io/subnet":"vlan100"' "$SHORT")"
rm -f "$DIR/state/hints/"*
refused "no API server for an annotated pod" 11 127.0.0.1
cni ADD "$(conf "$(primary)" '{}' "$SHORT")"
refused "no annotations from the runtime and no API server" 11 127.0.0.1

# --- state directory -----------------------------------------------------------------------------------

mkdir -p "$DIR/tmpfs"
mount -t tmpfs -o size=64k tmpfs "$DIR/tmpfs"
at_exit umount "$DIR/tmpfs"
small() { conf | sed "s,$DIR/state,$DIR/tmpfs/state,"; }
cni ADD "$(small)"
succeeded "a small state disk"
cni DEL "$(small)"
head -c 1000000 /dev/zero >"$DIR/tmpfs/fill" 2>/dev/null || :
cni ADD "$(small)"
refused "a full disk" 5 "No space left"
rm "$DIR/tmpfs/fill"
cni ADD "$(small)"
succeeded "ADD before the disk turns read-only"
mount -o remount,ro "$DIR/tmpfs"
cni ADD "$(small)" CNI_CONTAINERID="$CID-2"
same "a read-only disk" 5 "$(jq .code <<<"$OUT")"
cni DEL "$(small)"
same "DEL on a read-only disk undoes what it can" "" "$(find "$DIR/host-local" -name '10.42*')"
mount -o remount,rw "$DIR/tmpfs"
cni DEL "$(small)"
succeeded "DEL again once it can be written"
same "nothing left on the small disk" "" "$(find "$DIR/tmpfs/state" -type f; leftovers)"
cni ADD "$(conf | sed "s,$DIR/state,/proc/tandem,")"
refused "a state directory that cannot be" 5 /proc/tandem

# --- verbs ---------------------------------------------------------------------------------------------

cni VERSION '{}'
same "VERSION" '{"cniVersion":"1.1.0","supportedVersions":["0.1.0","0.2.0","0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]}' "$(jq -c . <<<"$OUT")"
cni VERSION '' CNI_CONTAINERID= CNI_NETNS= CNI_IFNAME= CNI_PATH=
same "VERSION needs neither stdin nor variables" 0 "$RC"
OUT=$("$TANDEM_BIN" 2>&1 </dev/null)
same "called by hand it says what it is, exit 0" 0 $?
check "and which versions it speaks" grep -q '0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0' <<<"$OUT"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# STATUS: ready exactly when an ADD could succeed, without a request to the API server. What is not ready is
# code 50 with the name of what is missing; a plugin's own answer is passed up.
# shellcheck disable=SC2016 # the scripts in quotes are plugins of their own

. "$(dirname "$0")/lib.sh"
contract_node
VERSION=1.1.0
CID='' NETNS=''

status() { cni STATUS "$@" CNI_CONTAINERID= CNI_NETNS= CNI_IFNAME= CNI_ARGS=; }
newer() { echo '{"cniVersion":"1.1.0","name":"cbr0","plugins":[{"type":"one","mark":1},{"type":"two"}]}'; }
speaker() { # speaker NAME ANSWER: notes its STATUS, then answers
	plugin "$1" <<-EOF_PLUGIN
		#!/bin/sh
		echo "$1 \$CNI_COMMAND \$(jq -c '[.mark, .cniVersion, .name]')" >>"$DIR/asked"
		$2
	EOF_PLUGIN
}

status "$(conf)"
silent "a primary that is all there is ready, without kubeconfig or API server"
VERSION=1.0.0 status "$(VERSION=1.0.0 conf)"
says "STATUS by a conf of 1.0.0" 1 1.1.0
status "$(conf)" CNI_PATH=
says "STATUS without CNI_PATH" 4 CNI_PATH
status '{'
says "STATUS with half a conf" 6 stdin
same "leaves nothing but its last answer" "$DIR/state/last-status" "$(find "$DIR/state" -type f)"

# --- the log: asked every few seconds, it says what changes ------------------------------------------------

info_conf() { conf "$@" | sed 's/"debug"/"info"/'; }
log_lines() { grep -c "${1:-}" "$DIR/log"; }
: >"$DIR/log"
status "$(info_conf)"
status "$(info_conf)"
same "ready as before: no line" 0 "$(log_lines)"
status "$(info_conf "$(primary | sed 's/"type":"portmap"/"type":"no-such"/')")"
status "$(info_conf "$(primary | sed 's/"type":"portmap"/"type":"no-such"/')")"
says "not ready" 50 'plugin "no-such" is missing'
same "is one line, once" "1 1" "$(log_lines) $(log_lines 'level=error .*no-such.* command=STATUS')"
status "$(info_conf)"
status "$(info_conf)"
same "ready again: one line, once" "2 1" "$(log_lines) $(log_lines 'level=info .*msg=STATUS answer=ready')"
status "$(conf)"
check "with logLevel debug there are the steps" grep -q 'level=debug .*msg=step command=STATUS' "$DIR/log"

# --- binaries -----------------------------------------------------------------------------------------

status "$(conf "$(primary | sed 's/"type":"portmap"/"type":"no-such"/')")"
says "a plugin's binary is missing" 50 'plugin "no-such" is missing'
status "$(conf "$(primary | sed 's/"type":"host-local"/"type":"no-ipam"/')")"
says "the binary of its IPAM is missing" 50 'plugin "no-ipam" is missing'
echo '#!/bin/sh' >"$DIR/bin/no-such"
status "$(conf "$(primary | sed 's/"type":"portmap"/"type":"no-such"/')")"
says "a binary that cannot be executed" 50 "is not executable"

# --- delegateFile -------------------------------------------------------------------------------------

by_file() { conf x | tr -d '\n' | sed "s,\"delegate\":x,\"delegateFile\":\"$DIR/primary\","; }
status "$(by_file)"
says "delegateFile is missing" 50 "$DIR/primary"
primary | head -c 200 >"$DIR/primary"
status "$(by_file)"
says "delegateFile is half written, and no copy is there" 50 "$DIR/primary"
primary >"$DIR/primary"
status "$(by_file)"
silent "a whole delegateFile"
primary | head -c 200 >"$DIR/primary"
status "$(by_file)"
silent "half a delegateFile: its last good copy will do"
touch -d '-31 seconds' "$DIR/primary"
: >"$DIR/11-canal.conflist"
status "$(by_file)"
says "half a delegateFile for more than 30 s: no copy helps" 50 "$DIR/primary: the text ends"
says "and what else is there is named" 50 "other confs in its folder: 11-canal.conflist"
primary >"$DIR/primary"
status "$(by_file)"
silent "it is whole again"
rm "$DIR/primary"
status "$(by_file)"
silent "delegateFile was taken away a moment ago: its last good copy will do"
touch -d '-31 seconds' "$DIR/state/delegate.gone"
status "$(by_file)"
says "it was taken away more than 30 s ago" 50 "delegateFile cannot be used, for more than 30 s: open $DIR/primary: missing file or directory; other confs in its folder: 11-canal.conflist"
new_pod
cni ADD "$(by_file)"
refused "ADD says the same" 11 "delegateFile cannot be used, for more than 30 s: open $DIR/primary: missing file or directory; other confs in its folder: 11-canal.conflist"
cni DEL "$(by_file)"
succeeded "DEL still ends what there was"
drop_pod
CID='' NETNS=''
primary >"$DIR/primary"
status "$(by_file)"
silent "it is back"
check "and the time forgotten" test ! -e "$DIR/state/delegate.gone"
rm "$DIR/primary" "$DIR/11-canal.conflist"
mkdir "$DIR/primary"
rm "$DIR/state/delegate.json"
status "$(by_file)"
says "delegateFile is a directory" 50 "$DIR/primary"
status "$(conf '{"cniVersion":"1.1.0","name":"cbr0","plugins":[]}')"
says "a delegate without plugins" 50 plugins

# --- flannel ------------------------------------------------------------------------------------------

plugin flannel <<<'#!/bin/sh
exit 1'
flannel() { echo '{"cniVersion":"0.3.1","name":"cbr0","plugins":[{"type":"flannel","subnetFile":"'"$DIR/subnet.env"'","delegate":{'"${1:-}"'"hairpinMode":true}}]}'; }
status "$(conf "$(flannel)")"
says "flannel's daemon has not written its file" 50 "$DIR/subnet.env"
: >"$DIR/subnet.env"
status "$(conf "$(flannel)")"
silent "flannel's daemon has; its plugin, which knows no STATUS, is not run"
status "$(conf "$(flannel '"type":"no-bridge",')")"
says "what flannel runs in its turn" 50 no-bridge
status "$(conf "$(flannel | sed "s,\"subnetFile\":\"[^\"]*\"\,,,")")"
if [ -e /run/flannel/subnet.env ]; then
	silent "the file at its usual place"
else
	says "the file at its usual place" 50 /run/flannel/subnet.env
fi

# --- the primary's plugins ----------------------------------------------------------------------------

speaker one ''
speaker two ''
status "$(conf "$(newer)")"
silent "plugins that know STATUS are asked"
same "in order, with their confs" 'one STATUS [1,"1.1.0","cbr0"]
two STATUS [null,"1.1.0","cbr0"]' "$(cat "$DIR/asked")"
rm "$DIR/asked"
status "$(conf "$(newer | sed 's/1\.1\.0/1.0.0/')")"
silent "plugins that do not know STATUS"
check "are not asked" test ! -e "$DIR/asked"
speaker one 'echo "{\"code\":51,\"msg\":\"the tunnel is down\"}"; exit 1'
status "$(conf "$(newer)")"
says "a plugin's code 51 is passed up" 51 "the tunnel is down"
same "and ends the list" 1 "$(wc -l <"$DIR/asked")"
speaker one 'echo "{\"code\":50,\"msg\":\"not yet\"}"; exit 1'
status "$(conf "$(newer)")"
says "and its code 50" 50 "not yet"
speaker one 'echo "no JSON" >&2; exit 3'
status "$(conf "$(newer)")"
says "a plugin that fails without a code" 50 "no JSON"
speaker one 'exec sleep 30'
status "$(conf "$(newer)" '{}' '"deadlineSeconds":1,')"
says "a plugin that hangs" 50 "did not finish in time"

# --- the state directory --------------------------------------------------------------------------------

mkdir "$DIR/ro"
mount -t tmpfs -o ro tandem-test "$DIR/ro"
at_exit umount "$DIR/ro"
status "$(conf | sed "s,$DIR/state,$DIR/ro/state,")"
says "a state directory that cannot be made" 50 "Read-only file system"
mount -o remount,rw "$DIR/ro"
status "$(conf | sed "s,$DIR/state,$DIR/ro/state,")"
silent "a state directory that is made now"
mount -o remount,ro "$DIR/ro"
status "$(conf | sed "s,$DIR/state,$DIR/ro/state,")"
says "a state directory that has become read-only" 50 "Read-only file system"

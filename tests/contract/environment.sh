#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An environment that gives orders to the libraries in our programs: nobody follows them. The primary's plugins get
# what the runtime has set, all of it.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-apiserver.sh"
contract_node
apiserver_start

NET='{"cidr":"192.168.100.50/24","mac":"0a:00:00:00:00:32","gateway":"192.168.100.1"}'
POD_UID=$(cat /proc/sys/kernel/random/uuid)
record web "$POD_UID" "$NET"
new_pod
card() { conf "${1:-$(primary)}" '{"io.kubernetes.cri.pod-annotations":{"tandem-cni.io/subnet":"vlan100"}}' '"deadlineSeconds":6,'; }

# Whoever reads the FIFO waits for good, and whoever loads the engine or module says so.
mkfifo "$DIR/fifo"
HOSTILE=(SSLKEYLOGFILE="$DIR/keys" OPENSSL_CONF="$DIR/fifo" OPENSSL_MODULES="$DIR/fifo" OPENSSL_ENGINES="$DIR/fifo"
	SSL_CERT_FILE="$DIR/fifo" SSL_CERT_DIR="$DIR/fifo" CURL_CA_BUNDLE="$DIR/fifo" https_proxy=http://127.0.0.1:1
	HTTPS_PROXY=http://127.0.0.1:1 ALL_PROXY=http://127.0.0.1:1 LOCALDOMAIN=x RES_OPTIONS=attempts:1 HOSTALIASES="$DIR/fifo"
	CURL_HOME="$DIR/fifo" HOME="$DIR" TZ=":$DIR/fifo")

# The primary's last plugin keeps its environment.
plugin tells <<EOF_PLUGIN
#!/bin/sh
env >"$DIR/told"
[ "\$CNI_COMMAND" = ADD ] && jq -c .prevResult
exit 0
EOF_PLUGIN
tells() { primary | sed 's/"type":"portmap"/"type":"tells"/; s/0\.3\.1/0.4.0/'; }

requests
cni ADD "$(card "$(tells)")" "${HOSTILE[@]}"
succeeded "an ADD in a hostile environment"
requests
check "it has asked the API server" test "$REQUESTS" -gt 0
check_fails "no TLS secrets are written" test -e "$DIR/keys"
for var in "${HOSTILE[@]}" CNI_CONTAINERID="$CID" CNI_COMMAND=ADD PATH="$PATH"; do
	check "the primary's plugin gets ${var%%=*}" grep -qxF "$var" "$DIR/told"
done
cni DEL "$(card "$(tells)")" "${HOSTILE[@]}"
silent "and its DEL"
check "the primary's plugin gets it at DEL" grep -qxF "SSLKEYLOGFILE=$DIR/keys" "$DIR/told"
same "nothing left" "" "$(leftovers)"
drop_pod

# --- the daemons -----------------------------------------------------------------------------------

# lists PROGRAM OPTION...: it asks the API server in that environment
lists() {
	local pid
	env "${HOSTILE[@]}" NODE_NAME=n1 nsenter --net=/run/netns/"$NODE" "$@" --kubeconfig "$DIR/kubeconfig" 2>"$DIR/daemon.log" &
	pid=$!
	wait_for 20 asked "$(basename "$1")" || fail "$(basename "$1")" "asks nothing: $(cat "$DIR/daemon.log")"
	kill "$pid"
	wait "$pid"
	check_fails "$(basename "$1") writes no TLS secrets" test -e "$DIR/keys"
}
asked() { grep -qF "\"userAgent\":\"$1/" "$DIR/api/audit.log"; }
lists "$TANDEM_CONTROLLER_BIN" --metrics-bind-address 0 --leader-elect=false
lists "$TANDEM_NODE_BIN" --state-dir "$DIR/state" --socket "$DIR/node.sock"

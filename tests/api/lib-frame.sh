# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the tests of this folder share: etcd and kube-apiserver on loopback, no kubelets, no other controllers.
# Pods are bound by hand, and the test plays the kubelet: it patches pods/status and deletes with grace 0.
# Sourced after ../lib.sh; api_start brings it up.
#
# KUBE_BIN is the folder with kube-apiserver and kubectl, by default what tests/cluster has built.
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$HERE/../..
: "${KUBE_BIN:=$("$HERE/../cluster/build-kubernetes.sh")}"
# The folder of the helper programs.
: "${TANDEM_TOOLS:=$ROOT/build/dev/tests}"

scratch DIR
# Ten ports in a row that nobody listens on, below those that the kernel gives to clients. A program that
# tests/run.sh runs beside this one chooses among others, by its slot.
port_taken() { (: </dev/tcp/127.0.0.1/"$1") 2>/dev/null; }
ports_taken() {
	local i
	for i in {0..9}; do
		if port_taken $((PORT + i)); then return 0; fi
	done
	return 1
}
while
	PORT=$((10000 + 10000 * (${TEST_SLOT:-0} % 2) + RANDOM % 1000 * 10))
	ports_taken
do :; done
API=https://127.0.0.1:$PORT
ETCD=http://127.0.0.1:$((PORT + 1))
USER_CTL=system:serviceaccount:kube-system:tandem-controller
USER_NODE=system:serviceaccount:kube-system:tandem-node

# start NAME CMD...: in the background, its output in NAME.log; its pid in pid_NAME
start() {
	local name=$1
	shift
	"$@" >>"$DIR/$name.log" 2>&1 &
	printf -v "pid_$name" '%s' $!
	at_exit stop "$!"
}

stop() {
	# An API server that has lost its etcd takes a minute to end by itself.
	kill -9 "$1" 2>/dev/null
	wait "$1" 2>/dev/null
	# Not the status of what was killed, which would be the test's own where this is its last command.
	return 0
}

# run NAME CMD..., halt NAME: likewise, for what comes and goes all the time; output to NAME.log, pid in PID[NAME]
declare -A PID=()
run() {
	local name=$1
	shift
	"$@" >>"$DIR/$name.log" 2>&1 &
	PID[$name]=$!
}

has_ended() { ! kill -0 "${PID[$1]}" 2>/dev/null; }

halt() {
	[ -n "${PID[$1]:-}" ] || return 0
	kill -9 "${PID[$1]}" 2>/dev/null
	wait "${PID[$1]}" 2>/dev/null
	unset "PID[$1]"
}

halt_all() {
	local name
	for name in "${!PID[@]}"; do halt "$name"; done
}
at_exit halt_all

# nap SECONDS: without a process
exec {never}<> <(:)
nap() { read -rt "$1" -u "$never" _ || :; }

# world_up, ask COMMAND...: the program world, and its answer in $answer. Not from a subshell.
world_up() {
	coproc WORLD { exec "$TANDEM_TOOLS/api/world" "$DIR/admin.conf" 2>>"$DIR/world.log"; }
	ask records
}

# shellcheck disable=SC2034 # by those who ask
ask() {
	answer="no answer"
	echo "$*" >&"${WORLD[1]}"
	read -rt 150 -u "${WORLD[0]}" answer
}

http_ok() {
	curl -sf --max-time 2 -o /dev/null --cacert "$DIR/tls.crt" -H "Authorization: Bearer admin" "$@"
}

api_up() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
		-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 \
		-keyout "$DIR/tls.key" -out "$DIR/tls.crt" 2>/dev/null
	openssl genpkey -algorithm RSA -out "$DIR/sa.key" 2>/dev/null
	cat >"$DIR/tokens.csv" <<-CSV
		admin,admin,1,"system:masters"
		controller,$USER_CTL,2,"system:serviceaccounts,system:serviceaccounts:kube-system"
		node,$USER_NODE,3,"system:serviceaccounts,system:serviceaccounts:kube-system"
	CSV
	start etcd etcd --data-dir "$DIR/etcd" --unsafe-no-fsync --log-level warn \
		--listen-client-urls "$ETCD" --advertise-client-urls "$ETCD" \
		--listen-peer-urls "http://127.0.0.1:$((PORT + 2))" \
		--initial-advertise-peer-urls "http://127.0.0.1:$((PORT + 2))" \
		--initial-cluster "default=http://127.0.0.1:$((PORT + 2))"
	wait_for 20 http_ok "$ETCD/health" || return 1
	apiserver_up
}

# apiserver_up: also a second time, when the first one has been killed
apiserver_up() {
	start apiserver "$KUBE_BIN/kube-apiserver" --etcd-servers "$ETCD" --secure-port "$PORT" \
		--bind-address 127.0.0.1 --advertise-address 127.0.0.1 --authorization-mode RBAC \
		--tls-cert-file "$DIR/tls.crt" --tls-private-key-file "$DIR/tls.key" \
		--token-auth-file "$DIR/tokens.csv" --cert-dir "$DIR" \
		--disable-admission-plugins ServiceAccount --service-cluster-ip-range 10.43.0.0/16 \
		--service-account-issuer https://localhost --service-account-key-file "$DIR/sa.key" \
		--service-account-signing-key-file "$DIR/sa.key"
	wait_for 60 http_ok "$API/readyz"
}

# kcm_up CONTROLLERS: the real controller manager. Versions that still have a port without TLS would open it.
kcm_up() {
	local plain=()
	! "$KUBE_BIN/kube-controller-manager" --help 2>&1 | grep -q -- '^ *--port ' || plain=(--port 0)
	start kcm "$KUBE_BIN/kube-controller-manager" --kubeconfig "$DIR/admin.conf" --leader-elect=false \
		"${plain[@]}" --bind-address 127.0.0.1 --secure-port $((PORT + 9)) --cert-dir "$DIR/kcm" \
		--service-account-private-key-file "$DIR/sa.key" --controllers "$1"
}

# kubeconfig TOKEN [URL FILE]
kubeconfig() {
	cat >"$DIR/${3:-$1}.conf" <<-CONF
		apiVersion: v1
		kind: Config
		clusters: [{name: c, cluster: {server: "${2:-$API}", certificate-authority: $DIR/tls.crt}}]
		users: [{name: u, user: {token: $1}}]
		contexts: [{name: c, context: {cluster: c, user: u}}]
		current-context: c
	CONF
}

k() {
	"$KUBE_BIN/kubectl" --kubeconfig "$DIR/admin.conf" --cache-dir "$DIR/cache" "$@"
}

# candidate NAME [ARG...]: a controller in the background, its output in NAME.log
candidate() {
	local name=$1
	shift
	start "$name" "$TANDEM_CONTROLLER_BIN" --kubeconfig "$DIR/controller.conf" --release-after-terminal 2 \
		--hold-unwitnessed 5 --kube-api-qps 0 --attached-by pod-ip "$@"
}

# holder_of NAME: its random part, by which its status writes go and with which its identity ends
holder_of() { sed -n 's/.*msg=started .*holder=\([0-9a-f]*\).*/\1/p' "$DIR/$1.log" | tail -n 1; }
LEASE=(lease tandem-controller -n kube-system)
leads() { [ "$(k get "${LEASE[@]}" -o jsonpath='{.spec.holderIdentity}')" = "$(hostname)_$(holder_of "$1")" ]; }

controller_up() { candidate controller --leader-elect=false; }

# kill -9 and start again
controller_bounce() {
	kill -9 "$pid_controller"
	wait "$pid_controller" 2>/dev/null
	controller_up
}

# subnet NAME CIDR [YAML...]
subnet() {
	local name=$1 cidr=$2
	shift 2
	cat <<-YAML
		apiVersion: tandem-cni.io/v1
		kind: MacvlanSubnet
		metadata: {name: $name, namespace: kube-system}
		spec:
		  master: ens4
		  cidr: $cidr
	YAML
	for line; do printf '  %s\n' "$line"; done
}

# pods FIRST LAST SUBNET [YAML of metadata...]: bound to node n1
pods() {
	local i
	for ((i = $1; i <= $2; i++)); do
		cat <<-YAML
			---
			apiVersion: v1
			kind: Pod
			metadata:
			  name: p$i
			  namespace: default
			  annotations: {tandem-cni.io/subnet: $3${4:+, $4}}
			spec:
			  nodeName: ${NODE:-n1}
			  containers: [{name: c, image: none}]
		YAML
	done
}

# request METHOD URL [OUTPUT [TYPE BODY]]: one for curl -K; those of one curl go by one connection
request() {
	printf 'url = "%s"\nrequest = %s\nheader = "Authorization: Bearer admin"\n' "$API$2" "$1"
	printf 'cacert = %s\noutput = "%s"\n' "$DIR/tls.crt" "${3:-/dev/null}"
	[ $# -le 3 ] || printf 'header = "Content-Type: %s"\ndata = "%s"\n' "$4" "${5//\"/\\\"}"
	echo next
}

# send: the requests on stdin
send() {
	sed '$d' | curl -sS --fail-early -K -
}

# curls METHOD TYPE BODY URL...: the same to all
curls() {
	local method=$1 type=$2 body=$3 url
	shift 3
	for url; do request "$method" "$url" /dev/null "$type" "$body"; done | send
}

pod_urls() {
	local i
	for ((i = $1; i <= $2; i++)); do echo "/api/v1/namespaces/default/pods/p$i${3:-}"; done
}

# A status as the kubelet writes it when it has stopped the containers.
TERMINATED='{"status":{"phase":"Running","containerStatuses":[{"name":"c","image":"i","imageID":"","restartCount":0,"ready":false,"state":{"terminated":{"exitCode":0}}}]}}'
# finish FIRST LAST: as the kubelet ends pods: grace, terminated containers, gone
finish() {
	local urls
	mapfile -t urls < <(pod_urls "$1" "$2")
	curls DELETE application/json '{"gracePeriodSeconds":30}' "${urls[@]}"
	mapfile -t urls < <(pod_urls "$1" "$2" /status)
	curls PATCH application/merge-patch+json "$TERMINATED" "${urls[@]}"
	mapfile -t urls < <(pod_urls "$1" "$2")
	curls DELETE application/json '{"gracePeriodSeconds":0}' "${urls[@]}"
}

records() {
	k get macvlanips -A -o json |
		jq -r '.items[] | select(.spec.cidr) | "\(.metadata.name) \(.spec.cidr) \(.spec.mac)"'
}

served_is() { [ "$(records | wc -l)" -eq "$1" ]; }
no_records() { [ -z "$(k get macvlanips -A -o name)" ]; }
status_is() { [ "$(k get macvlansubnet -n kube-system "$1" -o jsonpath="{.status.$2}")" = "$3" ]; }
ready_is() {
	[ "$(k get macvlansubnet -n kube-system "$1" \
		-o jsonpath='{.status.conditions[?(@.type=="Ready")].status}')" = "$2" ]
}
# event_is POD REASON: the message of the newest such event
event_is() {
	k get events -n default --field-selector "involvedObject.name=$1,reason=$2" -o json |
		jq -re '.items | sort_by(.metadata.resourceVersion | tonumber) | last | .message | strings'
}
gone() { ! k get "$@" >/dev/null 2>&1; }
controller_alive() { [ -n "${pid_controller:-}" ] && kill -0 "$pid_controller" 2>/dev/null; }

# A second pair of eyes: every state of every record, as the watch shows it, in watch.log. Read at the end: the API
# server cuts off a watcher that is slow. On a loaded machine that can be this one; it goes on from what it saw last.
watch_records() {
	local seen=
	while [ "$seen" != null ]; do
		setpriv --pdeathsig KILL curl -sN --cacert "$DIR/tls.crt" -H "Authorization: Bearer admin" \
			"$API/apis/tandem-cni.io/v1/macvlanips?watch=true${seen:+&resourceVersion=$seen}"
		seen=$(tail -n 1 "$DIR/watch.log" | jq -r '.object.metadata.resourceVersion')
	done 2>/dev/null
}

# watched [NAME]: from NAME.log
watched() {
	jq -r '[.type, .object.metadata.uid, .object.spec.cidr // "", .object.spec.podId] | @tsv' "$DIR/${1:-watch}.log"
}

# doubles [NAME]: addresses that two records had at one time
doubles() {
	watched "$@" | awk -F '\t' '
		$1 == "DELETED" { if (has[$2] != "" && owner[has[$2]] == $2) delete owner[has[$2]]; delete has[$2]; next }
		$3 != "" && has[$2] != $3 {
			if (($3 in owner) && owner[$3] != $2) print $3, owner[$3], $2
			owner[$3] = $2; has[$2] = $3
		}'
}

# moved [NAME]: pods that had two addresses, one after the other
moved() {
	watched "$@" | awk -F '\t' '
		$1 != "DELETED" && $3 != "" { if (($4 in has) && has[$4] != $3) print $4, has[$4], $3; has[$4] = $3 }'
}

# have FIRST LAST: each of these pods has an address, in a record of its own and not of a former pod
have() {
	[ "$(join <(k get pods -n default -o json | jq -r '.items[].metadata | "\(.uid) \(.name)"' | sort) \
		<(k get macvlanips -n default -o json |
			jq -r '.items[] | select(.spec.cidr) | .spec.podId' | sort) |
		awk -v first="$1" -v last="$2" '{ n = substr($2, 2) + 0 } n >= first && n <= last' |
		wc -l)" -eq $(($2 - $1 + 1)) ]
}

# clean_slate: what other parts have left is no matter of the next one. No controller may run.
clean_slate() {
	local kind name ns
	for kind in macvlanips macvlansubnets; do
		while read -r ns name; do
			k patch "$kind" -n "$ns" "$name" --type merge -p '{"metadata":{"finalizers":null}}'
			k delete "$kind" -n "$ns" "$name" --wait=false
		done < <(k get "$kind" -A --no-headers -o custom-columns=:.metadata.namespace,:.metadata.name)
	done
	k delete pods,deployments,statefulsets --all --force --grace-period=0
	k delete validatingwebhookconfiguration tandem-controller
	k delete node n2
} >/dev/null 2>&1

# overlay_render: what is installed on an API server of this version
overlay_render() {
	local overlay=default
	k get --raw /apis/policy/v1 >/dev/null 2>&1 || overlay=kubernetes-1.20
	k kustomize "$ROOT/manifests/overlays/$overlay"
}

# api_start: the API server, our kinds and rights, and one node n1. Not by way of check, which runs its command
# in a subshell: what is started must be ended here.
api_start() {
	if ! api_up; then
		fail "API server" "not ready: $(tail -n 3 "$DIR/apiserver.log" 2>/dev/null)"
		exit 1
	fi
	pass "API server"
	kubeconfig admin
	kubeconfig controller
	check "kinds and rights are accepted" k apply -f "$ROOT/manifests/base/crds.yaml" -f "$ROOT/manifests/base/rbac.yaml"
	overlay_render >"$DIR/tandem.yaml"
	check "everything that is installed is accepted" k apply --dry-run=server -f "$DIR/tandem.yaml"
	check "kinds are served" k wait --for condition=established --timeout=30s \
		crd/macvlansubnets.tandem-cni.io crd/macvlanips.tandem-cni.io
	k apply -f - >/dev/null <<-YAML
		apiVersion: v1
		kind: Node
		metadata: {name: n1, labels: {lan: "yes"}}
	YAML
	curls PATCH application/merge-patch+json \
		'{"status":{"addresses":[{"type":"InternalIP","address":"192.168.100.11"}],"conditions":[{"type":"Ready","status":"True"}]}}' \
		/api/v1/nodes/n1/status
}

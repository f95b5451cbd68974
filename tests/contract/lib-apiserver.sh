# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A real etcd and API server inside the node's namespace, without kubelets or controllers: the test plays
# the controller by writing the records. Sourced after lib.sh.

# apiserver_start: on 127.0.0.1:6443 of namespace $NODE, state below $DIR/api; writes $DIR/kubeconfig
apiserver_start() {
	local bin
	bin=${KUBE_BIN:-$("$TESTS_ROOT/tests/cluster/build-kubernetes.sh")} || exit 1
	KUBECTL=$bin/kubectl
	mkdir -p "$DIR/api"
	openssl genpkey -algorithm RSA -out "$DIR/api/sa.key" 2>/dev/null
	openssl pkey -in "$DIR/api/sa.key" -pubout -out "$DIR/api/sa.pub"
	echo "secret-token,admin,admin,system:masters" >"$DIR/api/tokens"
	printf 'apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{level: Metadata}]\n' >"$DIR/api/audit.yaml"
	# The API server wants an address to advertise that is not loopback's own.
	ip -n "$NODE" addr add 10.99.0.1/32 dev lo
	apiserver_spawn etcd etcd --data-dir "$DIR/api/etcd" --unsafe-no-fsync --log-level error \
		--listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
		--listen-peer-urls http://127.0.0.1:2380
	APISERVER=("$bin/kube-apiserver" --etcd-servers http://127.0.0.1:2379 --cert-dir "$DIR/api/cert"
		--bind-address 127.0.0.1 --advertise-address 10.99.0.1 --secure-port 6443 --endpoint-reconciler-type none
		--token-auth-file "$DIR/api/tokens" --authorization-mode RBAC --service-cluster-ip-range 10.43.0.0/16
		--service-account-issuer https://kubernetes.default.svc --service-account-key-file "$DIR/api/sa.pub"
		--service-account-signing-key-file "$DIR/api/sa.key" --disable-admission-plugins ServiceAccount
		--audit-policy-file "$DIR/api/audit.yaml" --audit-log-path "$DIR/api/audit.log")
	apiserver_spawn apiserver "${APISERVER[@]}"
	cat >"$DIR/kubeconfig" <<-'KUBECONFIG'
		apiVersion: v1
		kind: Config
		current-context: node
		contexts: [{name: node, context: {cluster: local, user: node}}]
		clusters: [{name: local, cluster: {server: "https://127.0.0.1:6443", insecure-skip-tls-verify: true}}]
		users: [{name: node, user: {token: secret-token}}]
	KUBECONFIG
	apiserver_ready
	kubectl_node apply -f "$TESTS_ROOT/manifests/base/crds.yaml" >"$DIR/api/crds.log" ||
		{ cat "$DIR/api/crds.log" && exit 1; }
	wait_for 120 kubectl_node get macvlanips -A || { fail "kinds served" "not within 120 s" && exit 1; }
}

apiserver_ready() {
	wait_for 180 kubectl_node get --raw /readyz || {
		fail "API server" "not ready within 180 s"
		tail -n 5 "$DIR/api/apiserver.log" | sed 's/^/    /'
		exit 1
	}
}

# apiserver_spawn NAME CMD...: in the background inside $NODE; its process ID is kept in PID_NAME
apiserver_spawn() {
	local name=$1
	shift
	nsenter --net=/run/netns/"$NODE" "$@" >"$DIR/api/$name.log" 2>&1 &
	printf -v "PID_$name" '%s' "$!"
	at_exit apiserver_end "$name"
}

apiserver_end() {
	local pid=PID_$1
	pid=${!pid}
	kill -9 "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
}

# apiserver_away, apiserver_back: nobody listens at its address, and again, at once and on any machine
apiserver_away() {
	nsenter --net=/run/netns/"$NODE" iptables -I INPUT -p tcp --dport 6443 -j REJECT --reject-with tcp-reset
}

apiserver_back() {
	nsenter --net=/run/netns/"$NODE" iptables -D INPUT -p tcp --dport 6443 -j REJECT --reject-with tcp-reset
}

kubectl_node() {
	nsenter --net=/run/netns/"$NODE" "$KUBECTL" --kubeconfig "$DIR/kubeconfig" "$@"
}

# record NAME UID SPEC-JSON: the pod's MacvlanIP as the controller writes it; SPEC without subnet and podId
record() {
	kubectl_node apply -f - >/dev/null <<-JSON
		{"apiVersion":"tandem-cni.io/v1","kind":"MacvlanIP","metadata":{"namespace":"default","name":"$1","labels":{"tandem-cni.io/node":"n1"}},
		"spec":$(jq -c --arg uid "$2" '{subnet: "vlan100", podId: $uid, node: "n1", master: "ens4", vlan: 0} + . | if .masterSelector then del(.master) else . end' <<<"$3")}
	JSON
}

# requests: sets REQUESTS to how many the plugin has sent since the last call (kubectl's do not count)
REQUESTS_SEEN=0
requests() {
	local all
	all=$(grep -c '"userAgent":"tandem/' "$DIR/api/audit.log")
	# shellcheck disable=SC2034 # read by the tests
	REQUESTS=$((all - REQUESTS_SEEN))
	REQUESTS_SEEN=$all
}

# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Certificates, kubeconfigs, etcd, API server, controller manager and scheduler. They run on the
# machine itself, in its own network namespace, and listen on tandem0's address alone, so that they
# meet no other etcd or Kubernetes that the machine may have.

ETCD_URL=http://$API_ADDRESS:2379

# --- certificates ----------------------------------------------------------------------------

pki_authority() {
	printf '[req]\ndistinguished_name = dn\n[dn]\n' >"$LAB/pki/openssl.cnf"
	openssl req -x509 -config "$LAB/pki/openssl.cnf" -newkey ec \
		-pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -subj /CN=tandem-lab \
		-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign \
		-addext subjectKeyIdentifier=hash \
		-keyout "$LAB/pki/ca.key" -out "$LAB/pki/ca.crt" 2>"$LAB/log/pki.log" ||
		die_log pki "cannot make the certificate authority"
}

# Arguments: file name, subject, subjectAltName or nothing.
pki_issue() {
	local names=()

	[ -z "${3:-}" ] || names=(-addext "subjectAltName=$3")
	openssl req -x509 -config "$LAB/pki/openssl.cnf" -CA "$LAB/pki/ca.crt" \
		-CAkey "$LAB/pki/ca.key" -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
		-days 365 -subj "$2" -addext basicConstraints=critical,CA:FALSE \
		-addext extendedKeyUsage=serverAuth,clientAuth "${names[@]}" \
		-keyout "$LAB/pki/$1.key" -out "$LAB/pki/$1.crt" 2>"$LAB/log/pki.log" ||
		die_log pki "cannot issue the certificate $1"
}

pki_up() {
	local i dns=DNS:kubernetes

	mkdir -p "$LAB/pki"
	dns+=,DNS:kubernetes.default,DNS:kubernetes.default.svc
	dns+=,DNS:kubernetes.default.svc.cluster.local
	pki_authority
	pki_issue apiserver /CN=kube-apiserver \
		"$dns,DNS:localhost,IP:127.0.0.1,IP:10.43.0.1,IP:$API_ADDRESS"
	pki_issue admin /O=system:masters/CN=admin
	pki_issue kcm /CN=system:kube-controller-manager
	pki_issue scheduler /CN=system:kube-scheduler
	pki_issue proxy /CN=system:kube-proxy
	for ((i = 1; i <= $1; i++)); do
		pki_issue "n$i" "/O=system:nodes/CN=system:node:n$i" "DNS:n$i,IP:10.99.0.$i"
	done
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 \
		-out "$LAB/pki/sa.key" 2>"$LAB/log/pki.log" ||
		die_log pki "cannot make the key that signs service account tokens"
	openssl pkey -in "$LAB/pki/sa.key" -pubout -out "$LAB/pki/sa.pub"
}

# Arguments: output file, the lines of the user's credentials. Prints nothing.
kubeconfig_write() {
	cat >"$1" <<-CONF
		apiVersion: v1
		kind: Config
		clusters:
		- name: lab
		  cluster:
		    server: $API_URL
		    certificate-authority: $LAB/pki/ca.crt
		users:
		- name: user
		  user: {$2}
		contexts:
		- name: lab
		  context: {cluster: lab, user: user}
		current-context: lab
	CONF
}

kubeconfigs_up() {
	local user

	for user in admin kcm scheduler proxy $(node_names); do
		kubeconfig_write "$LAB/$user.conf" \
			"client-certificate: $LAB/pki/$user.crt, client-key: $LAB/pki/$user.key"
	done
}

# --- processes -------------------------------------------------------------------------------

kubectl_lab() {
	"$BIN/kubectl" --kubeconfig "$LAB/admin.conf" --cache-dir "$LAB/kubectl-cache" "$@"
}

# For the conditions of readiness, which run while an API server may be absent.
http_ok() {
	curl --silent --fail --insecure --max-time 2 --output /dev/null "$@"
}

api_ready() {
	http_ok --cacert "$LAB/pki/ca.crt" --cert "$LAB/pki/admin.crt" --key "$LAB/pki/admin.key" \
		"$API_URL/readyz"
}

define_etcd() {
	component_define etcd "http_ok $ETCD_URL/health" \
		etcd --name lab --data-dir "$LAB/etcd" --unsafe-no-fsync --log-level warn \
		--listen-client-urls "$ETCD_URL" --advertise-client-urls "$ETCD_URL" \
		--listen-peer-urls "http://$API_ADDRESS:2380" \
		--initial-advertise-peer-urls "http://$API_ADDRESS:2380" \
		--initial-cluster "lab=http://$API_ADDRESS:2380"
}

# The audit log tells tests who asked for what; one line a request, without bodies. No kube-proxy serves this machine:
# webhooks are reached by the addresses of their pods.
define_apiserver() {
	cat >"$LAB/audit-policy.yaml" <<-POLICY
		apiVersion: audit.k8s.io/v1
		kind: Policy
		omitStages: [RequestReceived]
		rules:
		- level: Metadata
	POLICY
	component_define apiserver api_ready \
		"$BIN/kube-apiserver" --etcd-servers "$ETCD_URL" \
		--bind-address "$API_ADDRESS" --advertise-address "$API_ADDRESS" --secure-port 6443 \
		--service-cluster-ip-range "$SERVICE_CIDR" --allow-privileged=true \
		--enable-aggregator-routing=true \
		--authorization-mode Node,RBAC --client-ca-file "$LAB/pki/ca.crt" \
		--tls-cert-file "$LAB/pki/apiserver.crt" \
		--tls-private-key-file "$LAB/pki/apiserver.key" \
		--service-account-issuer https://kubernetes.default.svc \
		--service-account-key-file "$LAB/pki/sa.pub" \
		--service-account-signing-key-file "$LAB/pki/sa.key" \
		--kubelet-preferred-address-types InternalIP \
		--kubelet-certificate-authority "$LAB/pki/ca.crt" \
		--kubelet-client-certificate "$LAB/pki/admin.crt" \
		--kubelet-client-key "$LAB/pki/admin.key" \
		--audit-policy-file "$LAB/audit-policy.yaml" \
		--audit-log-path "$LAB/log/audit.json"
}

# Argument: program. Older versions have a port without TLS too, which is closed.
no_plain_port() {
	! has_flag "$BIN/$1" --port || echo "--port=0"
}

define_kcm() {
	# shellcheck disable=SC2046 # a flag or nothing
	component_define kcm "http_ok https://$API_ADDRESS:10257/healthz" \
		"$BIN/kube-controller-manager" --kubeconfig "$LAB/kcm.conf" --leader-elect=false \
		--bind-address "$API_ADDRESS" $(no_plain_port kube-controller-manager) --use-service-account-credentials \
		--root-ca-file "$LAB/pki/ca.crt" \
		--service-account-private-key-file "$LAB/pki/sa.key" \
		--cluster-cidr "$POD_CIDR" --service-cluster-ip-range "$SERVICE_CIDR" \
		--allocate-node-cidrs=false --kube-api-qps 100 --kube-api-burst 200
}

define_scheduler() {
	# shellcheck disable=SC2046 # a flag or nothing
	component_define scheduler "http_ok https://$API_ADDRESS:10259/healthz" \
		"$BIN/kube-scheduler" --kubeconfig "$LAB/scheduler.conf" --leader-elect=false \
		--bind-address "$API_ADDRESS" $(no_plain_port kube-scheduler) --kube-api-qps 100 --kube-api-burst 200
}

control_plane_up() {
	kubeconfigs_up
	define_etcd
	define_apiserver
	define_kcm
	define_scheduler
	component_start etcd
	component_await etcd 30
	component_start apiserver
	component_await apiserver 60
	component_start kcm
	component_start scheduler
}

control_plane_await() {
	component_await kcm 30
	component_await scheduler 30
}

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The server of kubectl macvlan ui against those that it does not serve: other sites in the user's browser, other users of
# the machine, and whoever asks for more than the page does. A real API server and webhook stand behind it.
# shellcheck source=tests/ui/lib-page.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib-page.sh"

# code ARG... PATH: the status of a request with the right Host, and nothing else
code() {
	curl -s --max-time 20 -o "$DIR/answer" -w '%{http_code}' --path-as-is "${@:1:$#-1}" "http://127.0.0.1:$UI_PORT${*: -1}"
}
# own ARG... PATH: likewise, with the secret
own() { code -H "X-Tandem-Secret: $UI_SECRET" "$@"; }
JSON=(-H "Content-Type: application/json")
# answers NAME STATUS COMMAND...
answers() { same "$1" "$2" "$("${@:3}")"; }
message() { jq -r .message "$DIR/answer"; }
body() { jq -nc --arg name "$1" "{name: \$name, spec: {$2}}"; }

still_answers() { [ "$(own /api/subnets)" = 200 ]; }
ended() { ! kill -0 "$pid_ui"; }

world_start
ui_start --request-timeout 5
subnet lan 10.60.0.0/24 'vlan: 60' 'ranges: [{rangeStart: 10.60.0.10, rangeEnd: 10.60.0.19}]' | k apply -f - >/dev/null
check "the subnet is served" wait_for 20 status_is lan free 10

# ---------------------------------------------------------------- who may ask
same "one line, with 128 bits in its fragment" 1 "$(grep -cxE 'http://127\.0\.0\.1:[0-9]+/#[0-9a-f]{32}' "$DIR/ui.log")"
same "nothing listens but loopback" "127.0.0.1:$UI_PORT" \
	"$(ss -Hltnp | grep "pid=$pid_ui," | awk '{ print $4 }' | sort -u | xargs)"
check_fails "there is no option for another address" "$TANDEM_KUBECTL_BIN" ui --address 0.0.0.0
check_fails "nor an argument" "$TANDEM_KUBECTL_BIN" ui 0.0.0.0
answers "the page itself" 200 code /
answers "with the secret" 200 own /api/subnets
same "its answer" "lan 10 0 ready" "$(jq -r '.items[] | "\(.name) \(.total) \(.used) \(.state)"' "$DIR/answer")"
answers "as localhost" 200 own -H "Host: localhost:$UI_PORT" /api/subnets

for host in evil.example "evil.example:$UI_PORT" 127.0.0.1 localhost "127.0.0.1:1" "127.0.0.1:$UI_PORT.evil.example" "[::1]:$UI_PORT" ""; do
	answers "DNS rebinding: Host \"${host/$UI_PORT/PORT}\"" 421 own -H "Host: $host" /api/subnets
	answers "DNS rebinding, the page: Host \"${host/$UI_PORT/PORT}\"" 421 code -H "Host: $host" /
done
same "two Hosts: 400" "HTTP/1.1 400" "$(printf 'GET / HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nHost: evil\r\n\r\n' "$UI_PORT" |
	timeout 5 bash -c "exec 3<>/dev/tcp/127.0.0.1/$UI_PORT; cat >&3; head -c 12 <&3")"

answers "CSRF: another site" 403 own -H "Sec-Fetch-Site: cross-site" /api/subnets
answers "CSRF: another port of this machine" 403 own -H "Sec-Fetch-Site: same-site" /api/subnets
answers "CSRF: Origin of another site" 403 own -H "Origin: http://evil.example" /api/subnets
answers "CSRF: Origin null" 403 own -H "Origin: null" /api/subnets
answers "the page's own requests" 200 own -H "Sec-Fetch-Site: same-origin" -H "Origin: http://127.0.0.1:$UI_PORT" /api/subnets
new=$(body new '"master": "ens4", "cidr": "10.61.0.0/24"')
for type in text/plain application/x-www-form-urlencoded multipart/form-data; do
	answers "CSRF: a form's $type" 415 own -X POST -H "Content-Type: $type" -d "$new" /api/subnets
done

answers "without the secret" 401 code /api/subnets
answers "with a wrong one" 401 code -H "X-Tandem-Secret: ${UI_SECRET//[0-7]/8}" /api/subnets
answers "with an empty one" 401 code -H "X-Tandem-Secret;" /api/subnets
answers "in a cookie" 401 code -b "X-Tandem-Secret=$UI_SECRET" /api/subnets
answers "in the query" 401 code "/api/subnets?X-Tandem-Secret=$UI_SECRET"
answers "as a bearer" 401 code -H "Authorization: Bearer $UI_SECRET" /api/subnets
answers "twice" 400 own -H "X-Tandem-Secret: x" /api/subnets
answers "a write without it" 401 code -X POST "${JSON[@]}" -d "$new" /api/subnets
answers "a removal without it" 401 code -X DELETE "/api/subnet?name=lan&uid=1"
same "nothing was written" "lan" "$(k get macvlansubnets -n kube-system -o jsonpath='{.items[*].metadata.name}')"

# ---------------------------------------------------------------- what may be asked
for path in /api /api/ /api/v1/secrets /api/pods /api/v1/namespaces/kube-system/secrets /apis /healthz \
	/api/subnets/../../api/v1/secrets /api/subnets/lan /api/subnet/ /page.js.map /etc/passwd //api/subnets; do
	want=404
	answers "not there: $path" "$want" own "$path"
done
for method in PUT DELETE PATCH HEAD OPTIONS TRACE CONNECT; do
	same "verb $method on subnets" 405 "$(own -X "$method" --max-time 3 "${JSON[@]}" "$([ "$method" = HEAD ] && echo -I || echo -g)" /api/subnets)"
done
for path in /api/addresses /api/why; do
	answers "POST on $path" 405 own -X POST "${JSON[@]}" -d '{}' "$path"
done
answers "POST on the page" 405 code -X POST -d x /
answers "a name with a slash" 400 own "/api/subnet?name=..%2Fmacvlanips"
answers "a name with dots" 400 own "/api/subnet?name=.."
answers "no name" 400 own /api/subnet
answers "a name of 300 bytes" 400 own "/api/subnet?name=$(printf 'a%.0s' {1..300})"
head -c 300000 /dev/zero | tr '\0' 1 >"$DIR/body"
answers "a body over the limit" 413 own -X POST "${JSON[@]}" --data-binary "@$DIR/body" /api/subnets
answers "a head over the limit" 431 own -H "X: $(head -c 20000 /dev/zero | tr '\0' a)" /api/subnets
answers "no JSON" 400 own -X POST "${JSON[@]}" -d '{"name":' /api/subnets
answers "no spec" 400 own -X POST "${JSON[@]}" -d '{"name":"a"}' /api/subnets
answers "a body where none belongs" 400 own -X DELETE "${JSON[@]}" -d '{}' "/api/subnet?name=lan&uid=1"

# ---------------------------------------------------------------- what is written
answers "a trial" 200 own -X POST "${JSON[@]}" -d "$new" "/api/subnets?dryRun=1"
check "leaves nothing" gone macvlansubnet -n kube-system new
answers "the webhook refuses" 403 own -X POST "${JSON[@]}" \
	-d "$(body new '"master": "ens4", "cidr": "10.61.0.0/24", "gateway": "10.61.0.255"')" "/api/subnets?dryRun=1"
same "in its words" 'admission webhook "subnets.tandem-cni.io" denied the request: spec.gateway: "10.61.0.255" is the broadcast address' \
	"$(message | sed 's/^POST [^ ]*: //')"
answers "the schema refuses" 422 own -X POST "${JSON[@]}" -d "$(body new '"master": "ens4", "cidr": "x"')" "/api/subnets?dryRun=1"
answers "a subnet" 200 own -X POST "${JSON[@]}" -d "$new" /api/subnets
same "it is there" 10.61.0.0/24 "$(k get macvlansubnet -n kube-system new -o jsonpath='{.spec.cidr}')"
answers "again" 409 own -X POST "${JSON[@]}" -d "$new" /api/subnets
answers "the name is data" 422 own -X POST "${JSON[@]}" -d "$(body ../../pods '"master": "ens4", "cidr": "10.62.0.0/24"')" /api/subnets

version() { k get macvlansubnet -n kube-system "$1" -o jsonpath='{.metadata.resourceVersion}'; }
edit() { jq -nc --arg v "$1" "{resourceVersion: \$v, spec: {$2}}"; }
for field in '"cidr": "10.63.0.0/24"' '"master": "ens5"' '"gateway": "10.61.0.9"' '"vlan": 5' '"mode": "vepa"' '"ipDelayReuse": 1' \
	'"allowedNamespaces": {}' '"allowAnyMAC": true'; do
	answers "locked: ${field%%:*}" 400 own -X PATCH "${JSON[@]}" -d "$(edit "$(version new)" "$field")" "/api/subnet?name=new"
done
answers "an edit of an older state" 409 own -X PATCH "${JSON[@]}" -d "$(edit 1 '"ranges": null')" "/api/subnet?name=new"
answers "an edit" 200 own -X PATCH "${JSON[@]}" \
	-d "$(edit "$(version new)" '"ranges": [{"rangeStart": "10.61.0.5", "rangeEnd": "10.61.0.6"}]')" "/api/subnet?name=new"
same "it is written" 10.61.0.6 "$(k get macvlansubnet -n kube-system new -o jsonpath='{.spec.ranges[0].rangeEnd}')"
answers "a removal of another one of that name" 409 own -X DELETE "/api/subnet?name=new&uid=11111111-1111-1111-1111-111111111111"
answers "a removal without its UID" 400 own -X DELETE "/api/subnet?name=new"
uid=$(k get macvlansubnet -n kube-system new -o jsonpath='{.metadata.uid}')
answers "a trial of a removal" 200 own -X DELETE "/api/subnet?name=new&uid=$uid&dryRun=1"
check "leaves it" k get macvlansubnet -n kube-system new
answers "a removal" 200 own -X DELETE "/api/subnet?name=new&uid=$uid"
check "it is gone" wait_for 10 gone macvlansubnet -n kube-system new

# ---------------------------------------------------------------- what the browser is told
headers() { curl -s -D - -o /dev/null "$@" "http://127.0.0.1:$UI_PORT/" | tr -d '\r'; }
header() { headers | sed -n "s/^$1: //p"; }
same "CSP" "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'" \
	"$(header Content-Security-Policy)"
same "no referrer, no sniffing, no frame, no cache, no sharing" "no-referrer nosniff DENY no-store same-origin same-origin" \
	"$(for h in Referrer-Policy X-Content-Type-Options X-Frame-Options Cache-Control Cross-Origin-Opener-Policy Cross-Origin-Resource-Policy; do header "$h"; done | xargs)"
same "no cookie, and no page of elsewhere may read it" "" "$(headers -H "Origin: http://127.0.0.1:$UI_PORT" | grep -iE '^(set-cookie|access-control)')"
leak() { curl -s "http://127.0.0.1:$UI_PORT$1" | grep -c -e "$UI_SECRET" -e 'token: '; }
same "the secret and the token are in no file" "0 0 0" "$(leak /) $(leak /page.js) $(leak /page.css)"
for what in subnets "subnet?name=lan" addresses; do
	own "/api/$what" >/dev/null
	check_fails "nor in /api/$what" grep -qE "$UI_SECRET|Bearer|tls\.crt" "$DIR/answer"
done
check_fails "nor on the command line" grep -q "$UI_SECRET" "/proc/$pid_ui/cmdline"
check_fails "nor in the environment" grep -q "$UI_SECRET" "/proc/$pid_ui/environ"
page=$(for f in / /page.js /page.css; do curl -s "http://127.0.0.1:$UI_PORT$f"; done | wc -c)
echo "# the page has $page bytes"
check "it is smaller than 60 KB" test "$page" -lt 60000
same "it names no other server" "" "$(for f in / /page.js /page.css; do curl -s "http://127.0.0.1:$UI_PORT$f"; done |
	grep -oE '(https?:)?//[a-z0-9.-]+\.[a-z]{2,}' | grep -v '^http://www.w3.org' | sort -u)"

# ---------------------------------------------------------------- limits
# Clients that open connections and say nothing must not keep the page from its user.
for ((i = 0; i < 100; i++)); do
	exec {fd}<>"/dev/tcp/127.0.0.1/$UI_PORT"
	printf 'GET / HTTP/1.1\r\n' >&"$fd"
	fds+=("$fd")
done 2>/dev/null
check "with 100 silent connections it answers" wait_for 10 still_answers
for fd in "${fds[@]}"; do exec {fd}>&-; done

# ---------------------------------------------------------------- the user's own rights, and its end
first=$UI_SECRET
kill -INT "$pid_ui"
check "Ctrl-C ends it" wait_for 5 ended
kubeconfig node
UI_USER=node ui_start --request-timeout 5
check "each run has a secret of its own" test "$first" != "$UI_SECRET"
same "the former one is nothing" 401 "$(code -H "X-Tandem-Secret: $first" /api/subnets)"
answers "who may not list subnets gets the API server's no" 403 own /api/subnets
answers "who may not create them" 403 own -X POST "${JSON[@]}" -d "$new" /api/subnets
kill -9 "$pid_apiserver"
answers "without an API server" 502 own /api/subnets
check "it says so" grep -q message "$DIR/answer"

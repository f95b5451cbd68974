# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the tests of the page share: a real API server, the controller with its webhook, and kubectl macvlan ui.
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=tests/api/lib-frame.sh
. "$(dirname "${BASH_SOURCE[0]}")/../api/lib-frame.sh"
HOOK=127.0.0.1:$((PORT + 5))

hook_answers() {
	curl -skf --max-time 2 -o /dev/null "https://$HOOK/readyz" &&
		k get validatingwebhookconfiguration tandem-controller
}

# world_start: all of it
world_start() {
	api_start
	candidate controller --leader-elect=false --hold-unwitnessed 3600 --webhook-url "https://$HOOK" \
		--webhook-bind-address "$HOOK"
	check "the webhook answers" wait_for 30 hook_answers
}

# ui_start [ARG...]: the page's server; its address in $UI_URL, $UI_PORT and $UI_SECRET
ui_start() {
	: >"$DIR/ui.log"
	start ui env -i PATH="$PATH" KUBECONFIG="$DIR/${UI_USER:-admin}.conf" "$TANDEM_KUBECTL_BIN" ui "$@"
	if ! wait_for 10 grep -q '^http' "$DIR/ui.log"; then
		fail "kubectl macvlan ui starts" "$(cat "$DIR/ui.log")"
		exit 1
	fi
	UI_URL=$(grep '^http' "$DIR/ui.log")
	# shellcheck disable=SC2034 # by those who ask
	UI_SECRET=${UI_URL##*#}
	UI_PORT=${UI_URL#http://127.0.0.1:}
	UI_PORT=${UI_PORT%%/*}
}

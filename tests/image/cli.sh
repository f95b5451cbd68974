#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kubectl-macvlan as it is shipped: what is in the archive, that it runs, and that the same program makes the same bytes.
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

scratch DIR
build=$(dirname "$TANDEM_BUILD")
[ -x "$build/static/kubectl-macvlan" ] || { skip "archive" "no static build in $build"; exit; }
make_it() { VERSION=9.9 ARCHES=amd64 "$TESTS_ROOT/tools/cli.sh" "$build" "$1"; }
check "the archive is written" make_it "$DIR/a"
check "once more" make_it "$DIR/b"
check "the same bytes" cmp "$DIR/a/kubectl-macvlan-9.9-linux-amd64.tar.gz" "$DIR/b/kubectl-macvlan-9.9-linux-amd64.tar.gz"
same "what is in it" "-rw-r--r-- 0/0 ./LICENSE
-rw-r--r-- 0/0 ./_kubectl-macvlan
-rwxr-xr-x 0/0 ./kubectl-macvlan
-rw-r--r-- 0/0 ./kubectl-macvlan.1
-rw-r--r-- 0/0 ./kubectl-macvlan.bash
-rwxr-xr-x 0/0 ./kubectl_complete-macvlan" \
	"$(tar -tvzf "$DIR/a/kubectl-macvlan-9.9-linux-amd64.tar.gz" | awk '$6 != "./" { print $1, $2, $6 }')"
mkdir "$DIR/bin"
tar -C "$DIR/bin" -xzf "$DIR/a/kubectl-macvlan-9.9-linux-amd64.tar.gz"
check "it runs" "$DIR/bin/kubectl-macvlan" --version
# Completion, in each of the three ways, without a cluster.
in_bash() {
	PATH=$DIR/bin:$PATH bash -c '. "$1"; COMP_WORDS=(kubectl-macvlan st) COMP_CWORD=1; _kubectl_macvlan; echo "${COMPREPLY[*]}"' - \
		"$DIR/bin/kubectl-macvlan.bash"
}
same "bash completes" "status" "$(in_bash)"
same "kubectl completes" "who
why
:4" "$(PATH=$DIR/bin:$PATH kubectl_complete-macvlan wh)"
same "options too" "--from-report" "$(PATH=$DIR/bin:$PATH "$DIR/bin/kubectl-macvlan" __complete release --fr)"
same "and values" "wide" "$(PATH=$DIR/bin:$PATH "$DIR/bin/kubectl-macvlan" __complete ips -o w)"
if command -v zsh >/dev/null; then check "zsh reads it" zsh -n "$DIR/bin/_kubectl-macvlan"; fi

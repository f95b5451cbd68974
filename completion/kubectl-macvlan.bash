# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Completion of kubectl-macvlan for bash; the program knows what may come next.
_kubectl_macvlan() {
	local line
	COMPREPLY=()
	while IFS= read -r line; do
		COMPREPLY+=("$line")
	done < <(kubectl-macvlan __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _kubectl_macvlan kubectl-macvlan

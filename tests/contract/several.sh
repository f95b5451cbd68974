#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Others in the chain, and several confs at once: a mesh that stands behind us and behind the primary runs once, and a runtime
# that runs another conf before ours is named.

. "$(dirname "$0")/lib.sh"
contract_node
mkdir "$DIR/net.d"
plugin mesh <<-EOF_PLUGIN
	#!/bin/sh
	echo "\$CNI_COMMAND" >>"$DIR/mesh"
	[ "\$CNI_COMMAND" != ADD ] || jq -c .prevResult
EOF_PLUGIN
primary | jq -c '.plugins += [{type: "mesh"}]' >"$DIR/net.d/10-primary.conflist"
OURS() { conf x | tr -d '\n' | sed "s,\"delegate\":x,\"delegateFile\":\"$DIR/net.d/10-primary.conflist\","; }
# ours TYPE...: our list in the folder, with these plugins behind us
ours() { OURS | jq -c '{cniVersion, name, plugins: ([del(.name, .cniVersion, .runtimeConfig)] + [$ARGS.positional[] | {type: .}])}' --args "$@" >"$DIR/net.d/00-tandem.conflist"; }
mesh_ran() { [ ! -e "$DIR/mesh" ] || tr '\n' ' ' <"$DIR/mesh"; }

new_pod
ours
cni ADD "$(OURS)"
succeeded "a mesh behind the primary alone: ADD"
cni DEL "$(OURS)"
same "it runs" "ADD DEL " "$(mesh_ran)"
rm -f "$DIR/mesh"
ours mesh
cni ADD "$(OURS)"
succeeded "behind us, too: ADD"
same "we do not run it: the runtime does, once" "" "$(mesh_ran)"
check "a warning says so" grep -q 'level=warn .*stands behind us and in the primary.*type=mesh' "$DIR/log"
cni DEL "$(OURS)"
succeeded "DEL"
rm -f "$DIR/mesh"
ours other
cni ADD "$(OURS)"
cni DEL "$(OURS)"
same "another one behind us: it runs" "ADD DEL " "$(mesh_ran)"
rm -f "$DIR/mesh"
ours mesh
sed -i 's/"name":"cbr0"/"name":"another"/' "$DIR/net.d/00-tandem.conflist"
cni ADD "$(OURS)"
cni DEL "$(OURS)"
same "another network's list is not ours" "ADD DEL " "$(mesh_ran)"
echo '{' >"$DIR/net.d/00-tandem.conflist"
cni ADD "$(OURS)"
succeeded "half a list of ours is nobody's"
cni DEL "$(OURS)"
drop_pod

new_pod
cni ADD "$(conf "$(primary)" '{"io.kubernetes.cri.pod-annotations":{"tandem-cni.io/subnet":"lan"}}')" CNI_IFNAME=eth1
refused "another conf has been run before ours" 7 "the runtime runs this conf for interface eth1, which is the card's own: another conf stands before it; it must be the first, and the only one (max_conf_num 1"
drop_pod

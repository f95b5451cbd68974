#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The file systems that it needs: mounted where nobody has, left where somebody has, and taken away by unload; and the
# root of cgroup v2 as seen on nodes and in containers of all sorts.
# shellcheck disable=SC2016 # commands of another shell

. "$(dirname "$0")/lib.sh"
services_lab macvlan

# bpffs: who has mounted one there, as our mounts show it
bpffs() { awk '$2 == "/sys/fs/bpf" && $3 == "bpf" { print $4 ~ /mode=2700/ ? "tandem" : "others" }' /proc/mounts | paste -sd ' '; }
pins() { find /sys/fs/bpf -mindepth 1 ! -name '*.debug' | sed 's,.*/,,'; }
text() { sed 's/^.*error="//; s/"[^"]*$//' <<<"$1"; }

# ---------------------------------------------------------------------------- the file system of BPF
same "nothing is mounted at first" "" "$(bpffs)"
check "load" services load
same "load has mounted it" tandem "$(bpffs)"
check "unload" services unload
same "unload has unmounted it" "" "$(bpffs)"
check "mount" services mount
same "mount mounts it" tandem "$(bpffs)"
check "mount, again" services mount
same "once" tandem "$(bpffs)"
check "load, on that" services load
mkdir /sys/fs/bpf/of-others
check "unload, when others have pins there" services unload
same "our own pins are gone, what is mounted stays" "of-others tandem" "$(pins) $(bpffs)"
rmdir /sys/fs/bpf/of-others
check "unload, when they have gone" services unload
same "now it goes" "" "$(bpffs)"
mount -t bpf bpf /sys/fs/bpf
check "load on what others have mounted" services load
check "its unload" services unload
same "it stays" others "$(bpffs)"
umount /sys/fs/bpf
out=$(services load --pins "$DIR/pins" 2>&1)
same "pins elsewhere are refused" "$DIR/pins is not on a file system of BPF" "$(text "$out")"
out=$(setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin -- "$TANDEM_SERVICES_BIN" mount --pins "$PINS" --cgroup "$CGROUP" 2>&1)
same "mount without the right to: no failure, but said" "0 mount a file system of BPF at /sys/fs/bpf: Operation not permitted" "$? $(text "$out")"

# ---------------------------------------------------------------------------- the root of cgroup v2
# elsewhere COMMANDS: in mount and cgroup namespaces of their own; SERVICES is the program, without --cgroup
elsewhere() {
	SERVICES=$TANDEM_SERVICES_BIN PINS=$PINS DIR=$DIR unshare --mount --cgroup --propagation private bash -c "
		cgroup2_away() { awk '\$3 == \"cgroup2\" { print \$2 }' /proc/mounts | tac | while read -r d; do umount -l \"\$d\"; done; }
		$1" 2>&1
}
ROOT=$(dirname "$CGROUP")
same "in a cgroup namespace of its own the node's mount shows the root" "$ROOT" \
	"$(elsewhere '"$SERVICES" status --json --pins "$PINS" | jq -r .cgroup')"
out=$(elsewhere 'cgroup2_away; mkdir "$DIR/cg"; mount -t cgroup2 cg "$DIR/cg"; "$SERVICES" load --pins "$PINS"; echo "exit $?"')
same "the namespace's own view is refused" "$DIR/cg is not the root of cgroup v2 (its inode is not 1): this process is in a cgroup namespace of its own; mount the node's /sys/fs/cgroup, or name a folder by --cgroup
exit 1" "$(text "$out")"
out=$(elsewhere 'cgroup2_away; "$SERVICES" load --pins "$PINS"; echo "exit $?"; grep -c cgroup2 /proc/mounts')
same "nothing in sight: what can be mounted there is refused" "this process is in a cgroup namespace of its own, and the node has no cgroup v2 in sight; mount the node's /sys/fs/cgroup
exit 1
0" "$(text "$out")"
same "nothing is attached, pinned or mounted" "0 $(bpffs)" "$(find /sys/fs/bpf -name 'tandem*' | wc -l) "

# A node of cgroup v1 alone: all processes are in the root of v2, which is nowhere mounted.
v1_alone() {
	unshare --mount --propagation private bash -c "
		echo \$\$ >'$ROOT/cgroup.procs'
		awk '\$3 == \"cgroup2\" { print \$2 }' /proc/mounts | tac | while read -r d; do umount -l \"\$d\"; done
		'$TANDEM_SERVICES_BIN' mount --pins '$PINS' && awk '\$3 == \"cgroup2\" { print \$1, \$2 }' /proc/mounts
		'$TANDEM_SERVICES_BIN' status --json --pins '$PINS' | jq -r .cgroup
		'$TANDEM_SERVICES_BIN' unload --pins '$PINS' && grep -cE 'cgroup2|/sys/fs/bpf' /proc/mounts" 2>&1
}
same "a node without cgroup v2: it is mounted for us, found, and taken away" "tandem /run/tandem/cgroup2
/run/tandem/cgroup2
0" "$(v1_alone)"

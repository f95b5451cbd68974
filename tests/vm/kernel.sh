#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Fetches Debian's cloud kernel, once, and prints the folder that has it:
#
#	tests/vm/kernel.sh [SUITE]	prints FOLDER: FOLDER/vmlinuz, FOLDER/modules/NAME.ko,
#				FOLDER/order (in which they can be loaded)
#
# Without SUITE it is the kernel of this machine's own Debian; bullseye has the oldest one that tandem-services serves
# (5.10). It stays in ${TANDEM_CACHE:-/var/cache/tandem}/vm-[SUITE-]<package>_<version>, complete or not at all. Of two
# calls at the same time one waits for the other. The package is not installed: it would put a kernel
# into this machine's /boot.
set -euo pipefail

# shellcheck source=tools/apt.sh
. "$(dirname "$0")/../../tools/apt.sh"
CACHE=${TANDEM_CACHE:-/var/cache/tandem}
META=linux-image-cloud-amd64
SUITE=${1:-}
# In the order in which they can be loaded.
MODULES="llc stp mrp garp 8021q bridge macvlan ipvlan veth dummy tls bonding vrf inet_diag udp_diag"
[ "$SUITE" != bullseye ] || MODULES=${MODULES/ tls/} # bonding does not need it there, and it is not packaged
APT=() # where apt looks, when it is another suite

say() {
	echo "kernel: $*" >&2
}

die() {
	say "$*"
	exit 1
}

finished() {
	local dir
	for dir in "$CACHE/vm-${SUITE:+$SUITE-}"linux-image-*/; do
		if [ "$(cat "$dir/order" 2>/dev/null)" = "$MODULES" ]; then
			printf '%s\n' "${dir%/}"
			return
		fi
	done
	return 1
}

# The image that the meta package depends on today.
image_name() {
	apt-cache "${APT[@]}" depends "$META" 2>/dev/null | sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p' | head -n 1
}

unpack() {
	local work=$1 file name
	dpkg-deb -x "$work"/*.deb "$work/root"
	mkdir -p "$work/out/modules"
	cp "$work"/root/boot/vmlinuz-* "$work/out/vmlinuz"
	for name in $MODULES; do
		file=$(find "$work/root" \( -name "$name.ko" -o -name "$name.ko.xz" -o -name "$name.ko.zst" \) -print -quit)
		case $file in
		*.ko) cp "$file" "$work/out/modules/$name.ko" ;;
		*.xz) xz -dc "$file" >"$work/out/modules/$name.ko" ;;
		*.zst) zstd -qdc "$file" >"$work/out/modules/$name.ko" ;;
		*) die "the package has no module $name" ;;
		esac
	done
	printf '%s\n' "$MODULES" >"$work/out/order"
}

update() {
	if [ -z "$SUITE" ]; then
		apt-get -o DPkg::Lock::Timeout=300 update -qq
	else
		apt-get "${APT[@]}" update -qq
	fi
}

# another_suite FOLDER: of the archive that this machine's own main suite is from
another_suite() {
	mkdir "$1"
	debian_repositories | awk -v suite="$SUITE" '$1 !~ /security/ && !seen[$1]++ { print "deb", $1, suite, "main" }' | own_apt "$1" ||
		die "$SUITE: cannot be had"
	APT=(-c "$1/apt.conf")
}

fetch() {
	local image work deb dir
	work=$(mktemp -d "$CACHE/vm.XXXXXX")
	# shellcheck disable=SC2064 # the folder as it is now
	trap "rm -rf '$work'" EXIT
	[ -z "$SUITE" ] || another_suite "$work/apt"
	image=$(image_name)
	if [ -z "$image" ]; then
		update >&2 || true
		image=$(image_name)
	fi
	[ -n "$image" ] || die "$META: not known to the apt sources${SUITE:+ of $SUITE}"
	say "fetching $image"
	if ! (cd "$work" && apt-get "${APT[@]}" -q -o APT::Sandbox::User=root download "$image") >"$work/log" 2>&1; then
		update >>"$work/log" 2>&1 || true
		image=$(image_name)
		(cd "$work" && apt-get "${APT[@]}" -q -o APT::Sandbox::User=root download "$image") >>"$work/log" 2>&1 || {
			cat "$work/log" >&2
			die "cannot fetch $image"
		}
	fi
	deb=$(cd "$work" && echo ./*.deb)
	unpack "$work"
	dir=$CACHE/vm-${SUITE:+$SUITE-}$(basename "${deb%.deb}")
	rm -rf "$dir"
	mv "$work/out" "$dir"
}

main() {
	finished && return
	mkdir -p "$CACHE"
	exec 9>"$CACHE/vm.lock"
	flock 9
	finished && return
	# A subshell: its clean-up is done before the answer.
	(fetch)
	finished || die "the kernel is not there after fetching it"
}

main

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Fetches containerd 2 of Debian's next suite, once, and prints the folder that has it:
#
#	tests/cluster/containerd2.sh    prints FOLDER: FOLDER/containerd, FOLDER/containerd-shim-runc-v2, FOLDER/ctr
#
# From the archive that this machine installs from, by an apt configuration of its own, so that /etc/apt stays as
# it is; apt holds the lists against Debian's keys and the package against the lists' checksum, and this script
# does the latter once more. It stays in ${TANDEM_CACHE:-/var/cache/tandem}/containerd-<version>, complete or not
# at all. Of two calls at the same time one waits for the other. The package is not installed; runc stays the
# machine's.
set -euo pipefail

CACHE=${TANDEM_CACHE:-/var/cache/tandem}
SUITE=testing
MAJOR=2
PROGRAMS="containerd containerd-shim-runc-v2 ctr"
# shellcheck source=tools/apt.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../tools/apt.sh"

say() {
	echo "containerd2: $*" >&2
}

die() {
	say "$*"
	exit 1
}

finished() {
	local dir
	for dir in "$CACHE"/containerd-"$MAJOR".*/; do
		if [ "$(cat "$dir/complete" 2>/dev/null)" = "$PROGRAMS" ]; then
			printf '%s\n' "${dir%/}"
			return
		fi
	done
	return 1
}

apt_next() {
	local tool=$1
	shift
	"$tool" -c "$WORK/apt.conf" "$@"
}

# From the archive of the machine's own suite: those of updates and of security have none of the next one.
lists() {
	debian_repositories | awk -v suite="$SUITE" '$3 == "main" && $2 !~ /-/ { print "deb", $1, suite, $3; exit }' |
		own_apt "$WORK" || die "the lists of suite $SUITE cannot be fetched"
}

# field NAME < the package's entry in Packages
field() { sed -n "s/^$1: //p" | head -n 1; }

fetch() {
	local entry version deb sum program dir
	say "fetching the lists of Debian's suite $SUITE"
	lists
	entry=$(apt_next apt-cache --no-all-versions show "containerd/$SUITE")
	version=$(field Version <<<"$entry")
	sum=$(field SHA256 <<<"$entry")
	[[ $version == "$MAJOR".* ]] || die "suite $SUITE has containerd '$version', wanted $MAJOR"
	[ ${#sum} -eq 64 ] || die "no checksum of containerd $version in the lists"
	say "fetching containerd $version"
	(cd "$WORK" && apt_next apt-get -q download "containerd=$version") >>"$WORK/log" 2>&1 ||
		{ tail -n 5 "$WORK/log" >&2 && die "containerd $version cannot be fetched"; }
	deb=$(echo "$WORK"/containerd_*.deb)
	sha256sum --check --status <<<"$sum  $deb" || die "$(basename "$deb") is not what the lists say"
	dpkg-deb -x "$deb" "$WORK/root"
	mkdir "$WORK/out"
	for program in $PROGRAMS; do
		cp "$WORK/root/usr/bin/$program" "$WORK/out/" || die "the package has no $program"
	done
	"$WORK/out/containerd" --version >&2 || die "containerd $version does not run here"
	echo "$PROGRAMS" >"$WORK/out/complete"
	dir=$CACHE/containerd-${version//\~/-}
	rm -rf "$dir"
	mv "$WORK/out" "$dir"
}

main() {
	finished && return
	mkdir -p "$CACHE"
	exec 9>"$CACHE/containerd2.lock"
	flock 9
	finished && return
	WORK=$(mktemp -d "$CACHE/containerd2.XXXXXX")
	trap 'rm -rf "$WORK"' EXIT
	# A subshell: its end is not this one's.
	(fetch) || exit 1
	finished || die "containerd is not there after fetching it"
}

main

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fetches what programs for arm64 are linked with, once, and prints the folder that has it:
#
#	tools/sysroot.sh arm64		prints FOLDER: FOLDER/usr/...; FOLDER/bin/cc, a compiler that uses it; and
#				FOLDER/packages, the source packages that it is made of
#
# The libraries are Debian's own for that architecture, in the versions that are installed here for this one, as far
# as the archive still has them. They are unpacked, not installed: this machine's dpkg stays one of one architecture,
# and nothing here has to be updated to be installed twice in the same version. The compiler is Debian's
# gcc-aarch64-linux-gnu; its own copy of the C library (libc6-dev-arm64-cross) lags behind the security suite, so
# the one of the folder comes first.
#
# The folder is ${TANDEM_CACHE:-/var/cache/tandem}/sysroot-arm64-<key>, complete or not at all. Of two calls at the same
# time one waits for the other.
set -euo pipefail

CACHE=${TANDEM_CACHE:-/var/cache/tandem}
ARCH=${1:?usage: tools/sysroot.sh arm64}
PACKAGES="libc6 libc6-dev linux-libc-dev libcrypt-dev libssl-dev libyaml-dev libmnl-dev libbpf-dev libelf-dev
	zlib1g-dev"
self=$(readlink -f "${BASH_SOURCE[0]}")
# shellcheck source=tools/apt.sh
. "${self%/*}/apt.sh"

say() {
	echo "sysroot: $*" >&2
}

die() {
	say "$*"
	exit 1
}

case $ARCH in
arm64) TRIPLET=aarch64-linux-gnu ;;
*) die "unknown architecture $ARCH (arm64)" ;;
esac

apt_other() {
	local tool=$1

	shift
	"$tool" -c "$WORK/apt.conf" "$@"
}

lists() {
	: >"$WORK/status"
	debian_repositories | awk '$3 == "main" { print "deb", $0 }' |
		own_apt "$WORK" "APT::Architecture \"$ARCH\";" "APT::Architectures \"$ARCH\";" "Dir::State::status \"$WORK/status\";" ||
		die "the lists for $ARCH cannot be fetched"
}

# Argument: package. apt holds what it downloads against the archive's signed lists.
fetch() {
	local version

	version=$(installed "$1")
	(cd "$WORK/deb" && apt_other apt-get -q download "$1=$version") >>"$WORK/log" 2>&1 && return
	say "$1 $version has left the archive, taking the newest"
	(cd "$WORK/deb" && apt_other apt-get -q download "$1") >>"$WORK/log" 2>&1 ||
		{ tail -n 5 "$WORK/log" >&2 && die "$1 for $ARCH cannot be fetched"; }
}

installed() {
	dpkg-query -W -f '${Version}\n' "$1" 2>/dev/null | head -n 1
}

compiler() {
	mkdir "$WORK/out/bin"
	cat >"$WORK/out/bin/cc" <<-CC
		#!/bin/sh
		# $TRIPLET-gcc with the headers and archives of this folder before all others
		root=$1
		exec $TRIPLET-gcc --sysroot="\$root" -B"\$root/usr/lib/$TRIPLET" \\
			-L"\$root/usr/lib/$TRIPLET" "\$@" \\
			-isystem "\$root/usr/include/$TRIPLET" -isystem "\$root/usr/include"
	CC
	chmod 755 "$WORK/out/bin/cc"
}

make_sysroot() {
	local package deb link

	command -v $TRIPLET-gcc >/dev/null || die "$TRIPLET-gcc is not installed (tools/setup.sh image)"
	say "fetching libraries for $ARCH"
	lists
	mkdir "$WORK/deb" "$WORK/out"
	for package in $PACKAGES; do
		fetch "$package"
	done
	for deb in "$WORK"/deb/*.deb; do
		dpkg-deb -x "$deb" "$WORK/out"
		# shellcheck disable=SC2016 # dpkg's own variables
		dpkg-deb -W --showformat '${source:Package} ${source:Version}\n' "$deb" >>"$WORK/out/packages"
	done
	# Links to the machine's root would lead to this machine's libraries.
	find "$WORK/out" -lname '/*' -print | while read -r link; do
		ln -sfn "$1$(readlink "$link")" "$link"
	done
	sort -u -o "$WORK/out/packages" "$WORK/out/packages"
	compiler "$1"
	rm -rf "$WORK/out/usr/share"
	chmod -R a+rX "$WORK/out"
	mv "$WORK/out" "$1"
}

main() {
	local key dir package

	key=$( (for package in $PACKAGES; do echo "$package $(installed "$package")"; done && cat "$self") | sha256sum | cut -c 1-12)
	dir=$CACHE/sysroot-$ARCH-$key
	if [ ! -d "$dir" ]; then
		mkdir -p "$CACHE"
		exec 9>"$CACHE/sysroot.lock"
		flock 9
	fi
	if [ ! -d "$dir" ]; then
		WORK=$(mktemp -d "$CACHE/sysroot.tmp.XXXXXX")
		trap 'rm -rf "$WORK"' EXIT
		make_sysroot "$dir"
	fi
	printf '%s\n' "$dir"
}

main

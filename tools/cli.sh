#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes kubectl-macvlan as users fetch it: one archive for each architecture, with its manual and completions.
#
#	VERSION=0.1.0 tools/cli.sh BUILD OUT
#
#	OUT/kubectl-macvlan-VERSION-linux-ARCH.tar.gz
#
# The same programs make the same bytes, as with tools/image.sh.
set -euo pipefail

: "${VERSION:?}"
TREE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
: "${ARCHES:=amd64 arm64}"
export LC_ALL=C
BUILD=$1 OUT=$2
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

build_of() { [ "$1" = amd64 ] && echo "$BUILD/static" || echo "$BUILD/$1"; }
strip_of() { [ "$1" = amd64 ] && echo strip || echo aarch64-linux-gnu-strip; }

mkdir -p "$OUT"
for arch in $ARCHES; do
	root=$WORK/$arch
	mkdir "$root"
	"$(strip_of "$arch")" -R .note.gnu.build-id -R .comment -o "$root/kubectl-macvlan" "$(build_of "$arch")/kubectl-macvlan"
	cp "$TREE"/completion/* "$TREE/man/kubectl-macvlan.1" "$TREE/LICENSE" "$root/"
	chmod 644 "$root"/*
	chmod 755 "$root/kubectl-macvlan" "$root/kubectl_complete-macvlan"
	tar -C "$root" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --format=ustar -cf "$WORK/cli.tar" .
	gzip -n -9 <"$WORK/cli.tar" >"$OUT/kubectl-macvlan-$VERSION-linux-$arch.tar.gz"
done

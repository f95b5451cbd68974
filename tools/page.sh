#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the page of `kubectl macvlan ui` from ui/, or says where what it is built with lies:
#
#	tools/page.sh build OUT		OUT/index.html, OUT/page.js, OUT/page.css
#	tools/page.sh modules [dev]	prints the folder of node_modules; dev: with what the tests need
#
# The modules are those of ui/package-lock.json, fetched by npm once and kept outside of the tree, in a folder with
# the lock's hash in its name. No script of theirs is run. The same source makes the same bytes.
set -euo pipefail

TREE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
UI=$TREE/ui
CACHE=${TANDEM_CACHE:-/var/cache/tandem}
export LC_ALL=C

die() {
	echo "page: $*" >&2
	exit 1
}

needs() {
	command -v "$1" >/dev/null ||
		die "$1 is missing, which only kubectl-macvlan is built with: install Debian's package $2 (tools/setup.sh ui)"
}

# fetch FOLDER [npm's options...]: beside it first, so that half of it is never taken for all
fetch() {
	local to=$1 new=$1.new.$$
	shift
	rm -rf "$to".new.*
	mkdir -p "$new"
	cp "$UI/package.json" "$UI/package-lock.json" "$new/"
	(cd "$new" && npm ci "$@" --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error >&2) || {
		rm -rf "$new"
		die "npm ci failed: the modules of ui/package-lock.json could not be fetched"
	}
	mv "$new" "$to"
}

# modules [dev]: of this lock, fetched once
modules() {
	local kind=${1:-build} hash to options=()
	needs node nodejs
	needs npm npm
	hash=$(cat "$UI/package.json" "$UI/package-lock.json" | sha256sum | cut -c 1-12)
	to=$CACHE/page-$kind-$(uname -m)-$hash
	[ "$kind" = dev ] || options=(--omit=dev)
	if [ ! -d "$to" ]; then
		mkdir -p "$CACHE"
		exec 9>"$CACHE/page.lock"
		flock 9
		[ -d "$to" ] || fetch "$to" "${options[@]}"
		exec 9>&-
	fi
	echo "$to/node_modules"
}

build() {
	local out=$1 from
	from=$(modules)
	mkdir -p "$out"
	# The licence of what goes in with our own source goes with it.
	NODE_PATH=$from node "$from/esbuild/bin/esbuild" "$UI/src/main.tsx" --bundle --minify --format=iife --target=es2022 \
		--charset=utf8 --legal-comments=none --jsx-factory=h --jsx-fragment=Fragment --tsconfig-raw='{}' \
		--banner:js="/*! preact: $(cat "$from/preact/LICENSE") */" \
		--log-level=warning --outfile="$out/page.js"
	node "$from/esbuild/bin/esbuild" "$UI/page.css" --minify --charset=utf8 --log-level=warning --outfile="$out/page.css"
	cp "$UI/index.html" "$out/index.html"
}

case ${1:-} in
build) build "${2:?}" ;;
modules) modules "${@:2}" ;;
*) die "usage: tools/page.sh build OUT | modules [dev]" ;;
esac

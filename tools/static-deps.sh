#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the static archives that Debian does not ship in a usable form, from Debian's own source
# packages, and prints the folder that holds them (include/, lib/, and `packages`, from what they are made):
#
#	tools/static-deps.sh
#
# libcurl	Debian's libcurl.a needs Kerberos and LDAP, which have no static libraries. Ours speaks
#		HTTP/1.1 over OpenSSL, through a proxy if need be, and nothing else.
# libcjson	Debian ships no archive.
# libmnl	Debian ships no archive. Where the package archive lacks the source as well,
#		tools/static/mnl.c takes its place.
# libyaml	only where libyaml-dev's archive is missing.
# libcmocka	for another architecture, whose unit tests are static.
#
# CC is the compiler; with that of tools/sysroot.sh the archives are for another architecture.
#
# The result stays in ${TANDEM_CACHE:-/var/cache/tandem}/static-deps-<versions>-<recipe>, made once
# for each set of versions and each edition of this file. It appears by rename, complete or not at
# all; of two runs at the same time one waits for the other.
set -euo pipefail

self=$(readlink -f "${BASH_SOURCE[0]}")
top=$(dirname "$(dirname "$self")")
cache=${TANDEM_CACHE:-/var/cache/tandem}
cc=${CC:-gcc}
cflags="-O2 -g1 -fPIE -ffunction-sections -fdata-sections -fstack-protector-strong -D_FORTIFY_SOURCE=2 -w"

say() {
	echo "static-deps: $*" >&2
}

die() {
	say "$*"
	exit 1
}

# version_of DEV_PACKAGE: the source version behind the headers that the normal build uses
version_of() {
	dpkg-query -W -f '${source:Version}' "$1" 2>/dev/null || die "$1 is not installed (tools/setup.sh build)"
}

# download SOURCE[=VERSION]: into ./dl-SOURCE
download() {
	(cd "dl-${1%%=*}" && apt-get -qq -c "$cache/apt/apt.conf" source --download-only "$1") >"${1%%=*}.log" 2>&1
}

# fetch SOURCE VERSION: unpacks into ./src-SOURCE; the newest where that version has left the
# archive. Returns 1, said why, when it cannot be had.
fetch() {
	local conf=$cache/apt/apt.conf
	[ -e "$conf" ] || "$(dirname "$self")/setup.sh" build >&2
	mkdir "dl-$1"
	if ! download "$1=$2" && ! { apt-get -qq -c "$conf" update >"$1.log" 2>&1 && download "$1"; }; then
		grep '^E:' "$1.log" >&2 || cat "$1.log" >&2
		say "cannot fetch the source package $1"
		return 1
	fi
	# apt has checked the files against the archive's signed lists.
	dpkg-source --no-check -x "dl-$1"/*.dsc "src-$1" >"$1.log" 2>&1 || { cat "$1.log" >&2 && die "cannot unpack $1"; }
	echo "$1 $(sed -n 's/^Version: //p' "dl-$1"/*.dsc | head -n 1)" >>out/packages
}

# archive NAME FILE.c...: compiles and packs lib/libNAME.a; more compiler flags from $extra
archive() {
	local name=$1 f objs=()
	shift
	mkdir -p out/lib "obj-$name"
	for f; do
		# shellcheck disable=SC2086
		$cc $cflags ${extra:-} -c -o "obj-$name/$(basename "$f" .c).o" "$f"
		objs+=("obj-$name/$(basename "$f" .c).o")
	done
	ar rcs "out/lib/lib$name.a" "${objs[@]}"
}

build_cjson() {
	fetch cjson "$1" || exit 1
	archive cjson src-cjson/cJSON.c
	install -D -m 644 src-cjson/cJSON.h out/include/cjson/cJSON.h
}

build_mnl() {
	if ! fetch libmnl "$1"; then
		say "libmnl: taking tools/static/mnl.c instead"
		archive mnl "$top/tools/static/mnl.c"
		install -D -m 644 "$(printf '#include <libmnl/libmnl.h>\n' | $cc -E -H - 2>&1 >/dev/null | sed -n 's/^\. //p' | head -n 1)" \
			out/include/libmnl/libmnl.h
		return
	fi
	: >src-libmnl/include/config.h
	extra="-Isrc-libmnl/include -Isrc-libmnl/src" archive mnl src-libmnl/src/{attr,callback,nlmsg,socket}.c
	install -D -m 644 src-libmnl/include/libmnl/libmnl.h out/include/libmnl/libmnl.h
}

build_cmocka() {
	fetch cmocka "$1" || exit 1
	printf '#define HAVE_%s 1\n' CLOCK_REALTIME INTTYPES_H SIGNAL_H STDINT_H STDLIB_H STRING_H STRINGS_H \
		STRUCT_TIMESPEC TIME_H UNISTD_H CLOCK_GETTIME_REALTIME GCC_THREAD_LOCAL_STORAGE >config.h
	extra="-I. -Isrc-cmocka/include -DHAVE_CONFIG_H" archive cmocka src-cmocka/src/cmocka.c
	install -D -m 644 src-cmocka/include/cmocka.h out/include/cmocka.h
}

build_yaml() {
	fetch libyaml "$1" || exit 1
	extra="-Isrc-libyaml/include -DYAML_VERSION_MAJOR=0 -DYAML_VERSION_MINOR=2 -DYAML_VERSION_PATCH=5 -DYAML_VERSION_STRING=\"0.2.5\"" \
		archive yaml src-libyaml/src/*.c
	install -D -m 644 src-libyaml/include/yaml.h out/include/yaml.h
}

# What stays on: HTTP, TLS, proxies (a node may need one), the threaded resolver (so that a name
# lookup has a deadline and does not stop an event loop). OpenSSL's configuration of the host is
# not read: it may name modules that a static program cannot load. There are no engines, and no log of
# TLS keys: in this release of curl that takes an edit, since no option of configure leaves it out.
build_curl() {
	local off="alt-svc ares cookies dict doh file ftp getoptions gopher hsts imap ldap ldaps
		manual mqtt netrc ntlm ntlm-wb pop3 progress-meter rtsp smb smtp sspi telnet
		tftp tls-srp unix-sockets openssl-auto-load-config dependency-tracking shared"
	local without="brotli gssapi libgsasl libidn2 libpsl librtmp libssh libssh2 nghttp2 nghttp3
		ngtcp2 zlib zstd"
	local args=() x

	fetch curl "$1" || exit 1
	for x in $off; do args+=("--disable-$x"); done
	for x in $without; do args+=("--without-$x"); done
	(
		cd src-curl
		sed -i 's/curl_getenv("SSLKEYLOGFILE")/NULL/' lib/vtls/keylog.c
		# Debian's patches touch the inputs of automake; the shipped outputs are good enough.
		find . -name Makefile.in -exec touch {} +
		touch aclocal.m4 && sleep 1 && touch configure lib/curl_config.h.in && find . -name Makefile.in -exec touch {} +
		./configure --quiet --enable-static --with-openssl --with-ca-bundle=/etc/ssl/certs/ca-certificates.crt \
			--without-ca-path ${host:+"--host=$host"} "${args[@]}" CC="$cc" CFLAGS="$cflags -DOPENSSL_NO_ENGINE"
		make -s -C lib -j2 libcurl.la
	) >curl.log 2>&1 || { tail -n 40 curl.log >&2 && die "building curl failed"; }
	install -D -m 644 src-curl/lib/.libs/libcurl.a out/lib/libcurl.a
	! grep -q SSLKEYLOGFILE out/lib/libcurl.a || die "curl: it still logs TLS keys"
	mkdir -p out/include/curl
	install -m 644 src-curl/include/curl/*.h out/include/curl/
}

has_archive() {
	case $($cc -print-file-name="lib$1.a") in
	/*) ;;
	*) return 1 ;;
	esac
}

main() {
	local curl cjson mnl yaml ssl cmocka key dir work host

	host=$($cc -dumpmachine)
	[ "$host" != "$(gcc -dumpmachine)" ] || host=""
	curl=$(version_of libcurl4-openssl-dev)
	cjson=$(version_of libcjson-dev)
	mnl=$(version_of libmnl-dev)
	yaml=$(version_of libyaml-dev)
	ssl=$(version_of libssl-dev)
	cmocka=$(version_of libcmocka-dev)
	has_archive ssl || die "libssl-dev brings no static archive"
	key=$( (echo "$curl $cjson $mnl $yaml $ssl $host" && "$cc" --version && cat "$self" "$top/tools/static/mnl.c") | sha256sum | cut -c 1-12)
	dir=$cache/static-deps-${host:+$host-}curl${curl%%-*}-cjson${cjson%%-*}-mnl${mnl%%-*}-$key

	if [ ! -d "$dir" ]; then
		mkdir -p "$cache"
		exec 9>"$cache/static-deps.lock"
		flock 9
	fi
	if [ ! -d "$dir" ]; then
		say "building libcurl $curl, libcjson $cjson, libmnl $mnl${host:+ for $host}"
		work=$(mktemp -d "$cache/static-deps.tmp.XXXXXX")
		# shellcheck disable=SC2064
		trap "rm -rf '$work'" EXIT
		cd "$work"
		mkdir out
		# The same bytes whatever this folder's name.
		cflags+=" -ffile-prefix-map=$work=."
		build_cjson "$cjson"
		build_mnl "$mnl"
		has_archive yaml || build_yaml "$yaml"
		[ -z "$host" ] || build_cmocka "$cmocka"
		build_curl "$curl"
		chmod -R a+rX out
		mv out "$dir"
		say "built in $SECONDS s: $dir"
	fi
	printf '%s\n' "$dir"
}

main

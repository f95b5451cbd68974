#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A program linked as `make static` links: is it static, does TLS work, and does a host name lookup
# stay clear of the host's shared libraries?
. "$(dirname "$0")/../../tests/lib.sh"
cd "$TESTS_ROOT" || exit 1
scratch dir
name=api.tandem.test

words() {
	make -s --no-print-directory "print-$1"
}

build() {
	# shellcheck disable=SC2046 # flags, meant to be split
	$(words CC_static) -D_GNU_SOURCE $(words CPPFLAGS_static) $(words CFLAGS_static) $(words LDFLAGS_static) \
		-o "$dir/probe" tools/static/tls_probe.c tools/static/nss.c $(words LIBS)
}

not_dynamic() {
	! readelf -lW "$dir/probe" | grep -qE 'INTERP|DYNAMIC'
}

port_known() {
	port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' "$dir/server.log")
	[ -n "$port" ]
}

check "libraries" make -s --no-print-directory "$(words O)/static/deps.path"
check "links" build
check "is static" not_dynamic
size=$(stat -c %s "$dir/probe")
check "is below 8 MiB ($size bytes)" [ "$size" -lt $((8 << 20)) ]

# certificate FILE: makes FILE and FILE.key
certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1" -days 2 \
		-subj /CN=$name -addext "subjectAltName=DNS:$name,IP:127.0.0.1" 2>"$1.log"
}

certificate "$dir/cert"
certificate "$dir/other"
openssl s_server -www -accept 127.0.0.1:0 -key "$dir/cert.key" -cert "$dir/cert" >"$dir/server.log" 2>&1 &
at_exit kill $!
wait_for 10 port_known || { fail "server" "no port after 10 s" && cat "$dir/server.log"; exit; }

same "GET by address" 200 "$(SSLKEYLOGFILE=$dir/keys "$dir/probe" "https://127.0.0.1:$port/" "$dir/cert")"
check_fails "no TLS keys are logged" test -e "$dir/keys"
same "a certificate of another authority" "SSL peer certificate or SSH remote key was not OK" \
	"$("$dir/probe" "https://127.0.0.1:$port/" "$dir/other")"

# A host whose nsswitch.conf names services that are shared modules.
if unshare -m true 2>/dev/null; then
	printf '127.0.0.1 %s\n' $name >"$dir/hosts"
	printf 'hosts: mymachines resolve [!UNAVAIL=return] files myhostname dns\n' >"$dir/nsswitch.conf"
	# shellcheck disable=SC2016 # for the inner shell
	got=$(unshare -m sh -c 'mount --bind "$1/hosts" /etc/hosts && mount --bind "$1/nsswitch.conf" /etc/nsswitch.conf &&
		exec strace -f -o "$1/trace" -e trace=open,openat "$1/probe" "$2" "$1/cert"' - "$dir" "https://$name:$port/")
	same "GET by name" 200 "$got"
	check "the name was looked up" grep -q '"/etc/hosts"' "$dir/trace"
	same "no shared library was opened" "" "$(grep -E '\.so' "$dir/trace")"
else
	skip "GET by name" "no right to make a mount namespace"
fi

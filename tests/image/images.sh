#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The images: whole by their own digests, with nothing in them but the programs, the same bytes twice, and what they
# are made of said truly.
# shellcheck disable=SC2016 # the variables are jq's
set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/image/lib.sh
. "$TESTS_ROOT/tests/image/lib.sh"

scratch DIR
cd "$TESTS_ROOT" || exit 1
export VERSION REGISTRY=localhost
tools/image.sh "$BUILDS" "$DIR/out" || { fail "make image" "fails" && exit 1; }
(umask 077 && TZ=Asia/Shanghai LANG=C.UTF-8 tools/image.sh "$BUILDS" "$DIR/again")
check "the same bytes twice" diff -r "$DIR/out" "$DIR/again"
same "what is written" "tandem-controller-$VERSION.oci.tar tandem-controller-$VERSION.spdx.json tandem-node-$VERSION.oci.tar tandem-node-$VERSION.spdx.json tandem-services-$VERSION.oci.tar tandem-services-$VERSION.spdx.json" \
	"$(cd "$DIR/out" && echo *)"

# blob DIGEST: its path
blob() { echo "$L/blobs/sha256/${1#sha256:}"; }
# unpack IMAGE: the layout to $L, each platform's files to $L.amd64 and $L.arm64
unpack() {
	L=$DIR/$1
	mkdir "$L"
	tar -C "$L" -xf "$DIR/out/$1-$VERSION.oci.tar"
	INDEX=$(blob "$(jq -r '.manifests[0].digest' "$L/index.json")")
}
# wrong_blobs: those whose name is not their digest, and descriptors that do not fit what they describe
wrong_blobs() {
	local f digest size

	for f in "$L"/blobs/sha256/*; do
		[ "$(sha256sum <"$f" | cut -d ' ' -f 1)" = "$(basename "$f")" ] || echo "digest $f"
	done
	cat "$L/index.json" "$INDEX" "$(manifest amd64)" "$(manifest arm64)" |
		jq -r '(.manifests // [.config, .layers[]])[] | "\(.digest) \(.size)"' | while read -r digest size; do
		[ "$(stat -c %s "$(blob "$digest")")" = "$size" ] || echo "size $digest"
	done
}
manifest() { blob "$(jq -r --arg a "$1" '.manifests[] | select(.platform.architecture == $a) | .digest' "$INDEX")"; }
config() { blob "$(jq -r .config.digest "$(manifest "$1")")"; }
layer() { blob "$(jq -r '.layers[0].digest' "$(manifest "$1")")"; }

# whole IMAGE USER FILES
whole() {
	local name=$1 user=$2 files=$3 arch root

	unpack "$name"
	same "$name: blobs are what their names and descriptors say" "" "$(wrong_blobs)"
	same "$name: no blob is left over" 7 "$(find "$L/blobs/sha256" -type f | wc -l)"
	same "$name: the layout" '"1.0.0" ["localhost/'"$name:$VERSION"'","'"$VERSION"'"] ["linux/amd64","linux/arm64"]' \
		"$(jq -c .imageLayoutVersion "$L/oci-layout") $(jq -c '.manifests[0].annotations | [.["io.containerd.image.name"],
			.["org.opencontainers.image.ref.name"]]' "$L/index.json") $(jq -c '[.manifests[].platform | "\(.os)/\(.architecture)"]' "$INDEX")"
	for arch in amd64 arm64; do
		same "$name $arch: user, entry point, and the layer's digest" \
			"$arch $user /usr/bin/$name sha256:$(gzip -dc "$(layer $arch)" | sha256sum | cut -d ' ' -f 1)" \
			"$(jq -r '"\(.architecture) \(.config.User) \(.config.Entrypoint[0]) \(.rootfs.diff_ids[0])"' "$(config $arch)")"
		same "$name $arch: files" "$files" "$(tar -tvzf "$(layer $arch)" --numeric-owner | awk '{ print $1, $2, $4, $6 }')"
		root=$L.$arch
		mkdir "$root"
		tar -C "$root" -xzf "$(layer $arch)"
	done
	same "$name amd64: it is this build" "$("$TANDEM_BUILD/$name" --version)" "$("$L.amd64/usr/bin/$name" --version)"
	same "$name arm64: it is this build" "$("$TANDEM_BUILD/$name" --version | cut -d ' ' -f 1,2)" \
		"$(qemu-aarch64-static "$L.arm64/usr/bin/$name" --version | cut -d ' ' -f 1,2)"
	told "$name"
}

# told IMAGE: its SPDX document, held against its files
told() {
	local name=$1 bom=$DIR/out/$1-$VERSION.spdx.json libraries="cjson curl glibc libyaml openssl"
	[ "$name" != tandem-services ] || libraries="cjson curl elfutils glibc libbpf libyaml openssl zlib"

	# Only what speaks netlink has it, and not where tools/static/mnl.c takes its place.
	! { [ "$name" = tandem-node ] && grep -q '^libmnl ' "$TANDEM_BUILD/deps/packages"; } ||
		libraries="cjson curl glibc libmnl libyaml openssl"
	! { [ "$name" = tandem-services ] && grep -q '^libmnl ' "$TANDEM_BUILD/deps/packages"; } ||
		libraries="cjson curl elfutils glibc libbpf libmnl libyaml openssl zlib"
	same "$name: SPDX" "SPDX-2.3 $name-$VERSION $(jq -r '.manifests[0].digest' "$L/index.json")" \
		"$(jq -r '"\(.spdxVersion) \(.name) sha256:\(.packages[0].checksums[0].checksumValue)"' "$bom")"
	same "$name: every file with its sum" \
		"$(cd "$DIR" && find "$name.amd64" "$name.arm64" -type f -exec sha256sum {} + | sed "s, $name\.\([a-z0-9]*\)/, \1 ./," | sort)" \
		"$(jq -r '.files[] | "\(.checksums[1].checksumValue)  \(.comment | ltrimstr("for ")) \(.fileName)"' "$bom" | sort)"
	same "$name: the verification code" "$(jq -r '.packages[0].packageVerificationCode.packageVerificationCodeValue' "$bom")" \
		"$(cd "$DIR" && find "$name.amd64" "$name.arm64" -type f -exec sha1sum {} + | cut -d ' ' -f 1 | sort | tr -d '\n' | sha1sum | cut -d ' ' -f 1)"
	same "$name: relationships lead to what is there" "" "$(jq -r '([.SPDXID, .packages[].SPDXID, .files[].SPDXID]) as $ids |
		.relationships[] | .spdxElementId, .relatedSpdxElement | select(IN($ids[]) | not)' "$bom")"
	same "$name: nothing has one identifier with another" "" \
		"$(jq -r '.packages[].SPDXID, .files[].SPDXID' "$bom" | sort | uniq -d)"
	# A machine that lags behind the archive has an older one than what is fetched for the other architecture.
	same "$name: OpenSSL is the one that the programs name" \
		"$( ("$TANDEM_BUILD/$name" --version && qemu-aarch64-static "$BUILDS/arm64/$name" --version) |
			sed -E 's/.*OpenSSL\/([0-9.]+).*/\1/' | sort -u)" \
		"$(jq -r '.packages[] | select(.name == "openssl") | .versionInfo | sub("-.*"; "")' "$bom" | sort -u)"
	same "$name: libraries" "$libraries" \
		"$(jq -r '.packages[1:][].name' "$bom" | sort -u | paste -sd ' ')"
}

whole tandem-controller 65532:65532 "drwxr-xr-x 0/0 1970-01-01 usr/
drwxr-xr-x 0/0 1970-01-01 usr/bin/
-rwxr-xr-x 0/0 1970-01-01 usr/bin/tandem-controller"
whole tandem-node 0:0 "drwxr-xr-x 0/0 1970-01-01 opt/
drwxr-xr-x 0/0 1970-01-01 opt/tandem/
drwxr-xr-x 0/0 1970-01-01 opt/tandem/bin/
-rwxr-xr-x 0/0 1970-01-01 opt/tandem/bin/tandem
drwxr-xr-x 0/0 1970-01-01 usr/
drwxr-xr-x 0/0 1970-01-01 usr/bin/
-rwxr-xr-x 0/0 1970-01-01 usr/bin/tandem-node"
whole tandem-services 0:0 "drwxr-xr-x 0/0 1970-01-01 usr/
drwxr-xr-x 0/0 1970-01-01 usr/bin/
-rwxr-xr-x 0/0 1970-01-01 usr/bin/tandem-services"

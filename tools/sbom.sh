#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What an image is made of, as SPDX 2.3 in JSON, on standard output:
#
#	VERSION=0.1.0 tools/sbom.sh NAME DIGEST BUILD ROOTS
#
# ROOTS/NAME-amd64 and ROOTS/NAME-arm64 are the image's files, as tools/image.sh lays them out; the programs in BUILD
# still have the symbols from which it can be told which libraries are in them. Each library is the Debian source
# package that it was compiled from, here or by Debian.
set -euo pipefail

: "${VERSION:?}"
NAME=$1 DIGEST=$2 BUILD=$3 ROOTS=$4
: "${ARCHES:=amd64 arm64}"
export LC_ALL=C

# Of each library: the source package, its licence, and a function that whoever uses it cannot do without.
LIBRARIES="
	cjson MIT cJSON_Delete
	curl curl curl_multi_perform|curl_easy_perform
	elfutils LGPL-3.0-or-later elf_begin
	glibc LGPL-2.1-or-later __libc_start_main
	libbpf BSD-2-Clause bpf_object__load
	libmnl LGPL-2.1-or-later mnl_socket_bind
	libyaml MIT yaml_parser_parse
	openssl Apache-2.0 OPENSSL_init_crypto
	zlib Zlib inflateEnd"

build_of() { [ "$1" = amd64 ] && echo "$BUILD/static" || echo "$BUILD/$1"; }

# Arguments: architecture, source package. Its version: of an archive of ours, else of the installed or fetched one.
version_of() {
	local package

	sed -n "s/^$2 //p" "$(build_of "$1")/deps/packages" | grep . && return
	# Where its source cannot be had: tools/static/mnl.c, our own.
	[ "$2" != libmnl ] || return 1
	if [ "$1" != amd64 ]; then
		sed -n "s/^$2 //p" "$(build_of "$1")/root/packages" | grep . && return
	fi
	case $2 in
	glibc) package=libc6-dev ;;
	openssl) package=libssl-dev ;;
	libyaml) package=libyaml-dev ;;
	libbpf) package=libbpf-dev ;;
	elfutils) package=libelf-dev ;;
	zlib) package=zlib1g-dev ;;
	*) return 1 ;;
	esac
	dpkg-query -W -f '${source:Version}\n' "$package"
}

# Prints "FILE ARCH SHA1 SHA256 [LIBRARY=VERSION=LICENCE]..." for each file of the image.
facts() {
	local arch path program symbols library licence symbol version line

	for arch in $ARCHES; do
		find "$ROOTS/$NAME-$arch" -type f -printf '%P\n' | sort | while read -r path; do
			program=$(basename "$path")
			symbols=$(nm "$(build_of "$arch")/$program" | awk '$2 ~ /[TtWi]/ { print $3 }')
			line="$path $arch $(sha1sum <"$ROOTS/$NAME-$arch/$path" | cut -d ' ' -f 1)"
			line+=" $(sha256sum <"$ROOTS/$NAME-$arch/$path" | cut -d ' ' -f 1)"
			while read -r library licence symbol; do
				[ -n "$library" ] && grep -qxE "$symbol" <<<"$symbols" || continue
				version=$(version_of "$arch" "$library") || continue
				line+=" $library=$version=$licence"
			done <<<"$LIBRARIES"
			echo "$line"
		done
	done
}

facts | jq -Rn --arg name "$NAME" --arg version "$VERSION" --arg digest "$DIGEST" --arg hex "${DIGEST#sha256:}" '
	def id: "SPDXRef-" + gsub("[^A-Za-z0-9.-]"; "-");
	def relation($a; $type; $b): {spdxElementId: $a, relationshipType: $type, relatedSpdxElement: $b};
	[inputs | split(" ") | {path: .[0], arch: .[1], sha1: .[2], sha256: .[3],
		id: ("file-" + .[1] + "-" + .[0] | id),
		libraries: [.[4:][] | split("=") | {name: .[0], version: .[1], licence: .[2],
			id: ("package-" + .[0] + "-" + .[1] | id)}]}] as $files
	| ($name | id) as $image
	| {
		spdxVersion: "SPDX-2.3", dataLicense: "CC0-1.0", SPDXID: "SPDXRef-DOCUMENT",
		name: ($name + "-" + $version),
		documentNamespace: ("https://tandem-cni.io/spdx/" + $name + "-" + $version + "-" + $hex),
		creationInfo: {created: "1970-01-01T00:00:00Z", creators: ["Tool: tools/sbom.sh"]},
		packages: ([{
			SPDXID: $image, name: $name, versionInfo: $version, downloadLocation: "NOASSERTION",
			primaryPackagePurpose: "CONTAINER", filesAnalyzed: true,
			licenseConcluded: "NOASSERTION", licenseDeclared: "Apache-2.0", copyrightText: "NOASSERTION",
			checksums: [{algorithm: "SHA256", checksumValue: $hex}],
			packageVerificationCode: {packageVerificationCodeValue: "@CODE@"},
			externalRefs: [{referenceCategory: "PACKAGE-MANAGER", referenceType: "purl",
				referenceLocator: ("pkg:oci/" + $name + "@" + ($digest | @uri))}]
		}] + ([$files[].libraries[]] | unique | map({
			SPDXID: .id, name, versionInfo: .version, downloadLocation: "NOASSERTION",
			supplier: "Organization: Debian", primaryPackagePurpose: "LIBRARY", filesAnalyzed: false,
			licenseConcluded: "NOASSERTION", licenseDeclared: .licence, copyrightText: "NOASSERTION",
			externalRefs: [{referenceCategory: "PACKAGE-MANAGER", referenceType: "purl",
				referenceLocator: ("pkg:deb/debian/" + .name + "@" + (.version | @uri) + "?arch=source")}]
		}))),
		files: ($files | map({
			SPDXID: .id, fileName: ("./" + .path), fileTypes: ["BINARY"], comment: ("for " + .arch),
			licenseConcluded: "NOASSERTION", licenseInfoInFiles: ["Apache-2.0"], copyrightText: "NOASSERTION",
			checksums: [{algorithm: "SHA1", checksumValue: .sha1}, {algorithm: "SHA256", checksumValue: .sha256}]
		})),
		relationships: ([relation("SPDXRef-DOCUMENT"; "DESCRIBES"; $image)]
			+ [$files[] | relation($image; "CONTAINS"; .id)]
			+ [$files[] | .id as $file | .libraries[] | relation($file; "STATIC_LINK"; .id)])
	}' | {
	# The code that SPDX defines: the SHA1 of all files' SHA1, sorted and joined. jq has no SHA1.
	document=$(cat)
	code=$(jq -r '.files[].checksums[] | select(.algorithm == "SHA1") | .checksumValue' <<<"$document" |
		sort | tr -d '\n' | sha1sum | cut -d ' ' -f 1)
	printf '%s\n' "${document/@CODE@/$code}"
}

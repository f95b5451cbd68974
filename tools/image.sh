#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes the images as OCI archives, from nothing and without a daemon, and beside each what it is made of:
#
#	VERSION=0.1.0 REGISTRY=localhost tools/image.sh BUILD OUT [NAME]...
#
#	BUILD/static, BUILD/arm64	the programs, static, for amd64 and for arm64
#	OUT/NAME-VERSION.oci.tar	one index of both architectures; `ctr images import`, `podman load` and
#					`skopeo copy oci-archive:` read it
#	OUT/NAME-VERSION.spdx.json	SPDX 2.3 (tools/sbom.sh)
#
# NAME is tandem-controller, tandem-node or tandem-services; default: all. The same programs make the same bytes: every list is
# sorted, the time is 0, owners are numbers, and what differs between two links of the same objects (symbols, debug
# information, the build id that is made of them) is stripped.
set -euo pipefail

: "${VERSION:?}" "${REGISTRY:=localhost}"
TREE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
: "${ARCHES:=amd64 arm64}"
export LC_ALL=C

die() {
	echo "image: $*" >&2
	exit 1
}

# ---------------------------------------------------------------------------------- what is in them
# The path of each file in the image, then its program.
files_of() {
	case $1 in
	tandem-controller) echo "usr/bin/tandem-controller tandem-controller" ;;
	# The plugin is what the daemon brings to the node; no runtime executes it here.
	tandem-node) printf '%s\n' "opt/tandem/bin/tandem tandem" "usr/bin/tandem-node tandem-node" ;;
	tandem-services) echo "usr/bin/tandem-services tandem-services" ;;
	*) die "unknown image $1 (tandem-controller, tandem-node, tandem-services)" ;;
	esac
}

# The daemons of a node are root: they enter pods' namespaces.
user_of() {
	case $1 in
	tandem-node | tandem-services) echo 0:0 ;;
	*) echo 65532:65532 ;;
	esac
}

title_of() {
	case $1 in
	tandem-node) echo "tandem on a node: the daemon, and the CNI plugin" ;;
	tandem-services) echo "tandem on a node: ClusterIPs at the sockets of pods" ;;
	*) echo "tandem's controller" ;;
	esac
}

# Arguments: architecture. The folder with its programs, and the strip that knows its format.
build_of() { [ "$1" = amd64 ] && echo "$BUILD/static" || echo "$BUILD/$1"; }
strip_of() { [ "$1" = amd64 ] && echo strip || echo aarch64-linux-gnu-strip; }

# ---------------------------------------------------------------------------------- blobs
# Arguments: file, media type, more members of the descriptor as JSON. Moves the file to its place by its digest and
# prints its descriptor.
blob() {
	local sum size

	sum=$(sha256sum "$1" | cut -d ' ' -f 1)
	size=$(stat -c %s "$1")
	mv "$1" "$LAYOUT/blobs/sha256/$sum"
	jq -nc --arg type "$2" --arg digest "sha256:$sum" --argjson size "$size" --argjson more "${3:-{\}}" \
		'{mediaType: $type, digest: $digest, size: $size} + $more'
}

# Arguments: folder, file; the names on stdin. ustar: no field for what may differ between machines.
tar_fixed() {
	tar -C "$1" --format=ustar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner \
		--mode=u=rwX,go=rX --no-recursion --verbatim-files-from --files-from=- -cf "$2"
}

# Arguments: image, architecture, folder. The programs as the image has them.
fill_root() {
	local path program

	files_of "$1" | while read -r path program; do
		[ -x "$(build_of "$2")/$program" ] || die "no $program for $2 in $(build_of "$2") (make image)"
		mkdir -p "$3/$(dirname "$path")"
		"$(strip_of "$2")" -R .note.gnu.build-id -R .comment -o "$3/$path" "$(build_of "$2")/$program"
		chmod 755 "$3/$path"
	done
}

# Arguments: image, architecture. Prints the manifest's descriptor.
manifest() {
	local name=$1 arch=$2 root=$WORK/$1-$2 diff layer config entry

	fill_root "$name" "$arch" "$root"
	(cd "$root" && find . -mindepth 1 -printf '%P\n' | sort) | tar_fixed "$root" "$WORK/layer.tar"
	diff=$(sha256sum "$WORK/layer.tar" | cut -d ' ' -f 1)
	gzip -n -9 "$WORK/layer.tar"
	layer=$(blob "$WORK/layer.tar.gz" application/vnd.oci.image.layer.v1.tar+gzip)
	entry=/$(files_of "$name" | sed -n "s/ $name\$//p")
	jq -nc --arg arch "$arch" --arg user "$(user_of "$name")" --arg entry "$entry" --arg diff "sha256:$diff" \
		--argjson labels "$LABELS" '{created: "1970-01-01T00:00:00Z", architecture: $arch, os: "linux",
		  config: {User: $user, Entrypoint: [$entry], WorkingDir: "/", Labels: $labels},
		  rootfs: {type: "layers", diff_ids: [$diff]},
		  history: [{created: "1970-01-01T00:00:00Z", created_by: "tools/image.sh"}]}' >"$WORK/config"
	config=$(blob "$WORK/config" application/vnd.oci.image.config.v1+json)
	jq -nc --argjson config "$config" --argjson layer "$layer" --argjson labels "$LABELS" '{schemaVersion: 2,
		mediaType: "application/vnd.oci.image.manifest.v1+json", config: $config, layers: [$layer],
		annotations: $labels}' >"$WORK/manifest"
	blob "$WORK/manifest" application/vnd.oci.image.manifest.v1+json \
		"$(jq -nc --arg arch "$arch" '{platform: {architecture: $arch, os: "linux"}}')"
}

# Argument: image. The layout's one entry is the index; its name is there for containerd and for others.
image() {
	local name=$1 arch index full=$REGISTRY/$1:$VERSION

	LAYOUT=$WORK/layout-$name
	mkdir -p "$LAYOUT/blobs/sha256"
	LABELS=$(jq -nc --arg title "$name" --arg about "$(title_of "$name")" --arg version "$VERSION" '{
		"org.opencontainers.image.title": $title, "org.opencontainers.image.description": $about,
		"org.opencontainers.image.version": $version, "org.opencontainers.image.licenses": "Apache-2.0"}')
	for arch in $ARCHES; do
		manifest "$name" "$arch"
	done >"$WORK/manifests"
	jq -sc '{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: .}' \
		"$WORK/manifests" >"$WORK/index"
	index=$(blob "$WORK/index" application/vnd.oci.image.index.v1+json "$(jq -nc --arg full "$full" --arg v "$VERSION" \
		'{annotations: {"io.containerd.image.name": $full, "org.opencontainers.image.ref.name": $v}}')")
	jq -c '{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [.]}' \
		<<<"$index" >"$LAYOUT/index.json"
	printf '{"imageLayoutVersion":"1.0.0"}' >"$LAYOUT/oci-layout"
	{ printf '%s\n' oci-layout index.json && (cd "$LAYOUT" && find blobs | sort); } |
		tar_fixed "$LAYOUT" "$OUT/$name-$VERSION.oci.tar.tmp"
	"$TREE/tools/sbom.sh" "$name" "$(jq -r .digest <<<"$index")" "$BUILD" "$WORK" >"$OUT/$name-$VERSION.spdx.json.tmp"
	mv "$OUT/$name-$VERSION.oci.tar.tmp" "$OUT/$name-$VERSION.oci.tar"
	mv "$OUT/$name-$VERSION.spdx.json.tmp" "$OUT/$name-$VERSION.spdx.json"
}

BUILD=${1:?usage: tools/image.sh BUILD OUT [NAME]...} OUT=${2:?}
shift 2
[ $# -gt 0 ] || set -- tandem-controller tandem-node tandem-services
mkdir -p "$OUT"
WORK=$(mktemp -d "$OUT/.image.XXXXXX")
trap 'rm -rf "$WORK"' EXIT
for name; do
	image "$name"
done

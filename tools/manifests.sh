#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes what is applied, from manifests/base:
#
#	VERSION=0.1.0 REGISTRY=localhost tools/manifests.sh OUT
#
#	OUT/tandem.yaml			everything, the definitions first
#	OUT/tandem-crds.yaml		the definitions alone: what Helm does not upgrade
#	OUT/tandem-uninstall.yaml	what takes it out of the cluster again
#	OUT/tandem-services.yaml	tandem-services, which is no part of tandem.yaml
#	OUT/tandem-services-uninstall.yaml	what takes that out of the nodes' kernels
#	OUT/tandem-VERSION.tgz		the Helm chart
#
# The base says beside a line what stands there in the chart, after "#|": it takes the place of the line, and where
# the line ends in ":" of what is below it, too. A line that has nothing before "#|" is in the chart alone. The
# namespace becomes the release's. manifests/chart has the chart's other files.
set -euo pipefail

: "${VERSION:?}" "${REGISTRY:=localhost}"
cd "$(dirname "${BASH_SOURCE[0]}")/.."
OUT=${1:?usage: tools/manifests.sh OUT}
BASE=manifests/base
SERVICES=manifests/overlays/services/services.yaml
export LC_ALL=C

# The names under which the images were made.
images() {
	sed -E "s,(image: )localhost/(tandem-[a-z]+):[^ ]+,\1$REGISTRY/\2:$VERSION,"
}

# plain FILE...: as documents of one file
plain() {
	local f

	sed -E 's/ *#\| .*//; t cut; b; :cut; /^ *$/d' "$1" | images
	shift
	for f; do
		echo ---
		plain "$f"
	done
}

template() {
	awk '
	function indent(s) { match(s, /^ */); return RLENGTH }
	skip {
		if (indent($0) > depth || (indent($0) == depth && $0 ~ /^ *- /))
			next
		skip = 0
	}
	{
		at = index($0, "#| ")
		if (!at) {
			if ($0 !~ /^ *#/)
				gsub(/kube-system/, "{{ .Release.Namespace }}")
			print
			next
		}
		before = substr($0, 1, at - 1)
		sub(/ +$/, "", before)
		depth = match($0, /[^ ]/) - 1
		printf "%*s%s\n", depth, "", substr($0, at + 3)
		skip = before ~ /:$/
	}' "$1"
}

chart() {
	local dir=$WORK/tandem f

	mkdir -p "$dir/crds" "$dir/templates"
	cp "$OUT/tandem-crds.yaml" "$dir/crds/tandem.yaml"
	sed -E "s/^(version|appVersion): .*/\1: $VERSION/" manifests/chart/Chart.yaml >"$dir/Chart.yaml"
	sed -E "s,^(  registry: ).*,\1$REGISTRY," manifests/chart/values.yaml >"$dir/values.yaml"
	cp manifests/chart/values.schema.json LICENSE "$dir/"
	for f in rbac controller node; do
		template "$BASE/$f.yaml" >"$dir/templates/$f.yaml"
	done
	template "$SERVICES" >"$dir/templates/services.yaml"
	tar -C "$WORK" --format=ustar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner \
		--mode=u=rwX,go=rX -cf "$WORK/chart.tar" tandem
	gzip -n -9 <"$WORK/chart.tar" >"$WORK/chart.tgz"
	mv "$WORK/chart.tgz" "$OUT/tandem-$VERSION.tgz"
}

mkdir -p "$OUT"
WORK=$(mktemp -d "$OUT/.manifests.XXXXXX")
trap 'rm -rf "$WORK"' EXIT
plain "$BASE/crds.yaml" >"$WORK/crds.yaml"
mv "$WORK/crds.yaml" "$OUT/tandem-crds.yaml"
plain "$BASE"/{crds,rbac,controller,node}.yaml >"$WORK/all.yaml"
mv "$WORK/all.yaml" "$OUT/tandem.yaml"
plain manifests/uninstall.yaml >"$WORK/uninstall.yaml"
mv "$WORK/uninstall.yaml" "$OUT/tandem-uninstall.yaml"
plain "$SERVICES" >"$WORK/services.yaml"
mv "$WORK/services.yaml" "$OUT/tandem-services.yaml"
plain manifests/services-uninstall.yaml >"$WORK/services-uninstall.yaml"
mv "$WORK/services-uninstall.yaml" "$OUT/tandem-services-uninstall.yaml"
chart

# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The images of the cluster, made by hand since no registry is asked for anything:
#
#   registry.local/pause:1      the process that holds a pod's namespaces
#   registry.local/busybox:1    busybox with its applets, and netcheck (netcheck.c)
#
# Pods name them with imagePullPolicy: Never.

# Arguments: image name, folder with its root, output file, entry point as a JSON list. Writes the
# tar that `docker save` would: one layer, its configuration, and the list of both.
image_pack() {
	local name=$1 root=$2 out=$3 entry=$4 work=$3.work layer config

	mkdir -p "$work"
	tar -C "$root" --numeric-owner --owner=0 --group=0 --sort=name -cf "$work/layer.tar" .
	layer=$(sha256sum "$work/layer.tar" | cut -d ' ' -f 1)
	jq -nc --argjson entry "$entry" --arg layer "sha256:$layer" --arg arch "$(dpkg --print-architecture)" \
		'{architecture: $arch, os: "linux",
		  config: {Entrypoint: $entry, Env: ["PATH=/bin"]},
		  rootfs: {type: "layers", diff_ids: [$layer]}, history: [{created_by: "tandem"}]}' \
		>"$work/config"
	config=$(sha256sum "$work/config" | cut -d ' ' -f 1).json
	mv "$work/config" "$work/$config"
	jq -nc --arg name "$name" --arg config "$config" \
		'[{Config: $config, RepoTags: [$name], Layers: ["layer.tar"]}]' >"$work/manifest.json"
	tar -C "$work" -cf "$out" "$config" layer.tar manifest.json
	rm -r "$work"
}

images_build() {
	local dir=$LAB/images applet

	mkdir -p "$dir/pause" "$dir/busybox/bin" "$dir/busybox/etc" "$dir/busybox/tmp" \
		"$dir/busybox/var" "$LAB/bin"
	gcc -std=gnu17 -D_GNU_SOURCE -O2 -static -s -o "$LAB/bin/netcheck" \
		"$CLUSTER_DIR/netcheck.c" 2>"$LAB/log/images.log" ||
		die_log images "cannot compile netcheck.c"
	cp "$LAB/bin/netcheck" "$dir/pause/pause"
	cp "$LAB/bin/netcheck" "$dir/busybox/bin/netcheck"
	cp "$(command -v busybox)" "$dir/busybox/bin/busybox"
	for applet in $("$dir/busybox/bin/busybox" --list); do
		[ "$applet" = busybox ] || ln -s busybox "$dir/busybox/bin/$applet"
	done
	image_pack registry.local/pause:1 "$dir/pause" "$dir/pause.tar" '["/pause", "pause"]'
	image_pack registry.local/busybox:1 "$dir/busybox" "$dir/busybox.tar" '["/bin/sh"]'
	rm -r "$dir/pause" "$dir/busybox"
}

# Arguments: node, tar files.
images_load() {
	local node=$1 tar

	shift
	for tar in "$@"; do
		node_ctr "$node" images import "$tar" >>"$LAB/log/images.log" 2>&1 ||
			die_log images "cannot import $tar on $node"
	done
}

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds the Kubernetes 1.20.2 that the test cluster runs, from Debian's source package, once.
#
#   tests/cluster/build-kubernetes.sh           prints the folder of the programs on stdout
#   tests/cluster/build-kubernetes.sh cri-v1    that of the same programs, with a kubelet that calls the runtime's
#                                               services by the name of v1: containerd 2 has no v1alpha2, the only
#                                               name that this kubelet knows; the messages are the same
#
# The programs stay in ${TANDEM_CACHE:-/var/cache/tandem}/kubernetes-<Debian version>/bin. A fresh
# machine pays some five minutes on two cores; later calls return at once. Debian packages only the
# client; its source package has the whole of Kubernetes with the libraries that it needs.
set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
CACHE=${TANDEM_CACHE:-/var/cache/tandem}
APT_CONF=$CACHE/apt/apt.conf
UPSTREAM=1.20.2
PROGRAMS="kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl"
# Change this when the way of building changes: folders with another one are built again.
RECIPE="recipe 1"

GO_BIN=/usr/lib/go-1.19/bin
REFLECT2=/usr/share/gocode/src/github.com/modern-go/reflect2

say() {
	echo "build-kubernetes: $*" >&2
}

# Arguments: title, log file, command. Runs the command and shows the end of the log if it fails.
step() {
	local title=$1 log=$2 began=$SECONDS

	shift 2
	say "$title"
	if ! ("$@") >>"$log" 2>&1 </dev/null; then
		say "failed: $title; the end of $log:"
		tail -n 30 "$log" >&2
		exit 1
	fi
	say "$title: $((SECONDS - began)) s"
}

# Argument: bin or bin-cri-v1. Prints that folder of a finished build, if there is one.
finished() {
	local dir

	for dir in "$CACHE"/kubernetes-*"$UPSTREAM"*/; do
		if [ "$(cat "$dir/complete" 2>/dev/null)" = "$RECIPE" ] && [ -x "$dir$1/kubelet" ]; then
			echo "$dir$1"
			return
		fi
	done
	return 1
}

debian_version() {
	apt-cache -c "$APT_CONF" showsrc kubernetes 2>/dev/null |
		awk -v u="$UPSTREAM" '$1 == "Version:" && index($2, u) { print $2 }' | sort -V | tail -n 1
}

fetch() {
	apt-get -c "$APT_CONF" update -qq &&
		cd "$1" && apt-get -c "$APT_CONF" source --download-only -qq "kubernetes=$2"
}

# The functions that step runs chain their commands by hand: bash ignores -e in a condition.

# Lays the source out as a Go tree of the time before modules, which is how it builds offline.
unpack() {
	local work=$1 tree=$2

	# The vendored reflect2 1.0.1 reads Go's maps in the way of an older Go: built with this one,
	# the API server dies at the first custom resource. Debian's package has the mended version.
	mkdir -p "$tree" &&
		tar -C "$tree" --strip-components=1 -xf "$work"/kubernetes_*.orig.tar.* &&
		rm -rf "$tree/vendor/github.com/modern-go/reflect2" &&
		cp -rL "$REFLECT2" "$tree/vendor/github.com/modern-go/reflect2"
}

compile() {
	local tree=$1 out=$2 programs=$3 p stamp=k8s.io/kubernetes/vendor/k8s.io/component-base/version
	local client=k8s.io/client-go/pkg/version flags

	flags="-s -w -X $stamp.gitVersion=v$UPSTREAM -X $stamp.gitMajor=1 -X $stamp.gitMinor=20"
	flags+=" -X k8s.io/kubernetes/vendor/$client.gitVersion=v$UPSTREAM"
	mkdir -p "$out" && cd "$tree" || return 1
	for p in $programs; do
		go build -p 2 -ldflags "$flags" -o "$out/$p" "./cmd/$p" || return 1
	done
}

call_v1() {
	sed -i 's,"/runtime\.v1alpha2\.,"/runtime.v1.,' "$1"/staging/src/k8s.io/cri-api/pkg/apis/runtime/v1alpha2/api.pb.go
}

# Arguments: version, its folder, what is missing in it: bin, bin-cri-v1 or both.
build() {
	local version=$1 dir=$2 wanted=$3 p
	local work=$dir.build
	local tree=$work/go/src/k8s.io/kubernetes log=$work/build.log

	rm -rf "$work"
	mkdir -p "$work"
	export GOPATH=$work/go GOCACHE=$work/gocache GO111MODULE=off CGO_ENABLED=0 GOFLAGS=
	export PATH=$GO_BIN:$PATH KUBE_GIT_VERSION=v$UPSTREAM
	step "fetching Debian's source package, version $version" "$log" fetch "$work" "$version"
	step "unpacking" "$log" unpack "$work" "$tree"
	step "generating code" "$log" make -C "$tree" generated_files
	case " $wanted " in
	*" bin "*)
		step "compiling" "$log" compile "$tree" "$work/bin" "$PROGRAMS"
		rm -rf "$dir"
		mkdir -p "$dir"
		mv "$work/bin" "$dir/bin"
		echo "$RECIPE" >"$dir/complete.new"
		mv "$dir/complete.new" "$dir/complete"
		;;
	esac
	case " $wanted " in
	*" bin-cri-v1 "*)
		step "renaming the runtime's services" "$log" call_v1 "$tree"
		step "compiling a second kubelet" "$log" compile "$tree" "$work/bin-cri-v1" kubelet
		for p in $PROGRAMS; do
			[ -e "$work/bin-cri-v1/$p" ] || ln -s "../bin/$p" "$work/bin-cri-v1/$p"
		done
		rm -rf "$dir/bin-cri-v1"
		mv "$work/bin-cri-v1" "$dir/bin-cri-v1"
		;;
	esac
	chmod -R u+w "$work"
	rm -rf "$work"
}

main() {
	local version want=bin missing="" p

	case ${1:-} in
	"") ;;
	cri-v1) want=bin-cri-v1 ;;
	*) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" && exit 2 ;;
	esac
	if finished $want; then
		return
	fi
	"$HERE/../../tools/setup.sh" cluster
	mkdir -p "$CACHE"
	exec 9>"$CACHE/kubernetes.lock"
	flock --nonblock 9 || { say "another build is running, waiting for it" && flock 9; }
	if finished $want; then
		return
	fi
	for p in bin $want; do
		finished "$p" >/dev/null || [ "$missing" = "$p" ] || missing+="${missing:+ }$p"
	done
	version=$(debian_version)
	if [ -z "$version" ]; then
		say "Debian's source package kubernetes $UPSTREAM is not in this machine's apt sources"
		exit 1
	fi
	build "$version" "$CACHE/kubernetes-$version" "$missing"
	finished $want
}

main "$@"

# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the tests of images, manifests and the other architecture share. Sourced after ../lib.sh.

BUILDS=$(dirname "$TANDEM_BUILD")
VERSION=$(make -s --no-print-directory -C "$TESTS_ROOT" print-VERSION)
GO=/usr/lib/go-1.19/bin/go
export BUILDS VERSION

# build_render OUT: render.go, with Debian's libraries of Go
build_render() {
	GOCACHE=${TANDEM_CACHE:-/var/cache/tandem}/go GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS='' \
		"$GO" build -o "$1" "$TESTS_ROOT/tests/image/render.go"
}

# kubectl_old: that of Kubernetes 1.20, the oldest that must understand everything
kubectl_old() {
	"${KUBE_BIN:-$("$TESTS_ROOT/tests/cluster/build-kubernetes.sh")}/kubectl" "$@"
}

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that tandem's build, checks and test cluster need.
#
#   tools/setup.sh [build|image|lint|vm|cluster|ui|all]...      default: all
#
#   build    compiler, libraries, cmocka and what the tests on this machine's kernel call
#   image    a compiler for arm64 and qemu-user to run what it makes; Go with what renders a Helm chart
#   lint     clang-format, clang-tidy, cppcheck, shellcheck, mandoc
#   vm       qemu, and what goes into the virtual machine with the kernel that tests/vm/kernel.sh fetches
#   cluster  etcd, containerd, Go and the rest of a Kubernetes cluster on this machine
#   ui       node and npm, which the page in kubectl-macvlan is built with, and the browser that its tests drive
#
# To be run as root, any number of times: with nothing missing it only asks dpkg and ends. No
# service is started by an installation made here, and none is enabled for the next boot.
#
# The groups build and cluster compile Debian source packages. For `apt-get source` this script
# keeps an apt configuration of its own, made from the Debian entries of the machine's, so that
# /etc/apt stays as it is:
#
#   apt-get -c ${TANDEM_CACHE:-/var/cache/tandem}/apt/apt.conf source --download-only PACKAGE
set -euo pipefail

CACHE=${TANDEM_CACHE:-/var/cache/tandem}
APT_DIR=$CACHE/apt
POLICY=/usr/sbin/policy-rc.d
LOCK=/run/lock/tandem-setup.lock
LOG=/var/log/tandem-setup.log

BUILD_PACKAGES="
	gcc libc6-dev linux-libc-dev make pkg-config dpkg-dev git rsync ca-certificates
	libmnl-dev libcjson-dev libcurl4-openssl-dev libssl-dev libyaml-dev zlib1g-dev
	clang llvm libbpf-dev libelf-dev libcmocka-dev valgrind strace jq curl openssl
	iproute2 iputils-ping iptables tcpdump procps util-linux containernetworking-plugins prometheus
	golang-1.19-go golang-github-appc-cni-dev"
IMAGE_PACKAGES="
	binutils binutils-aarch64-linux-gnu gcc-aarch64-linux-gnu qemu-user-static jq
	golang-1.19-go golang-github-masterminds-sprig-dev golang-github-xeipuuv-gojsonschema-dev
	golang-gopkg-yaml.v2-dev golang-gopkg-yaml.v3-dev"
LINT_PACKAGES="
	clang clang-format clang-tidy cppcheck shellcheck mandoc"
VM_PACKAGES="
	qemu-system-x86 busybox-static bash iproute2 util-linux jq diffutils containernetworking-plugins xz-utils zstd"
CLUSTER_PACKAGES="
	gcc libc6-dev make dpkg-dev rsync jq curl openssl ca-certificates
	iproute2 iputils-ping iptables tcpdump procps util-linux conntrack
	etcd-server containerd runc containernetworking-plugins busybox-static
	golang-1.19-go golang-github-modern-go-reflect2-dev"
UI_PACKAGES="nodejs npm chromium"

# Packages above that bring a daemon, and the unit that would run it.
DAEMONS="etcd-server:etcd containerd:containerd prometheus:prometheus"

# shellcheck source=tools/apt.sh
. "$(dirname "${BASH_SOURCE[0]}")/apt.sh"

say() {
	echo "setup: $*" >&2
}

die() {
	say "$*"
	exit 1
}

usage() {
	sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
}

# Prints those of the packages named that are not installed, one a line.
missing_packages() {
	local known

	# Other makers' packages of node bring npm with them, and Debian's npm does not go with those.
	if command -v npm >/dev/null; then
		set -- "${@/#npm/nodejs}"
	fi
	known=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
		sed -n 's/^installed //p' | sort -u || true)
	printf '%s\n' "$@" | sort -u | comm -23 - <(printf '%s\n' "$known")
}

# Packages' own scripts ask policy-rc.d before they start a service; 101 means "not allowed".
forbid_services() {
	# Left behind by a run that was killed: not the machine's own.
	if grep -qs '^# tandem' "$POLICY"; then
		allow_services
	fi
	if [ -e "$POLICY" ] || [ -L "$POLICY" ]; then
		mv "$POLICY" "$POLICY.tandem-saved"
	fi
	printf '#!/bin/sh\n# tandem: while packages are installed\nexit 101\n' >"$POLICY"
	chmod 755 "$POLICY"
}

allow_services() {
	rm -f "$POLICY"
	if [ -e "$POLICY.tandem-saved" ] || [ -L "$POLICY.tandem-saved" ]; then
		mv "$POLICY.tandem-saved" "$POLICY"
	fi
}

# Arguments: the packages just installed. Their services were not started; neither shall they
# be at the next boot. A service that the machine had before is left as it was.
disable_services() {
	local pair

	for pair in $DAEMONS; do
		case " $* " in
		*" ${pair%%:*} "*) ;;
		*) continue ;;
		esac
		if command -v systemctl >/dev/null; then
			systemctl disable "${pair#*:}.service" >>"$LOG" 2>&1 || true
		fi
		if [ -e "/etc/init.d/${pair#*:}" ] && command -v update-rc.d >/dev/null; then
			update-rc.d "${pair#*:}" disable >>"$LOG" 2>&1 || true
		fi
	done
}

apt() {
	DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

# A package list may be old, or absent on a fresh machine. One broken third-party source shall
# not stop us: what matters is whether the packages can be installed afterwards.
update_lists() {
	apt update -qq >>"$LOG" 2>&1 || say "apt-get update reported errors, going on (see $LOG)"
}

# Arguments: packages. Says which of them apt knows no candidate for.
name_unknown() {
	local p

	for p in "$@"; do
		if ! apt-cache policy "$p" | grep -q '^  Candidate: [^(]'; then
			say "package $p: not known to this machine's apt sources"
		fi
	done
}

# Arguments: packages. Called when installing them together failed: finds the ones to blame.
blame() {
	local p

	name_unknown "$@"
	for p in "$@"; do
		if ! apt install -y --no-install-recommends "$p" >>"$LOG" 2>&1; then
			say "package $p: could not be installed"
		fi
	done
	tail -n 15 "$LOG" >&2
}

install_packages() {
	local left

	say "installing: $*"
	forbid_services
	trap allow_services EXIT
	apt install -y --no-install-recommends "$@" >>"$LOG" 2>&1 || blame "$@"
	allow_services
	trap - EXIT
	disable_services "$@"
	left=$(missing_packages "$@")
	[ -z "$left" ] || die "not installed: $(tr '\n' ' ' <<<"$left")(log: $LOG)"
}

# The private apt configuration in $APT_DIR. Refreshed when the machine's sources changed.
prepare_sources() {
	local changed

	if [ -e "$APT_DIR/ready" ]; then
		changed=$(find /etc/apt/sources.list /etc/apt/sources.list.d -newer "$APT_DIR/ready" \
			2>/dev/null || true)
		[ -n "$changed" ] || return 0
	fi
	say "preparing apt for source packages in $APT_DIR"
	rm -f "$APT_DIR/ready"
	debian_repositories | sed 's/^/deb-src /' | own_apt "$APT_DIR" ||
		die "the lists of Debian's source packages could not be fetched"
	touch "$APT_DIR/ready"
}

main() {
	local group packages="" sources="" missing

	[ $# -gt 0 ] || set -- all
	for group in "$@"; do
		case $group in
		build) packages+=$BUILD_PACKAGES sources=yes ;;
		image) packages+=$IMAGE_PACKAGES ;;
		lint) packages+=$LINT_PACKAGES ;;
		vm) packages+=$VM_PACKAGES ;;
		cluster) packages+=$CLUSTER_PACKAGES sources=yes ;;
		ui) packages+=$UI_PACKAGES ;;
		all) packages+="$BUILD_PACKAGES $IMAGE_PACKAGES $LINT_PACKAGES $VM_PACKAGES $CLUSTER_PACKAGES $UI_PACKAGES" sources=yes ;;
		-h | --help) usage && return ;;
		*) die "unknown group '$group' (build, image, lint, vm, cluster, ui, all)" ;;
		esac
	done
	command -v apt-get >/dev/null || die "apt-get not found: this script is for Debian"
	# shellcheck disable=SC2086 # lists of names, meant to be split
	missing=$(missing_packages $packages)
	if [ -n "$missing" ] || { [ -n "$sources" ] && [ ! -e "$APT_DIR/ready" ]; }; then
		[ "$(id -u)" = 0 ] || die "must be run as root; missing: ${missing//$'\n'/ }"
	fi
	if [ -n "$missing" ]; then
		exec 9>"$LOCK"
		flock 9
		# shellcheck disable=SC2086
		missing=$(missing_packages $packages)
	fi
	if [ -n "$missing" ]; then
		update_lists
		# shellcheck disable=SC2086
		install_packages $missing
	fi
	[ -z "$sources" ] || prepare_sources
}

main "$@"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What this machine's kernel may lack: VLANs, ipvlan, bonds, and Linux 6.1. Boots Debian's cloud kernel under
# qemu, without KVM, with the static plugin in an initramfs, and passes on what the tests in guest/ say.
#
#	tests/vm/run.sh [PART...]       PART: the beginning of a file's name in guest/, such as 10; without one all but
#					50, which has programs of its own: services.sh, services-5.10.sh
#
# VM_KERNEL=SUITE boots the kernel of that suite of Debian (bullseye: Linux 5.10).
# VM_SHELL="COMMANDS" runs these instead of the tests, and shows their output.

. "$(dirname "$0")/../lib.sh"

: "${TANDEM_TOOLS:=$TESTS_ROOT/build/dev/tests}"
HERE=$TESTS_ROOT/tests/vm
# Emulated instructions on a machine that is busy otherwise; two minutes is what it takes idle.
LIMIT=${VM_LIMIT:-3500}
# Run in the guest beside busybox: what is not in it, or differs there from what the tests are written for.
PROGRAMS="bash ip bridge jq nsenter unshare setpriv diff flock"
SERVICES_TOOLS="peer flip foreign lacking"
: "${TANDEM_SERVICES_BIN:=$TANDEM_BUILD/tandem-services}"

need() {
	command -v "$1" >/dev/null || [ -x "$1" ] || {
		fail "vm" "$1 is not there: tools/setup.sh, make tests-dev static"
		exit 1
	}
}

# install_program FILE TO: with the libraries that it is linked to, where its loader looks for them
install_program() {
	local lib
	install -D "$1" "$ROOT/$2"
	for lib in $(ldd "$1" 2>/dev/null | grep -o '/[^ ]*'); do
		[ -e "$ROOT/$lib" ] || install -D "$(readlink -f "$lib")" "$ROOT/$lib"
	done
}

# build_root: everything that the guest has
build_root() {
	local p
	mkdir -p "$ROOT"/{bin,dev,proc,sys,tmp,run,real,etc,t/tests/vm,t/tests/contract}
	install -D "$(command -v busybox)" "$ROOT/bin/busybox"
	install "$HERE/init" "$ROOT/init"
	for p in $PROGRAMS; do install_program "$(command -v "$p")" "real/$p"; done
	ln -s /real/bash "$ROOT/bin/bash"
	cp -r "$KERNEL/modules" "$ROOT/modules"
	cp "$KERNEL/order" "$ROOT/modules/order"
	install -D "$TANDEM_BIN" "$ROOT/t/bin/tandem"
	install -D "$TANDEM_NODE_BIN" "$ROOT/t/bin/tandem-node"
	install_program "$TANDEM_TOOLS/vm/answer" t/bin/answer
	for p in bridge host-local; do install -D "/usr/lib/cni/$p" "$ROOT/usr/lib/cni/$p"; done
	cp "$TESTS_ROOT/tests/lib.sh" "$ROOT/t/tests/lib.sh"
	cp "$TESTS_ROOT/tests/contract/lib.sh" "$ROOT/t/tests/contract/lib.sh"
	install -D "$TANDEM_SERVICES_BIN" "$ROOT/t/bin/tandem-services"
	for p in $SERVICES_TOOLS; do install_program "$TANDEM_TOOLS/services/$p" "t/bin/services/$p"; done
	cp -r "$TESTS_ROOT/tests/services" "$ROOT/t/tests/services"
	cp -r "$HERE/guest" "$ROOT/t/tests/vm/guest"
	echo 'root:x:0:0::/:/bin/sh' >"$ROOT/etc/passwd"
}

# select_parts PART...: leaves only these of the tests
select_parts() {
	local file part keep
	for file in "$ROOT"/t/tests/vm/guest/[0-9]*.sh; do
		keep=
		for part; do
			case ${file##*/} in "$part"*) keep=yes ;; esac
		done
		[ -n "$keep" ] || rm "$file"
	done
}

# Without ACPI there are the old timers, whose calibration does not fail on a busy machine; the guest ends by a
# reset. Mitigations would have every system call flush what qemu has translated of the page tables.
boot() {
	timeout -k 10 "$LIMIT" qemu-system-x86_64 -machine microvm,acpi=off -accel tcg -m 512 \
		-nodefaults -no-user-config -nographic -no-reboot -serial stdio \
		-kernel "$KERNEL/vmlinuz" -initrd "$DIR/initrd" \
		-append "console=ttyS0 quiet loglevel=3 panic=-1 reboot=t mitigations=off audit=0 apparmor=0" </dev/null
}

for program in qemu-system-x86_64 busybox jq "$TANDEM_BIN" "$TANDEM_NODE_BIN" "$TANDEM_SERVICES_BIN" "$TANDEM_TOOLS/vm/answer"; do need "$program"; done
# shellcheck disable=SC2086 # none, or one word
KERNEL=$("$HERE/kernel.sh" ${VM_KERNEL:-}) || { fail "vm" "no kernel to boot" && exit 1; }
scratch DIR
ROOT=$DIR/root
build_root
[ $# -gt 0 ] || set -- 1 2 3 4 6
select_parts "$@"
if [ -n "${VM_SHELL:-}" ]; then
	rm "$ROOT"/t/tests/vm/guest/[0-9]*.sh
	printf '%s\n' "$VM_SHELL" >"$ROOT/t/tests/vm/guest/00_shell.sh"
fi
(cd "$ROOT" && find . -print0 | busybox cpio -0 -o -H newc) >"$DIR/initrd" 2>"$DIR/cpio.log" || {
	fail "vm" "initramfs: $(tail -n 1 "$DIR/cpio.log")"
	exit 1
}
rm -rf "$ROOT"
began=$SECONDS
boot 2>&1 | sed -u 's|\r||' | tee "$DIR/console"
echo "vm: $((SECONDS - began)) s in all"
case $(grep '^vm: exit ' "$DIR/console") in
"vm: exit 0") ;;
"vm: exit"*) exit 1 ;;
*) fail "vm" "the machine ended, or was ended after $LIMIT s, before its tests did" ;;
esac

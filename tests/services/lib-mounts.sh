# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced first: the rest of the test runs in a mount namespace of its own, in which nothing is mounted at /sys/fs/bpf,
# whatever the machine has there. What others unmount goes from it, too (slave): copies of their network namespaces
# would otherwise live on.

if [ -z "${SERVICES_OWN_MOUNTS:-}" ]; then
	exec env SERVICES_OWN_MOUNTS=1 unshare --mount --propagation slave bash "$0" "$@"
fi
unset SERVICES_OWN_MOUNTS
while grep -q ' /sys/fs/bpf bpf ' /proc/mounts && umount -l /sys/fs/bpf; do :; done
# The names of network namespaces that are made here are files that nobody else must see: others have no namespace at
# them, and ip would tell each of its users so.
mkdir -p /run/netns && mount -t tmpfs none /run/netns || exit 1

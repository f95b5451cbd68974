#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The first process of a node, started by nodes.sh in the node's network namespace and in a mount
# namespace that so far shows the machine's own folders. It puts the node's in their place.
#
#   node-init.sh FOLDER DIR...      mounts FOLDER/DIR on /DIR, says so in FOLDER/mounted, and stays
set -euo pipefail

folder=$1
shift
# Mounts of the node may spread to its containers, not to the machine.
mount --make-rshared /
for dir in "$@"; do
	mount --bind "$folder/$dir" "/$dir"
done
# The machine's name servers are out of a node's reach; programs would wait for them.
if [ -e /etc/resolv.conf ]; then
	mount --bind "$folder/resolv.conf" /etc/resolv.conf
fi
touch "$folder/mounted"
exec sleep infinity

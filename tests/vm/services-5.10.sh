#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ClusterIPs at the sockets on the oldest kernel that has them, Linux 5.10, with ipvlan: guest/50_services.sh.

VM_KERNEL=bullseye exec "$(dirname "$0")/run.sh" 50

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ClusterIPs at the sockets on Linux 6.1, with ipvlan, which this machine's kernel may lack: guest/50_services.sh.

exec "$(dirname "$0")/run.sh" 50

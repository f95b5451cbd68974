#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The core of the tests on a cluster whose runtime is containerd 2: the primary alone, the pictures, pods that ask for
# nothing, the verbs that only a newer runtime sends, an upgrade, a reboot, the removal.
#
#   tests/cluster/run-containerd2.sh [NAME]...      as run.sh
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
CONTAINERD_BIN=${CONTAINERD_BIN:-$("$HERE/containerd2.sh")}
KUBE_BIN=${KUBE_BIN:-$("$HERE/build-kubernetes.sh" cri-v1)}
export CONTAINERD_BIN KUBE_BIN
[ $# -gt 0 ] || set -- primary pictures unannotated verbs deployment upgrade node reboot removal
exec "$HERE/run.sh" "$@"

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The controller at a real API server: workloads made by the real controller manager, what they keep, conflicts, two controllers, metrics.
exec "$(dirname "$0")/controller.sh" lead workloads keep owners place conflicts metrics

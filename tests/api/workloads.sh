#!/usr/bin/env bash
# The controller at a real API server: workloads made by the real controller manager, conflicts, two controllers, metrics.
exec "$(dirname "$0")/controller.sh" lead workloads conflicts metrics

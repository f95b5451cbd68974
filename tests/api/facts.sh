#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The controller at a real API server: the cluster's own networks, and the administrator's settings.
exec "$(dirname "$0")/controller.sh" facts

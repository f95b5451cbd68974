#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kubectl-macvlan at a real API server with a real controller.
exec "$(dirname "$0")/controller.sh" kubectl why leaks journal
